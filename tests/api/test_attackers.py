"""What a key of another project, a key that may only read, and no key can do: nothing that is not theirs."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.api import parea
from tests.api.library import QUESTION, Library, holdings
from tests.doubles.openai_server import OpenAIServer, refuse, say
from tests.doubles.service import RunningService

# What a key that may only read may send by a method that is not GET; all else changes what is kept, and needs more.
READS = {
    "/v1/retrieve",
    "/v1/citations/verify",
    "/v1/chat/completions",
    "/openai/v1/chat/completions",
    "/prem/v1/chat/completions",
    "/gist/v1/chat/completions",
    "/v1/chat",
    "/v1/questions/related",
    "/v1/embeddings",
    "/graphql",  # its mutations are held back one by one, see test_graphql
    "/api/parea/v1/completion",
    "/api/parea/v1/completion/stream",
    "/api/parea/v1/deployed-prompt",
    "/api/parea/v1/project",  # Parea's clients find their group of traces so, each time they start
    "/api/parea/v1/get_trace_logs",
    "/api/parea/v1/experiments",
    "/api/parea/v1/experiment/{experiment_uuid}/trace_logs",
    "/api/parea/v1/feedback",  # who may ask may say what they think of the answer
    "/v1/set_trace_feedback",
}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/repositories": {"name": "x"},
    "/v1/repositories/": {"name": "x"},
    "/api/repositories/repositories/": {"name": "x"},
    "/v1/repository/{repository_id}/document": {"name": "x.txt", "content": "x"},
    "/api/repositories/repository/{repository_id}/document": {"name": "x.txt", "content": "x"},
    "/v1/repositories/{repository_id}": {"description": "x"},
    "/v1/templates": {"name": "x", "content": "x"},
    "/v1/prompts": {"name": "x", "messages": [{"content": "x"}]},
    "/v1/prompts/{prompt_id}/versions": {"messages": [{"content": "x"}]},
    "/v1/prompts/{prompt_id}/versions/{number}/tag": {"tag": "x"},
    "/api/parea/v1/trace_log": {"trace_id": "x", "field_name_to_value_map": {"trace_name": "x"}},
    "/api/parea/v1/trace_log/{vendor}": {"id": "x"},
    "/api/parea/v1/experiment": {"name": "x", "run_name": "x"},
    "/api/parea/v1/experiment/{experiment_uuid}/finished": {"status": "completed"},
    "/api/parea/v1/experiment/{experiment_uuid}/trace_logs": {},
    "/api/parea/v1/collection": {"name": "x"},
    "/api/parea/v1/testcases": {"id": 1, "test_cases": []},
    "/api/parea/v1/update_test_case/{dataset_id}/{test_case_id}": {"target": "x"},
}


@dataclass(frozen=True)
class Belongings:
    """Ids of things of project 1, by the names that paths have for them."""

    ids: dict[str, str]

    def fill(self, template: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: quote(self.ids[found[1]], safe=""), template)


@pytest.fixture(scope="module")
def mine(api: httpx2.Client, library: Library) -> Belongings:
    """One of everything, in project 1."""
    prompt = api.post("/v1/prompts", json={"name": "mine", "messages": [{"content": "x"}]}).json()["prompt_id"]
    chat = api.post("/v1/chat", json={"user_prompt": QUESTION}, headers={"x-user-id": "owner"}).json()
    run = api.post(f"{parea.BASE}/experiment", json={"name": "mine", "run_name": str(uuid.uuid4())}).json()["uuid"]
    name = f"mine-{uuid.uuid4()}"
    cases = [{"inputs": {"q": "x"}}]
    dataset = api.post(f"{parea.BASE}/collection", json={"name": name, "test_cases": cases}).json()["id"]
    case = next(iter(api.get(f"{parea.BASE}/collection/{dataset}").json()["test_cases"]))
    return Belongings(
        {
            "repository_id": str(library.repository),
            "document_id": str(library.tools),
            "job_id": str(library.job),
            "prompt_id": prompt,
            "number": "1",
            "thread_id": chat["thread_id"],
            "turn_id": str(chat["turn_id"]),
            "trace_id": chat["trace_id"],
            "experiment_id": run,
            "experiment_uuid": run,
            "dataset_id": str(dataset),
            "test_case_id": case,
            "identifier": name,
            "vendor": "langchain",
            "model": "footnote/extractive",
        }
    )


@pytest.fixture(scope="module")
def operations(api: httpx2.Client) -> list[tuple[str, str]]:
    paths = api.get("/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, item in paths.items() for method in item]


def form(path: str) -> dict[str, Any]:
    """The body that a path takes."""
    if path == "/v1/repositories/{repository_id}/documents":
        return {"files": {"file": ("x.txt", b"x")}}
    return {"json": BODIES[path]} if path in BODIES else {}


class TestAKeyThatMayOnlyRead:
    def test_changes_nothing(
        self,
        service: RunningService,
        reader: httpx2.Client,
        mine: Belongings,
        operations: list[tuple[str, str]],
    ) -> None:
        before, tried = holdings(service), 0
        for method, path in operations:
            if method != "GET" and path not in READS:
                answer = reader.request(method, mine.fill(path), headers={"x-user-id": "owner"}, **form(path))
                assert answer.status_code == 403, f"{method} {path}: {answer.status_code} {answer.text[:200]}"
                assert "write" in answer.text
                tried += 1
        assert tried >= 20
        assert holdings(service) == before

    def test_puts_no_trace_in_the_place_of_anothers(
        self, api: httpx2.Client, reader: httpx2.Client, mine: Belongings, model_server: OpenAIServer
    ) -> None:
        model_server.clear()
        theirs = mine.ids["trace_id"]
        kept = api.get(f"/v1/traces/{theirs}").json()
        taken = reader.post(parea.COMPLETION, json=parea.body(trace_id=theirs))
        assert "trace_id" in parea.fault(taken, 403)
        assert api.get(f"/v1/traces/{theirs}").json() == kept
        own = str(uuid.uuid4())
        for words in ("First.", "And again, for the client sends it twice."):
            model_server.script(say(words))
            answer = reader.post(parea.COMPLETION, json=parea.body(trace_id=own, repositories={"ids": []}))
            assert answer.json()["content"] == words


class TestAKeyOfAnotherProject:
    def test_finds_nothing(
        self, service: RunningService, stranger: httpx2.Client, mine: Belongings, operations: list[tuple[str, str]]
    ) -> None:
        public = {"model", "vendor"}  # names of what everybody has
        before, tried = holdings(service), 0
        for method, path in operations:
            names = set(re.findall(r"\{(\w+)\}", path))
            if not names or names & public:
                continue
            answer = stranger.request(method, mine.fill(path), headers={"x-user-id": "owner"}, **form(path))
            if path.endswith("/collection/{identifier}"):
                assert (answer.status_code, answer.json()) == (200, None)  # as its SDK reads what is not there
            else:
                assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text[:200]}"
            tried += 1
        assert tried >= 25
        assert holdings(service) == before

    def test_shares_ids_of_traces_with_nobody(
        self, api: httpx2.Client, stranger: httpx2.Client, mine: Belongings, model_server: OpenAIServer
    ) -> None:
        """A trace's id is the caller's to choose: the same one twice is two traces, each in its own project."""
        model_server.clear()
        theirs = mine.ids["trace_id"]
        kept = api.get(f"/v1/traces/{theirs}").json()
        model_server.script(say("A stranger's."))
        body = parea.body(trace_id=theirs, repositories={"ids": []})
        assert stranger.post(parea.COMPLETION, json=body).json()["inference_id"] == theirs
        score = {"trace_id": theirs, "score": 0.0, "comment": "a stranger's"}
        assert stranger.post(f"{parea.BASE}/feedback", json=score).status_code == 200
        stranger.post(f"{parea.BASE}/trace_log", json=parea.log("below", parent_trace_id=theirs, root_trace_id=theirs))
        assert api.get(f"/v1/traces/{theirs}").json() == kept
        assert "below" not in api.get(f"{parea.BASE}/trace_log/{theirs}").text

    def test_gets_no_answer_from_anothers_cache(
        self, api: httpx2.Client, stranger: httpx2.Client, model_server: OpenAIServer
    ) -> None:
        model_server.clear()
        body = parea.body(f"What is our secret? {uuid.uuid4()}", repositories={"ids": []}) | {"cache": True}
        model_server.script(say("It is mine."), say("It is theirs."))
        assert api.post(parea.COMPLETION, json=body).json()["content"] == "It is mine."
        answer = stranger.post(parea.COMPLETION, json=body).json()
        assert (answer["content"], answer["cache_hit"]) == ("It is theirs.", False)


class TestHeadersAndStreams:
    @pytest.mark.parametrize("name", ["trace_id", "inference_id"])
    @pytest.mark.parametrize("end", ["\r\nset-cookie: a=b", "\n\ndata: x", "\x00", " ", "\u2028", "\u00e9"])
    def test_an_id_begins_no_header_and_no_event(self, api: httpx2.Client, name: str, end: str) -> None:
        for path in ("completion", "completion/stream"):
            answer = api.post(f"{parea.BASE}/{path}", json=parea.body(**{name: f"x{end}"}))
            parea.fault(answer, 422, name)
            assert "set-cookie" not in answer.headers
        assert api.post(f"{parea.BASE}/trace_log", json=parea.log(f"x{end}")).status_code == 422

    def test_a_callers_own_request_id_is_not_repeated(self, api: httpx2.Client) -> None:
        answer = api.get("/v1/project", headers={"x-request-id": "x" * 1000})
        uuid.UUID(answer.headers["x-request-id"])

    def test_a_prompt_ends_no_line_of_its_stream(self, api: httpx2.Client) -> None:
        """Python's clients of event streams end a line at each of these."""
        text = "one \u2028 two \u2029 three \u0085 four \n\ndata: five"
        made = api.post("/v1/prompts", json={"name": "lines", "messages": [{"content": text}]}).json()["prompt_id"]
        with api.stream("GET", "/v1/prompt/stream", params={"projectId": made}) as answer:
            line = next(answer.iter_text()).splitlines()[0]
        assert json.loads(line.removeprefix("data: "))["prompt"] == text
        api.delete(f"/v1/prompts/{made}")

    def test_a_path_that_takes_other_methods_says_which(self, nobody: httpx2.Client) -> None:
        for path, methods in (("/v1/repositories", "GET, POST"), ("/v1/threads/x", "GET, DELETE"), ("/docs", "GET")):
            answer = nobody.put(path)
            assert (answer.status_code, answer.headers["allow"]) == (405, methods)
        assert nobody.put("/static/page.css").headers["allow"] == "GET, HEAD"


