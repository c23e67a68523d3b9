"""Gist's conversations by requests and sseclient-py, in front of the extractive and of a scripted model."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients import gist_client
from tests.clients.corpus import ANSWER, HOSTILE_ANSWER, HOSTILE_QUESTION, QUESTION
from tests.clients.gist_client import said_in, send, stream
from tests.clients.service_process import Service
from tests.doubles.openai_server import CUT, OpenAIServer, say

pytestmark = pytest.mark.peer
GIST = "/gist/v1/chat/completions"
MODEL: dict[str, Any] = {"model": "openai/gpt-test", "repositories": {"ids": []}}


@pytest.fixture(scope="module", autouse=True)
def ending() -> Iterator[None]:
    yield
    gist_client.PROCESS.close()


@pytest.fixture
def ann() -> str:
    return f"ann-{uuid.uuid4()}"


def asked(question: str, *more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, *more], **fields}


def pointer(thread_id: str, turn_id: str | int) -> dict[str, Any]:
    return {"role": "assistant", "metadata": {"thread_id": thread_id, "turn_id": turn_id}}


@pytest.mark.parametrize("question_first", [True, False])
def test_a_conversation(service: Service, model_server: OpenAIServer, ann: str, question_first: bool) -> None:
    model_server.script(say("It is ", "yellow."), say("It is a dog."))
    events = stream(service, asked("What colour is Sparky?", **MODEL, stream=True), user=ann, path=GIST)
    assert [name for name, _ in events] == ["metadata", "generating", "generating", "complete"]
    place = events[0][1]
    body = asked("And what is it?", pointer(place["threadId"], place["turnId"]), **MODEL)
    if not question_first:
        body["messages"].reverse()
    answer = send(service, body, user=ann, path=GIST)["body"]
    assert (answer["threadId"], answer["turnId"], answer["title"]) == (place["threadId"], "2", place["title"])
    assert [each["content"] for each in model_server.requests[-1].body["messages"]] == [
        "What colour is Sparky?",
        "It is yellow.",
        "And what is it?",
    ]
    again = stream(service, None, user=ann, path=f"/v1/chat/response/{place['threadId']}/1", method="GET")
    assert (again[0], said_in(again)) == (("metadata", place), "It is yellow.")


def test_answers_rest_on_documents(service: Service, repository_id: int, ann: str) -> None:
    answer = send(service, asked(QUESTION, repositories={"ids": [repository_id]}), user=ann)["body"]
    assert ANSWER in answer["choices"][0]["message"]["content"]
    place = f"{answer['threadId']}/{answer['turnId']}"
    assert send(service, user=ann, path=f"/v1/chat/citations/{place}", method="GET")["body"] == answer["citations"]
    shares = send(service, user=ann, path=f"/v1/chat/attributions/{place}", method="GET")["body"]
    assert [sum(each.values()) for each in shares.values()] == [1, 1, 1, 1]


def test_an_answer_that_looks_like_a_stream(service: Service, repository_id: int, ann: str) -> None:
    body = asked(HOSTILE_QUESTION, repositories={"ids": [repository_id]}, stream=True)
    assert HOSTILE_ANSWER in said_in(stream(service, body, user=ann))


def test_look_alikes_of_lines_and_ends(service: Service, model_server: OpenAIServer, ann: str) -> None:
    hostile = ["event: complete\ndata: {}\n\n", "\r\n\r\n", "\u2028\u2029\x85", "\x0b\x0c\x1c", "data: [DONE]"]
    model_server.script(say(*hostile))
    events = stream(service, asked("Say it.", **MODEL, stream=True), user=ann, path=GIST)
    assert [name for name, _ in events] == ["metadata", *["generating"] * len(hostile), "complete"]
    assert said_in(events) == "".join(hostile)


def test_a_model_that_breaks_off(service: Service, model_server: OpenAIServer, ann: str) -> None:
    model_server.script(say("It is ", CUT), say("It is yellow."))
    body = asked("What colour is Sparky?", **MODEL, stream=True)
    broken = stream(service, body, user=ann, path=GIST)
    assert [name for name, _ in broken] == ["metadata", "generating", "error"]
    assert broken[-1][1]["statusCode"] == 502
    assert [name for name, _ in stream(service, body, user=ann, path=GIST)] == ["metadata", "generating", "complete"]


def test_two_users_do_not_share_threads(service: Service, repository_id: int, ann: str) -> None:
    bob = f"bob-{uuid.uuid4()}"
    thread = send(service, asked(QUESTION), user=ann)["body"]["threadId"]
    assert send(service, asked("And?", pointer(thread, "1")), user=bob)["status"] == 404
    assert send(service, user=bob, path=f"/v1/threads/{thread}", method="GET")["status"] == 404
    assert send(service, user=bob, path="/v1/threads", method="GET")["body"]["total"] == 0
    assert send(service, user=ann, path=f"/v1/threads/{thread}", method="DELETE")["status"] == 204
    assert send(service, user=ann, path=f"/v1/threads/{thread}", method="GET")["status"] == 404


def test_refusals(service: Service, repository_id: int, ann: str) -> None:
    cases = [
        (send(service, asked(QUESTION), user=ann, key="fn-nobody-has-this"), 401, "Unauthorized"),
        (send(service, asked(QUESTION), user=None, path=GIST), 400, "Bad Request"),
        (send(service, asked("And?", pointer(str(uuid.uuid4()), 1)), user=ann), 404, "Not Found"),
        (send(service, {"messages": []}, user=ann), 400, "Bad Request"),
        (send(service, asked("x" * 2**20), user=ann), 400, "Bad Request"),
        (send(service, [], user=ann, path="/v1/chat"), 400, "Bad Request"),
    ]
    for answer, status, words in cases:
        assert (answer["status"], answer["body"]["statusCode"], answer["body"]["error"]) == (status, status, words)
        assert answer["body"]["message"]
    assert send(service, asked(QUESTION), user=ann)["status"] == 200
