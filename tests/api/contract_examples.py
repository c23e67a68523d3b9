"""One good request for each of the contract's, against things that are really there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from tests.api.library import QUESTION, Library
from tests.api.parea import BASE, body, log
from tests.doubles.openai_server import OpenAIServer, say

MODEL = "openai/gpt-test"
TODOS = "id title completed createdAt dueDate weight parentId children tags"


@dataclass(frozen=True, slots=True)
class Example:
    """A request; `path` has the values of the contract's path in it."""

    path: str
    json: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] | None = None

    def send(self, client: httpx2.Client, method: str, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        given = {"files": self.files} if self.files is not None else {} if self.json is None else {"json": self.json}
        return client.request(method, self.path, params=self.params, headers=headers, **given)


@dataclass(frozen=True, slots=True)
class World:
    """What the examples name, each made once."""

    repository: int
    shelf: int  # to upload to
    model_number: int
    trace: str
    thread: str
    prompt: str
    experiment: str
    dataset: int
    case: int
    log: str

    @classmethod
    def made(cls, api: httpx2.Client, model: OpenAIServer, library: Library) -> World:
        """By the requests that vendors' clients make."""
        model.script(say("Ann [1]."))
        chat = {"messages": [{"role": "user", "content": QUESTION}], "repositories": {"ids": [library.repository]}}
        api.post("/graphql", json={"query": 'mutation { createTodo(title: "t") { id } }'})
        user = {"X-User-ID": "contract"}
        prompt = {
            "name": f"p-{uuid.uuid4()}",
            "messages": [{"role": "user", "content": "Hi {{name}}"}],
            "tag": "live",
            "model": MODEL,
        }
        dataset = {"name": f"d-{uuid.uuid4()}", "test_cases": [{"inputs": {"q": "a"}}]}
        made = api.post(f"{BASE}/collection", json=dataset).json()["id"]
        written = str(uuid.uuid4())
        api.post(f"{BASE}/trace_log", json=log(written))
        experiment = {"name": "e", "run_name": str(uuid.uuid4())}
        return cls(
            repository=library.repository,
            shelf=api.post("/v1/repositories", json={"name": "Shelf"}).json()["id"],
            model_number=api.get("/v1/models/").json()[0]["id"],
            trace=api.post("/v1/chat/completions", json={**chat, "project_id": 1}).json()["trace_id"],
            thread=api.post("/v1/chat/completions", json=chat, headers=user).json()["threadId"],
            prompt=api.post("/v1/prompts", json=prompt).json()["prompt_id"],
            experiment=api.post(f"{BASE}/experiment", json=experiment).json()["uuid"],
            dataset=made,
            case=int(next(iter(api.get(f"{BASE}/collection/{made}").json()["test_cases"]))),
            log=written,
        )


def examples(world: World) -> dict[str, Callable[[], Example]]:
    """By the key of the contract's endpoint; each call makes a request that was not made before."""
    turn = f"{world.thread}/1"
    where = {"ids": [world.repository], "limit": 2, "similarity_threshold": 0.1}
    message = {"role": "user", "content": QUESTION}
    chat = {"messages": [message], "repositories": where}
    function = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    pointer = {"metadata": {"thread_id": world.thread, "turn_id": "1"}}
    repository = {"name": "R", "organization": "O", "description": "D"}
    related = {"thread_id": world.thread, "turn_id": "1", "question": QUESTION}
    text = {"name": "a.txt", "document_type": "text"}
    feedback = {"trace_id": world.trace, "feedback": {"positive": True, "messages": [message]}}

    found = {
        "gist POST /v1/chat/completions": _posted("/v1/chat/completions", chat | {"messages": [message | pointer]}),
        "gist POST /v1/chat": _posted("/v1/chat", {"user_prompt": QUESTION, "inclusion_list": [str(world.repository)]}),
        "gist GET /v1/chat/response/{threadId}/{turnId}": _got(f"/v1/chat/response/{turn}"),
        "gist GET /v1/chat/citations/{threadId}/{turnId}": _got(f"/v1/chat/citations/{turn}"),
        "gist GET /v1/chat/attributions/{threadId}/{turnId}": _got(f"/v1/chat/attributions/{turn}"),
        "gist GET /v1/threads": _got("/v1/threads"),
        "gist GET /v1/threads/{threadId}": _got(f"/v1/threads/{world.thread}"),
        "gist GET /v1/questions/recommended": _got("/v1/questions/recommended"),
        "gist POST /v1/questions/related": _posted("/v1/questions/related", related),
        "chatbot GET /v1/models/{id}": _got("/v1/models/footnote/extractive"),
        "openai GET /v1/models/{id}": _got("/v1/models/footnote%2Fextractive"),
        "chatbot POST /graphql": _posted("/graphql", {"query": f"query {{ todos {{ {TODOS} }} }}"}),
        "promptrun GET /v1/prompt": _got("/v1/prompt", projectId=world.prompt),
        "openai POST /v1/chat/completions": _posted(
            "/v1/chat/completions", {"model": MODEL, "tools": [function], **chat}
        ),
        "openai POST /v1/embeddings": _posted("/v1/embeddings", {"model": "footnote/hashing", "input": ["a"]}),
        "prem POST /v1/chat/completions": _posted(
            "/v1/chat/completions", {"project_id": 1, "model": MODEL, "tools": [function], **chat}
        ),
        "prem POST /v1/embeddings": _posted(
            "/v1/embeddings", {"project_id": 1, "model": "footnote/hashing", "input": "a"}
        ),
        "prem GET /v1/models/{id}/": _got(f"/v1/models/{world.model_number}/"),
        "prem GET /v1/traces/": _got("/v1/traces/"),
        "prem GET /v1/traces/{id}/": _got(f"/v1/traces/{world.trace}/"),
        "prem POST /v1/set_trace_feedback": _posted("/v1/set_trace_feedback", feedback),
    }
    for path in ("/v1/repositories/", "/api/repositories/repositories/"):
        found[f"prem POST {path}"] = _posted(path, repository)
    for path in ("/v1/repository/{}/document", "/api/repositories/repository/{}/document"):
        found[f"prem POST {path.format('{repository_id}')}"] = _posted(
            path.format(world.shelf), {**text, "content": "The chainsaw is red."}
        )
    for key in ("chatbot POST /v1/chat/completions", "promptrun POST /v1/chat/completions"):
        found[key] = _posted("/v1/chat/completions", {"model": MODEL, **chat})
    return found | {
        f"parea {key.replace('/', f'{BASE}/', 1)}": _below(BASE, make) for key, make in _pareas(world, where).items()
    }


def _pareas(world: World, where: Mapping[str, Any]) -> dict[str, Callable[[], Example]]:
    case = {"inputs": {"q": "x"}, "target": "t", "tags": ["g"]}
    search = {"filter_field": "metadata", "filter_key": "k", "filter_operator": "equals", "filter_value": "v"}
    functions = [{"name": "f", "parameters": {"type": "object", "properties": {}}}]
    completion = body(QUESTION, llm_configuration={"functions": functions}, repositories=where)
    run = f"/experiment/{world.experiment}"
    return {
        "POST /deployed-prompt": _posted("/deployed-prompt", {"deployment_id": world.prompt}),
        "POST /project": _posted("/project", {"name": "default"}),
        "POST /feedback": _posted("/feedback", {"trace_id": world.log, "score": 1}),
        "POST /trace_log": lambda: Example("/trace_log", log(str(uuid.uuid4()), scores=[{"name": "n", "score": 1}])),
        "PUT /trace_log": _posted("/trace_log", {"trace_id": world.log, "field_name_to_value_map": {}}),
        "GET /trace_log/{trace_id}": _got(f"/trace_log/{world.log}"),
        "POST /get_trace_logs": _posted("/get_trace_logs", {"project_name": "default", **search}),
        "POST /experiment": lambda: Example("/experiment", {"name": "e", "run_name": str(uuid.uuid4())}),
        "GET /experiment/{uuid}/stats": _got(f"{run}/stats"),
        "POST /experiment/{uuid}/finished": _posted(
            f"{run}/finished", {"status": "completed", "dataset_level_stats": [{"name": "n", "score": 1}]}
        ),
        "POST /experiments": _posted("/experiments", {}),
        "POST /experiment/{uuid}/trace_logs": _posted(f"{run}/trace_logs", search),
        "GET /collection/{identifier}": _got(f"/collection/{world.dataset}"),
        "POST /collection": lambda: Example("/collection", {"name": str(uuid.uuid4()), "test_cases": [case]}),
        "POST /testcases": _posted("/testcases", {"id": world.dataset, "test_cases": [case]}),
        "POST /update_test_case/{dataset_id}/{test_case_id}": _posted(
            f"/update_test_case/{world.dataset}/{world.case}", case
        ),
        "POST /completion": _posted("/completion", completion),
        "POST /completion/stream": _posted("/completion/stream", completion),
    }


def _below(prefix: str, make: Callable[[], Example]) -> Callable[[], Example]:
    return lambda: replace(made := make(), path=prefix + made.path)


def _posted(path: str, json: Any) -> Callable[[], Example]:
    return lambda: Example(path, json)


def _got(path: str, **params: Any) -> Callable[[], Example]:
    return lambda: Example(path, params=params)
