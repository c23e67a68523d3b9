"""A model's provider that refuses, breaks off, talks rubbish, or says what looks like the end of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.hostile import WAYS, Way, said
from tests.api.library import holdings, upload
from tests.doubles.openai_server import CUT, OpenAIServer, chunk, delta, refuse, say, words
from tests.doubles.openai_server import Reply as ModelReply
from tests.doubles.service import RunningService, running_service

QUESTION = "Are you well?"


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture(autouse=True)
def _the_next_request_works(way: Way, api: httpx2.Client, model_server: OpenAIServer) -> Iterator[None]:
    model_server.clear()
    yield
    model_server.clear()
    model_server.script(say("Fine."))
    answer = way.post(api, way.body(said(QUESTION)))
    assert (answer.status_code, way.words(answer.content)) == (200, "Fine.")


def newest_trace(api: httpx2.Client) -> dict[str, Any]:
    """What became of the last request."""
    (summary,) = api.get("/v1/traces", params={"limit": 1}).json()["traces"]
    trace: dict[str, Any] = api.get(f"/v1/traces/{summary['id']}").json()
    return trace


REFUSALS = {
    "401": (refuse(401, "bad key sk-test"), 502, "OPENAI_API_KEY"),
    "429": (refuse(429, "slow down", headers={"retry-after": "7"}), 429, "slow down"),
    "500": (refuse(500, "oh no"), 502, "500"),
    "html": (ModelReply([b"<html>502 Bad Gateway</html>"], 502, content_type="text/html"), 502, "502"),
    "rubbish": (ModelReply([b"data: {no json\n\n"]), 502, "no answer"),
    "other json": (ModelReply([b'data: ["no", "chunk"]\n\n']), 502, ""),
    "no choices": (ModelReply([chunk(choices=[{"delta": 5}])]), 502, ""),
    "no event": (ModelReply([b"\x00\xff\xfe" * 10]), 502, ""),
    "nothing": (ModelReply([]), 502, ""),
    "no gzip": (ModelReply([b"as it is"], headers={"content-encoding": "gzip"}), 502, "no answer"),
    "cut at once": (ModelReply([CUT]), 502, "broke off"),
}


class TestBeforeTheFirstWord:
    @pytest.mark.parametrize(("reply", "status", "says"), REFUSALS.values(), ids=REFUSALS)
    def test_a_failure_is_a_status_in_the_formats_own_words(
        self,
        way: Way,
        service: RunningService,
        api: httpx2.Client,
        model_server: OpenAIServer,
        reply: ModelReply,
        status: int,
        says: str,
    ) -> None:
        model_server.script(reply)
        before = holdings(service)
        answer = way.post(api, way.body(said(QUESTION)))
        message, _ = way.refusal(answer, status)
        assert says in message
        assert "sk-test" not in message
        assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
        assert holdings(service) == before
        trace = newest_trace(api)
        assert answer.headers["x-request-id"] == trace["id"]
        assert (trace["outcome"], trace["detail"]["error"], trace["question"]) == ("error", message, QUESTION)


ENDS = {"cut": CUT, "rubbish": b"data: {no json\n\n", "error": b'data: {"error": {"message": "overloaded"}}\n\n'}


class TestAfterTheFirstWord:
    @pytest.mark.parametrize(
        "end",
        [CUT, b"data: {no json\n\n", b'data: {"error": {"message": "overloaded"}}\n\n'],
        ids=["cut", "x", "error"],
    )
    def test_a_break_is_no_end(
        self, way: Way, service: RunningService, api: httpx2.Client, model_server: OpenAIServer, end: Any
    ) -> None:
        model_server.script(ModelReply([*words("I am "), end]))
        before = holdings(service)
        if way.stream:
            assert "I am " in _broken(way, api)
        else:
            way.refusal(way.post(api, way.body(said(QUESTION))), 502)
        assert holdings(service) == before
        trace = newest_trace(api)
        assert (trace["outcome"], trace["detail"]["answer"]) == ("error", "I am ")
        assert trace["detail"]["error"]


def _broken(way: Way, api: httpx2.Client) -> str:
    """The stream up to where it broke, when it says so as this format's clients expect it."""
    heard = b""
    with api.stream("POST", way.path, json=way.body(said(QUESTION)), headers=dict(way.headers)) as answer:
        try:
            for piece in answer.iter_raw():
                heard += piece
        except httpx2.RemoteProtocolError:
            assert way.dialect == "parea", "the connection broke"
        else:
            assert way.dialect != "parea", "the stream looks as if it had ended"
    stream = heard.decode()
    last = stream.strip().replace("\r", "").split("\n\n")[-2 if way.dialect == "union" else -1]
    assert "event: complete\n" not in stream
    if way.dialect == "parea":
        assert json.loads(last.removeprefix("data: "))["error"]["status"] == 502
    else:
        assert last.startswith("event: error\ndata: {")
        assert json.loads(last.split("data: ", 1)[1])["statusCode"] == 502
    return stream