class TestSecrets:
    @pytest.mark.parametrize("path", ["completion", "completion/stream"])
    def test_a_providers_key_is_nowhere(
        self, service: RunningService, api: httpx2.Client, model_server: OpenAIServer, path: str
    ) -> None:
        secret = f"sk-{uuid.uuid4()}"
        replies = (refuse(401, f"Incorrect API key provided: {secret}"), refuse(500, f"boom {secret}"), say("Fine."))
        for reply in replies:
            model_server.clear()
            model_server.script(reply)
            body = parea.body(provider_api_key=secret, repositories={"ids": []})
            answer = api.post(f"{parea.BASE}/{path}", json=body)
            assert model_server.requests[-1].headers["authorization"] == f"Bearer {secret}"
            assert secret not in answer.text
            assert secret not in json.dumps(dict(answer.headers))
        for file in service.settings.data_dir.glob("*.sqlite*"):
            assert secret.encode() not in file.read_bytes()


class TestOneReaderOfJson:
    @pytest.mark.parametrize(
        "content",
        ['{"x": NaN}', '{"x": "\\ud800"}', '{"x": ' + "[" * 150 + "]" * 150 + "}"],
        ids=["NaN", "half", "deep"],
    )
    def test_on_every_route(
        self, api: httpx2.Client, mine: Belongings, operations: list[tuple[str, str]], content: str
    ) -> None:
        """What could be kept, and would then break every page that lists it, is refused wherever it is sent."""
        headers = {"x-user-id": "owner", "content-type": "application/json"}
        tried = 0
        for method, path in operations:
            if (path in BODIES or path in READS) and method in ("POST", "PUT", "PATCH"):
                answer = api.request(method, mine.fill(path), content=content, headers=headers)
                assert answer.status_code in (400, 422), f"{method} {path}: {answer.status_code} {answer.text[:200]}"
                assert "JSON" in answer.text or "nested" in answer.text, f"{method} {path}: {answer.text[:200]}"
                tried += 1
        assert tried >= 35


