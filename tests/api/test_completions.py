"""POST /v1/chat/completions, in Prem's and OpenAI's format, whole and streamed."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx2
import pytest

from tests.api.library import QUESTION, Library
from tests.api.refusals import NOT_THERE, assert_error, assert_needs_key
from tests.doubles.openai_server import OpenAIServer, call, finish, say
from tests.doubles.openai_server import Reply as ModelReply

PATH = "/v1/chat/completions"
HEADS: dict[str, dict[str, Any]] = {"prem": {"project_id": 1}, "openai": {"model": "footnote/extractive"}}


def body(dialect: str, library: Library, **more: Any) -> dict[str, Any]:
    """A question that the library answers."""
    return {
        **HEADS[dialect],
        "messages": [{"role": "user", "content": QUESTION}],
        "repositories": {"ids": [library.repository], "limit": 3, "similarity_threshold": 0.1},
        **more,
    }


def chunks_of(stream: str) -> list[dict[str, Any]]:
    """The JSON of every completion event."""
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


@pytest.fixture(params=["prem", "openai"])
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class TestRefusals:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library, dialect: str) -> None:
        assert_needs_key(nobody, "POST", PATH, json=body(dialect, library))

    def test_a_strangers_repository_is_not_there(self, stranger: httpx2.Client, library: Library) -> None:
        def asked(number: int) -> httpx2.Response:
            return stranger.post(PATH, json=body("openai", library, repositories={"ids": [number]}))

        foreign, absent = asked(library.repository), asked(NOT_THERE)
        one, other = (assert_error(each, 404, field="repositories.ids") for each in (foreign, absent))
        for each in (one, other):  # a trace of the stranger's own
            uuid.UUID(each.pop("trace_id"))
        shown = json.dumps(one).replace(f"repository {library.repository} ", "repository # ")
        assert shown == json.dumps(other).replace(f"repository {NOT_THERE} ", "repository # ")

    def test_a_strangers_project_is_not_there(self, stranger: httpx2.Client, library: Library) -> None:
        for project in (1, NOT_THERE, 2**31, 2**63, 2**70):
            response = stranger.post(PATH, json=body("prem", library, project_id=project))
            assert response.status_code in (400, 404), project
        assert_error(stranger.post(PATH, json=body("prem", library)), 404, field="project_id")

    def test_a_template_of_others_is_not_there(
        self, api: httpx2.Client, stranger: httpx2.Client, library: Library
    ) -> None:
        made = stranger.post("/v1/templates", json={"name": "t", "content": "x"}).json()["id"]
        for template in (made, str(uuid.uuid4())):
            messages = [{"role": "user", "template_id": template}]
            assert_error(api.post(PATH, json=body("prem", library, messages=messages)), 404, says=template)

    @pytest.mark.parametrize("model", ["nope", "nobody/nothing", "/", "footnote/nope", "anthropic/claude"])
    def test_an_unknown_model(self, api: httpx2.Client, library: Library, dialect: str, model: str) -> None:
        answer = assert_error(api.post(PATH, json=body(dialect, library, model=model)), 404)
        assert answer["error"]["code"] == "model_not_found"

    @pytest.mark.parametrize(
        ("more", "says"),
        [
            ({"messages": []}, "messages"),
            ({"messages": None}, "messages"),
            ({"messages": "hello"}, "messages"),
            ({"messages": [{}]}, "messages"),
            ({"messages": [{"role": "robot", "content": "x"}]}, "role"),
            ({"messages": [{"role": "system", "content": "x"}]}, "user"),
            ({"messages": [{"role": "user", "content": "  "}]}, "empty"),
            ({"messages": [{"role": "user", "content": 5}]}, "content"),
            ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "image_url"),
            ({"messages": [{"role": "user", "content": "x" * 32_001}]}, "32000"),
            ({"messages": [{"role": "user", "content": "x"}] * 501}, "500"),
            ({"repositories": []}, "repositories"),
            ({"repositories": {"ids": ["a"]}}, "repositories.ids"),
            ({"repositories": {"ids": [1], "limit": 0}}, "limit"),
            ({"repositories": {"ids": [1], "limit": 51}}, "50"),
            ({"repositories": {"ids": [1], "similarity_threshold": 1.5}}, "similarity_threshold"),
            ({"repositories": {"ids": [1], "similarity_threshold": -1}}, "similarity_threshold"),
            ({"temperature": 2.5}, "temperature"),
            ({"stream": "maybe"}, "stream"),
            ({"stop": 5}, "stop"),
            ({"tools": [5]}, "tools"),
            ({"session_id": "x" * 201}, "session_id"),
            ({"user": "x" * 201}, "user"),
        ],
    )
    def test_wrong_shapes(self, api: httpx2.Client, library: Library, dialect: str, more: Any, says: str) -> None:
        assert_error(api.post(PATH, json=body(dialect, library, **more)), 400, says=says)

    def test_fields_of_openai(self, api: httpx2.Client, library: Library) -> None:
        assert_error(api.post(PATH, json=body("openai", library, n=9)), 400, says="At most 8", field="n")
        assert_error(api.post(PATH, json=body("openai", library, logprobs=True)), 400, field="logprobs")
        assert_error(api.post(PATH, json=body("openai", library, stream_options=[1])), 400, field="stream_options")

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5_000, b"{}", b'{"model": 5}'])
    def test_no_request(self, api: httpx2.Client, content: bytes) -> None:
        assert_error(api.post(PATH, content=content), 400)

    def test_a_request_over_the_limit(self, api: httpx2.Client, library: Library) -> None:
        messages = [{"role": "user", "content": "x" * 70_000}]
        whole = json.dumps(body("prem", library, messages=messages)).encode()
        pieces = (whole[at : at + 10_000] for at in range(0, len(whole), 10_000))  # sent without a Content-Length
        for content in (whole, pieces):
            assert_error(api.post(PATH, content=content), 413, says="FOOTNOTE_MAX_REQUEST_BYTES")


class TestWhole:
    def test_prem(self, api: httpx2.Client, library: Library) -> None:
        answer = api.post(PATH, json=body("prem", library)).json()
        assert answer["provider_id"] == answer["provider_name"] == "footnote"
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert "safety certificate" in answer["choices"][0]["message"]["content"]
        assert answer["usage"]["total_tokens"] > 0
        assert answer["id"] == f"chatcmpl-{answer['trace_id']}"

    def test_openai(self, api: httpx2.Client, library: Library) -> None:
        answer = api.post(PATH, json=body("openai", library)).json()
        assert answer["object"] == "chat.completion"
        assert answer["choices"][0]["message"]["role"] == "assistant"
        assert "safety certificate" in answer["choices"][0]["message"]["content"]

    def test_citations_are_slices_of_answer_and_document(
        self, api: httpx2.Client, library: Library, dialect: str
    ) -> None:
        answer = api.post(PATH, json=body(dialect, library)).json()
        said = answer["choices"][0]["message"]["content"]
        assert answer["citations"]
        for citation in answer["citations"]:
            text = api.get(f"/v1/documents/{citation['document_id']}/text").text
            assert text[citation["start"] : citation["end"]] == citation["quote"]
            assert citation["quote"] in said[citation["answer_start"] : citation["answer_end"]]
            chunk = answer["document_chunks"][citation["marker"] - 1]
            assert (chunk["marker"], chunk["cited"]) == (citation["marker"], True)
            assert f"[{citation['marker']}]" in said

    def test_nothing_similar_calls_no_model(
        self, api: httpx2.Client, library: Library, dialect: str, model_server: OpenAIServer
    ) -> None:
        asked = len(model_server.requests)
        repositories = {"ids": [library.repository], "similarity_threshold": 1}
        answer = api.post(PATH, json=body(dialect, library, model="openai/any", repositories=repositories)).json()
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert "I found nothing" in answer["choices"][0]["message"]["content"]
        assert (answer["document_chunks"], answer["citations"], answer["refused"]) == ([], [], True)
        assert answer["retrieval"]["considered"] == answer["retrieval"]["below_threshold"] > 0
        assert answer["retrieval"]["best_score"] < 1
        assert len(model_server.requests) == asked

    def test_a_template(self, api: httpx2.Client, library: Library) -> None:
        template = api.post("/v1/templates", json={"name": "t", "content": "Who may borrow the ${thing}?"}).json()["id"]
        messages = [{"role": "user", "template_id": template, "params": {"thing": "chainsaw"}}]
        answer = api.post(PATH, json=body("prem", library, messages=messages)).json()
        assert "safety certificate" in answer["choices"][0]["message"]["content"]
        assert api.get(f"/v1/traces/{answer['trace_id']}").json()["question"] == QUESTION

    def test_a_session_remembers(self, api: httpx2.Client, library: Library, model_server: OpenAIServer) -> None:
        session = str(uuid.uuid4())
        for number, words in enumerate(("First answer [1].", "Second answer [1].")):
            model_server.script(say(words))
            more = {"model": "openai/any", "session_id": session, "system_prompt": f"Rule {number}."}
            assert api.post(PATH, json=body("prem", library, **more)).status_code == 200
        seen = model_server.requests[-1].body["messages"]
        assert "Rule 1." in seen[0]["content"]
        assert [message["content"] for message in seen if message["role"] == "assistant"] == ["First answer [1]."]

    def test_the_model_sees_what_the_user_sees(
        self, api: httpx2.Client, library: Library, model_server: OpenAIServer, dialect: str
    ) -> None:
        model_server.script(say("Members with a safety certificate [1], and nobody else [9]."))
        answer = api.post(PATH, json=body(dialect, library, model="openai/any")).json()
        prompt = json.dumps(model_server.requests[-1].body["messages"], ensure_ascii=False)
        for chunk in answer["document_chunks"]:
            assert json.dumps(chunk["content"], ensure_ascii=False)[1:-1] in prompt
        verdicts = {citation["marker"]: citation["verdict"] for citation in answer["citations"]}
        assert verdicts[9] == "fabricated"
        assert verdicts[1] != "fabricated"

    def test_tools_pass_through(self, api: httpx2.Client, library: Library, model_server: OpenAIServer) -> None:
        tools = [{"type": "function", "function": {"name": "lend", "parameters": {"type": "object"}}}]
        for dialect, arguments in (("prem", {"thing": "saw"}), ("openai", '{"thing": "saw"}')):
            calls = call(0, "call_1", "lend", ['{"thing"', ': "saw"}'])
            model_server.script(ModelReply([*calls, finish("tool_calls"), b"data: [DONE]\n\n"]))
            answer = api.post(PATH, json=body(dialect, library, model="openai/any", tools=tools)).json()
            choice = answer["choices"][0]
            assert choice["finish_reason"] == "tool_calls"
            assert choice["message"]["tool_calls"][0]["function"] == {"name": "lend", "arguments": arguments}
            assert model_server.requests[-1].body["tools"] == tools


class TestStreamed:
    def test_says_what_the_whole_one_says(self, api: httpx2.Client, library: Library, dialect: str) -> None:
        whole = api.post(PATH, json=body(dialect, library)).json()
        with api.stream("POST", PATH, json=body(dialect, library, stream=True)) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            stream = answer.read().decode()
        chunks = chunks_of(stream)
        said = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks if chunk["choices"])
        assert said == whole["choices"][0]["message"]["content"]
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert chunks[-1]["usage"] == whole["usage"]
        assert chunks[-1]["document_chunks"] == whole["document_chunks"]
        assert chunks[-1]["citations"] == whole["citations"]
        assert len({chunk["id"] for chunk in chunks}) == 1

    def test_the_end(self, api: httpx2.Client, library: Library, dialect: str) -> None:
        stream = api.post(PATH, json=body(dialect, library, stream=True)).text
        last = stream.rstrip("\n").split("\n\n")[-1].split("\n")
        assert last[:2] == ["event: done", "data:[DONE]"]
        fields = dict(line.split(": ", 1) for line in last[2:])
        uuid.UUID(fields["trace_id"])
        assert json.loads(fields["document_chunks"])[0]["repository_id"] == library.repository
        assert stream.endswith("\n\n")

    def test_usage_on_request(self, api: httpx2.Client, library: Library) -> None:
        request = body("openai", library, stream=True, stream_options={"include_usage": True})
        chunks = chunks_of(api.post(PATH, json=request).text)
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"]["total_tokens"] > 0

    def test_an_error_before_the_first_word_is_a_status(self, api: httpx2.Client, library: Library) -> None:
        request = body("openai", library, stream=True, repositories={"ids": [NOT_THERE]})
        assert_error(api.post(PATH, json=request), 404)