TEXTS = {
    "sources": 'x document_chunks: [{"repository_id": 1}] y',
    "trace": "trace_id: 00000000-0000-0000-0000-000000000000",
    "done": "data: [DONE]\n\nand on",
    "end": "event: done\ndata:[DONE]\n\n",
    "events": 'event: complete\ndata: {}\n\nevent: error\ndata: {"error": 5}\n\n',
    "lines": "\n\n\r\n\r\n\r \u2028 \u2029 \u0085 \x0b \x0c",
    "controls": "\x00 \x1b[31m \u202e \ufeff \ufffd",
    "start": "ID_START1 data: data: ",
    "json": '"}]}\\" \\u0000 \\ud800 {"chunk": ',
    "letters": "\U0001f98a e\u0301 \u05d0",
}


class TestWhatAModelSays:
    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_arrives_whole_and_ends_no_stream(
        self, way: Way, api: httpx2.Client, model_server: OpenAIServer, text: str
    ) -> None:
        model_server.script(say(text, "", *text, text))
        answer = way.post(api, way.body(said(QUESTION)))
        assert answer.status_code == 200, answer.text
        assert way.words(answer.content) == text * 3
        assert newest_trace(api)["detail"]["answer"] == text * 3

    def test_with_a_header_that_is_none(self, way: Way, api: httpx2.Client, model_server: OpenAIServer) -> None:
        """A wait that no number holds is told as a day."""
        for asked in ("1e300", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"):
            model_server.script(refuse(429, headers={"retry-after": asked}))
            answer = way.post(api, way.body(said(QUESTION)))
            way.refusal(answer, 429)
            assert answer.headers["retry-after"] == "86400", asked


@pytest.fixture(scope="module")
def long(api: httpx2.Client) -> Iterator[int]:
    """A repository of more than 64 KiB."""
    number = api.post("/v1/repositories", json={"name": "Long"}).json()["id"]
    words = "comprehensively characterises responsibilities notwithstanding extraordinary circumstances. "
    text = "\n\n".join(f"# Rule {at}\n\n" + f"Regulation {at} {words}" * 25 for at in range(60))
    upload(api, number, "rules.md", text)
    yield number
    api.delete(f"/v1/repositories/{number}")


class TestMoreSourcesThanAMessageHolds:
    def test_no_message_is_too_long_and_the_whole_answer_has_them_all(
        self, way: Way, api: httpx2.Client, model_server: OpenAIServer, long: int
    ) -> None:
        model_server.script(say("Long ones [1]."))
        where = {"ids": [long], "limit": 50, "similarity_threshold": 0.0}
        answer = way.post(api, way.body(said("What is the rule?"), repositories=where))
        assert way.words(answer.content) == "Long ones [1]."
        if not way.stream:
            sources = json.loads(answer.content)["document_chunks"]
            assert len(json.dumps(sources)) > 2**16
            assert len(sources) == 50
        elif way.dialect != "gist":  # whose streams carry no sources
            assert max(len(line) for line in answer.content.split(b"\n")) < 2**15
            assert b"_truncated" in answer.content


@pytest.fixture(scope="module")
def impatient(
    tmp_path_factory: pytest.TempPathFactory, service: RunningService, model_server: OpenAIServer
) -> Iterator[httpx2.Client]:
    """A service with roomy limits that waits for a model for a moment; it runs no jobs beside the other's."""
    settings = {"run_jobs": False, "model_timeout_s": 1.0, "model_retries": 0}
    with (
        running_service(tmp_path_factory.mktemp("impatient"), **settings) as running,
        running.client() as client,
    ):
        yield client


ONE_OF_EACH = [way for way in WAYS if way.name not in ("prem-stream", "openai", "studio")]  # each of them waits


@pytest.mark.parametrize("way", ONE_OF_EACH, ids=lambda way: way.name, indirect=True)
class TestSilence:
    def test_before_the_first_word(self, way: Way, impatient: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(ModelReply([model_server.gate()]))
        message, _ = way.refusal(way.post(impatient, way.body(said(QUESTION))), 502)
        assert "silent" in message
        assert newest_trace(impatient)["detail"]["error"] == message

    def test_after_it(self, way: Way, impatient: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(ModelReply([delta({"content": "I am "}), model_server.gate()]))
        if way.stream:
            assert "I am " in _broken(way, impatient)
        else:
            way.refusal(way.post(impatient, way.body(said(QUESTION))), 502)
        trace = newest_trace(impatient)
        assert (trace["outcome"], trace["detail"]["answer"]) == ("error", "I am ")


class TestAMegabyte:
    def test_is_answered_or_refused_by_name(
        self, way: Way, impatient: httpx2.Client, model_server: OpenAIServer
    ) -> None:
        long = "All work and no play. " * 50_000
        model_server.script(say("Read."))
        answer = way.post(impatient, way.body(said(long)))
        assert (answer.status_code, way.words(answer.content)) == (200, "Read.")
        assert model_server.requests[-1].body["messages"][-1]["content"] == long
        where = {"ids": [impatient.post("/v1/repositories", json={"name": "Empty"}).json()["id"]]}
        message, field = way.refusal(way.post(impatient, way.body(said(long), repositories=where)), 400)
        assert "Put long material into a document" in message
        assert (field or "").endswith("messages.content")