class TestSmallRequestsForMuch:
    """What a short request may cost is bounded."""

    def test_placeholders(self, api: httpx2.Client) -> None:
        value = "x" * 60_000
        template = api.post("/v1/templates", json={"name": "t", "content": "${a}" * 100}).json()["id"]
        message = {"role": "user", "template_id": template, "params": {"a": value}}
        answer = api.post("/v1/chat/completions", json={"project_id": 1, "messages": [message]})
        assert (answer.status_code, "placeholders" in answer.json()["message"]) == (400, True)
        answer = api.post(parea.COMPLETION, json=parea.body("{{a}}" * 100, llm_inputs={"a": value}))
        assert "placeholders" in parea.fault(answer, 422, "llm_configuration", "messages")
        deployed = {"deployment_id": template, "llm_inputs": {}}
        assert api.post(f"{parea.BASE}/deployed-prompt", json=deployed).status_code == 200
        api.delete(f"/v1/prompts/{template}")

    def test_lists(self, api: httpx2.Client) -> None:
        many = list(range(1, 1002))
        assert api.post("/v1/retrieve", json={"query": "x", "repositories": {"ids": many}}).status_code == 400
        assert api.patch("/v1/project", json={"repository_ids": many}).status_code == 400
        lists: dict[str, Any] = {"fallback_strategy": ["openai/x"] * 11, "eval_metric_ids": [1] * 101}
        for field, value in lists.items():
            parea.fault(api.post(parea.COMPLETION, json=parea.body() | {field: value}), 422, field)

    def test_what_is_kept_can_be_shown(self, api: httpx2.Client) -> None:
        """Numbers and times at the edge of what is taken: whatever was kept, every page that lists it works."""
        fields: list[dict[str, Any]] = [
            {"latency": 1e10, "start_timestamp": "8999-12-31T23:59:59+00:00", "cost": 1e15},
            {"start_timestamp": "0001-01-01T00:00:00+00:00", "end_timestamp": "8999-01-01T00:00:00+00:00"},
            {"scores": [{"name": "x", "score": -1e15}, {"name": "y", "score": 1e15}], "metadata": {"a": 1e300}},
        ]
        ids = [str(uuid.uuid4()) for _ in fields]
        for trace_id, more in zip(ids, fields, strict=True):
            assert api.post(f"{parea.BASE}/trace_log", json=parea.log(trace_id, **more)).status_code == 200
            for path in ("/v1/traces", f"/v1/traces/{trace_id}", f"{parea.BASE}/trace_log/{trace_id}"):
                assert api.get(path).status_code == 200, (path, more)
        refused: list[dict[str, Any]] = [
            {"latency": 1e11},
            {"cost": 1e16},
            {"start_timestamp": "0001-01-01T00:00:00+14:00"},
            {"start_timestamp": "9999-12-31T23:59:59+00:00"},
        ]
        for more in refused:
            answer = api.post(f"{parea.BASE}/trace_log", json=parea.log(str(uuid.uuid4()), **more))
            parea.fault(answer, 422, next(iter(more)))
        due = 'mutation { createTodo(data: {title: "x", dueDate: "0001-01-01T00:00:00+14:00"}) { id } }'
        (error,) = api.post("/graphql", json={"query": due}).json()["errors"]
        assert error["extensions"]["field"] == "dueDate"
