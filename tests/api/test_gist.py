"""Gist's routes at the real service: answers, follow-ups, streams, and what belongs to whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.core.types import Scope
from tests.api.gist_users import COMPLETIONS, asked, assert_gist_error, events_of, pointer
from tests.api.library import QUESTION, Library, make_key, upload
from tests.doubles.openai_server import CUT, OpenAIServer, refuse, say
from tests.doubles.service import RunningService

DEPOSIT = "What is the deposit for a pressure washer?"
MODEL = "openai/gpt-test"


@pytest.fixture
def ann(service: RunningService, library: Library) -> Iterator[httpx2.Client]:
    """A user of project 1 that no other test knows."""
    with service.client(headers={"X-User-ID": f"ann-{uuid.uuid4()}"}) as client:
        yield client


@pytest.fixture
def bob(service: RunningService, library: Library) -> Iterator[httpx2.Client]:
    """Another one."""
    with service.client(headers={"X-User-ID": f"bob-{uuid.uuid4()}"}) as client:
        yield client


def ask(client: httpx2.Client, *message: Any, **fields: Any) -> dict[str, Any]:
    response = client.post(COMPLETIONS, json=asked(*message, **fields))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


class TestCompletions:
    @pytest.mark.parametrize("path", [COMPLETIONS, "/gist/v1/chat/completions"])
    def test_a_question_is_answered_from_the_documents(self, ann: httpx2.Client, library: Library, path: str) -> None:
        answer = ann.post(path, json=asked(QUESTION, repositories={"ids": [library.repository]})).json()
        assert "safety certificate" in answer["choices"][0]["message"]["content"]
        assert (answer["turnId"], answer["title"]) == ("1", QUESTION)
        assert answer["choices"][0]["message"]["metadata"] == {"thread_id": answer["threadId"], "turn_id": "1"}
        assert answer["citations"][0]["citationId"] == 1
        assert answer["citations"][0]["quote"] in answer["choices"][0]["message"]["content"]
        assert answer["response_time"] >= 0

    def test_the_stream_has_three_kinds_of_event(self, ann: httpx2.Client) -> None:
        response = ann.post(COMPLETIONS, json=asked(QUESTION, stream=True))
        assert response.headers["content-type"].startswith("text/event-stream")
        (first, metadata), *said, (last, complete) = events_of(response.text)
        assert (first, last, {name for name, _ in said}) == ("metadata", "complete", {"generating"})
        assert metadata.keys() == {"threadId", "turnId", "title"}
        assert complete.keys() == {"response_time"}
        kept = ann.get(f"/v1/chat/response/{metadata['threadId']}/{metadata['turnId']}")
        again = events_of(kept.text)
        assert again[0] == ("metadata", metadata)
        assert "".join(each["content"] for _, each in again[1:-1]) == "".join(each["content"] for _, each in said)

    @pytest.mark.parametrize("turn", [str, int])
    @pytest.mark.parametrize("question_first", [True, False])
    def test_a_follow_up_reaches_the_model_with_what_was_said(
        self, ann: httpx2.Client, model_server: OpenAIServer, turn: type, question_first: bool
    ) -> None:
        model_server.clear()
        model_server.script(say("It is blue."), say("At night it is black."))
        fields = {"model": MODEL, "repositories": {"ids": []}, "temperature": 0.25}
        path = "/gist/v1/chat/completions"
        first = ann.post(path, json=asked("Why is the sky blue?", **fields)).json()
        back = pointer(first)
        back["metadata"]["turn_id"] = turn(back["metadata"]["turn_id"])
        body = asked("And at night?", back, **fields)
        if not question_first:
            body["messages"].reverse()
        second = ann.post(path, json=body).json()
        assert (second["threadId"], second["turnId"]) == (first["threadId"], "2")
        assert second["title"] == "Why is the sky blue?"
        sent = model_server.requests[-1].body
        assert sent["temperature"] == 0.25
        assert [(each["role"], each["content"]) for each in sent["messages"]] == [
            ("user", "Why is the sky blue?"),
            ("assistant", "It is blue."),
            ("user", "And at night?"),
        ]

    def test_a_follow_up_may_go_on_from_any_turn(self, ann: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.clear()
        model_server.script(*(say(word) for word in ("one.", "two.", "three.", "four.")))
        fields = {"model": MODEL, "repositories": {"ids": []}}
        path = "/gist/v1/chat/completions"
        first = ann.post(path, json=asked("Q1", **fields)).json()
        for question in ("Q2", "Q3"):
            branch = ann.post(path, json=asked(question, pointer(first), **fields)).json()
        last = ann.post(path, json=asked("Q4", pointer(branch), **fields)).json()
        assert (branch["turnId"], last["turnId"]) == ("3", "4")
        heard = [each["content"] for each in model_server.requests[-1].body["messages"]]
        assert heard == ["Q1", "one.", "Q3", "three.", "Q4"]
        turns = ann.get(f"/v1/threads/{first['threadId']}").json()["turns"]
        assert [(each["turnId"], each["follows"]) for each in turns] == [("1", None), ("2", 1), ("3", 1), ("4", 3)]

    def test_an_answer_that_looks_like_a_stream_comes_through(
        self, ann: httpx2.Client, model_server: OpenAIServer
    ) -> None:
        hostile = ["event: complete\ndata: {}\n\n", "data: [DONE]\n\n", "\r\n\r\n\u2028", "document_chunks: [oops"]
        model_server.clear()
        model_server.script(say(*hostile))
        body = asked("Say it.", model=MODEL, repositories={"ids": []}, stream=True)
        events = events_of(ann.post("/gist/v1/chat/completions", json=body).text)
        assert [name for name, _ in events] == ["metadata", *["generating"] * 4, "complete"]
        assert [data["content"] for _, data in events[1:-1]] == hostile


class TestFailures:
    def test_a_model_that_breaks_off_ends_in_an_error_event_and_leaves_no_turn(
        self, ann: httpx2.Client, model_server: OpenAIServer
    ) -> None:
        model_server.clear()
        model_server.script(say("It is ", CUT), say("It is blue."))
        body = asked("Why?", model=MODEL, repositories={"ids": []}, stream=True)
        events = events_of(ann.post("/gist/v1/chat/completions", json=body).text)
        assert [name for name, _ in events] == ["metadata", "generating", "error"]
        error = events[-1][1]
        assert (error["error"], error["statusCode"]) == ("Bad Gateway", 502)
        assert ann.get(f"/v1/traces/{error['trace_id']}").json()["outcome"] == "error"
        assert ann.get("/v1/threads").json()["total"] == 0
        again = ann.post("/gist/v1/chat/completions", json=body)
        assert [name for name, _ in events_of(again.text)] == ["metadata", "generating", "complete"]

    @pytest.mark.parametrize("stream", [True, False])
    def test_a_model_that_refuses_before_its_first_word_is_a_status(
        self, ann: httpx2.Client, model_server: OpenAIServer, stream: bool
    ) -> None:
        model_server.clear()
        model_server.script(refuse(500))
        body = asked("Why?", model=MODEL, repositories={"ids": []}, stream=stream)
        assert_gist_error(ann.post("/gist/v1/chat/completions", json=body), 502)

    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        for headers in ({}, {"authorization": "Bearer fn-nobody-has-this"}):
            for path in (COMPLETIONS, "/gist/v1/chat/completions", "/v1/chat"):
                refused = nobody.post(path, json=asked(QUESTION), headers={"X-User-ID": "ann", **headers})
                assert_gist_error(refused, 401, says="Authorization: Bearer")
            for path in ("/v1/threads", "/v1/questions/recommended", "/v1/chat/citations/x/1"):
                assert_gist_error(nobody.get(path, headers={"X-User-ID": "ann", **headers}), 401)

    def test_needs_a_user(self, api: httpx2.Client, library: Library) -> None:
        message = {"role": "assistant", "metadata": {"thread_id": str(uuid.uuid4()), "turn_id": "1"}}
        assert_gist_error(api.post(COMPLETIONS, json=asked(QUESTION, message)), 400, field="X-User-ID")
        assert_gist_error(api.post("/gist/v1/chat/completions", json=asked(QUESTION)), 400, field="X-User-ID")
        assert_gist_error(api.post("/v1/chat", json={"user_prompt": "x"}), 400, field="X-User-ID")
        for path in ("/v1/threads", "/v1/threads/x", "/v1/questions/recommended", "/v1/chat/response/x/1"):
            assert_gist_error(api.get(path), 400, field="X-User-ID")
            assert_gist_error(api.get(path, headers={"X-User-ID": "x" * 201}), 400, field="X-User-ID")

    def test_an_unknown_thread_or_turn_is_not_there(self, ann: httpx2.Client) -> None:
        thread = ask(ann, QUESTION)["threadId"]
        for thread_id, turn in ((str(uuid.uuid4()), "1"), ("x", 1), (thread, "2"), (thread, 0), (thread, 2**31)):
            back = {"role": "assistant", "metadata": {"thread_id": thread_id, "turn_id": turn}}
            assert_gist_error(ann.post(COMPLETIONS, json=asked("And?", back)), 404)
            assert_gist_error(ann.post(COMPLETIONS, json=asked("And?", back, stream=True)), 404)
            for part in ("response", "citations", "attributions"):
                assert_gist_error(ann.get(f"/v1/chat/{part}/{thread_id}/{turn}"), 404)
            related = {"thread_id": thread_id, "turn_id": turn, "question": "And?"}
            assert_gist_error(ann.post("/v1/questions/related", json=related), 404)
        assert_gist_error(ann.get(f"/v1/chat/citations/{thread}/first"), 400, field="turn_id")
        assert_gist_error(ann.post("/v1/chat", json={"user_prompt": "x", "thread_id": "x"}), 404, field="thread_id")

    @pytest.mark.parametrize(
        ("path", "body", "says"),
        [
            (COMPLETIONS, {"messages": []}, "user"),
            (COMPLETIONS, {}, "messages"),
            (COMPLETIONS, {"messages": [{"role": "user", "content": " "}]}, "empty"),
            (COMPLETIONS, asked("x" * 32_001), "32000"),
            (COMPLETIONS, {"messages": [{"role": "user", "content": "x"}] * 501}, "500"),
            (COMPLETIONS, asked("x", temperature=1.5), "temperature"),
            (COMPLETIONS, asked("x", repositories={"ids": [999_999]}), "999999"),
            ("/v1/chat", {}, "user_prompt"),
            ("/v1/chat", {"user_prompt": ""}, "empty"),
            ("/v1/chat", {"user_prompt": 5}, "user_prompt"),
            ("/v1/chat", {"user_prompt": "x", "temperature": 2}, "temperature"),
            ("/v1/chat", {"user_prompt": "x", "inclusion_list": "Library"}, "inclusion_list"),
            ("/v1/chat", {"user_prompt": "x", "inclusion_list": ["Library", "Nowhere"]}, "'Nowhere'"),
            ("/v1/chat", {"user_prompt": "x", "inclusion_list": ["vs_999999"]}, "'vs_999999'"),
            ("/v1/questions/related", {"thread_id": "x", "turn_id": "1"}, "question"),
            ("/v1/questions/related", {"thread_id": "x", "turn_id": [], "question": "x"}, "turn_id"),
            (
                "/v1/questions/related",
                {"thread_id": "x", "turn_id": "1", "question": "x", "num_recommended_queries": 21},
                "20",
            ),
        ],
    )
    def test_what_is_wrong_is_said_by_name(self, ann: httpx2.Client, path: str, body: Any, says: str) -> None:
        response = ann.post(path, json=body)
        assert_gist_error(response, 404 if says == "999999" else 400, says=says)
        assert_gist_error(ann.post("/gist" + path, json=body), response.status_code, says=says)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
    def test_no_json(self, ann: httpx2.Client, content: bytes) -> None:
        for path in ("/gist/v1/chat/completions", "/v1/chat", "/v1/questions/related"):
            assert_gist_error(ann.post(path, content=content), 400)

    @pytest.mark.parametrize(
        "query", ["startAt=-1", "maxResults=0", "maxResults=201", "startAt=x", "startAt=99999999999"]
    )
    def test_pages_that_cannot_be(self, ann: httpx2.Client, query: str) -> None:
        assert_gist_error(ann.get(f"/v1/threads?{query}"), 400, says=query.partition("=")[0])


class TestChat:
    def test_a_prompt_its_citations_and_its_shares(self, ann: httpx2.Client, library: Library) -> None:
        said = {"user_prompt": DEPOSIT, "inclusion_list": [f"vs_{library.repository}"], "temperature": 0.7}
        answer = ann.post("/v1/chat", json=said).json()
        assert (answer["turn_id"], answer["thread_title"]) == (1, DEPOSIT)
        assert "40 pounds" in answer["response"]
        place = f"{answer['thread_id']}/{answer['turn_id']}"
        citations = ann.get(f"/v1/chat/citations/{place}").json()
        assert {str(each["citationId"]): each for each in citations} == answer["citations"]
        for shown in (citations, citations[0]["ranges"]):
            assert ann.post("/v1/citations/verify", json={"citations": shown}).json()["valid"]
        changed = {"citations": [citations[0] | {"quote": "Anybody may."}]}
        assert not ann.post("/v1/citations/verify", json=changed).json()["valid"]
        attributions = ann.get(f"/v1/chat/attributions/{place}").json()
        assert attributions == answer["attributions"]
        for shares in attributions.values():
            assert sum(shares.values()) == 1
        follow_up = ann.post("/gist/v1/chat", json={"thread_id": answer["thread_id"], "user_prompt": QUESTION}).json()
        assert (follow_up["thread_id"], follow_up["turn_id"]) == (answer["thread_id"], 2)

    def test_the_list_restricts_where_is_looked(self, ann: httpx2.Client, api: httpx2.Client, repository: int) -> None:
        upload(api, repository, "deposits.txt", "The deposit for a pressure washer is 99 doubloons.")
        name = api.get(f"/v1/repositories/{repository}").json()["name"]
        for named in (str(repository), f"vs_{repository}"):
            answer = ann.post("/v1/chat", json={"user_prompt": DEPOSIT, "inclusion_list": [named]}).json()
            assert {each["repository_id"] for each in answer["citations"].values()} == {repository}, named
        assert ann.post("/v1/chat", json={"user_prompt": DEPOSIT, "inclusion_list": [name]}).status_code == 200
        assert ann.post("/v1/chat", json={"user_prompt": DEPOSIT, "inclusion_list": []}).status_code == 200

    def test_what_a_document_says_of_itself_is_in_its_citations(
        self, ann: httpx2.Client, api: httpx2.Client, repository: int
    ) -> None:
        known = '{"url": "https://news.example/boats", "title": "Boats", "date": "2024-05-01", "publisher": "The News"}'
        upload(api, repository, "boats.txt", "The ferry to the island leaves at noon.", data={"attributes": known})
        answer = ask(ann, "When does the ferry to the island leave?", repositories={"ids": [repository]})
        (cited,) = answer["citations"]
        assert (cited["url"], cited["title"], cited["date"]) == ("https://news.example/boats", "Boats", "2024-05-01")
        assert (cited["source"], cited["domain"]) == ("The News", "news.example")
        place = f"{answer['threadId']}/{answer['turnId']}"
        assert ann.get(f"/v1/chat/citations/{place}").json() == answer["citations"]
        assert ann.get(f"/v1/chat/attributions/{place}").json()["domain_credit_dist"] == {"news.example": 1}

    def test_a_refusal_cites_nothing_and_owes_nobody(self, ann: httpx2.Client) -> None:
        answer = ann.post("/v1/chat", json={"user_prompt": "Quo vadis, Ulaanbaatar?"}).json()
        assert answer["refused"]
        assert answer["citations"] == {}
        assert set(map(str, answer["attributions"].values())) == {"{}"}


class TestThreads:
    def test_are_listed_read_and_deleted(self, ann: httpx2.Client, service: RunningService) -> None:
        first = ask(ann, QUESTION)
        second = ask(ann, DEPOSIT)
        ask(ann, "When does the library open?", pointer(first))
        page = ann.get("/v1/threads", params={"startAt": 0, "maxResults": 1}).json()
        assert (page["total"], [each["threadId"] for each in page["threads"]]) == (2, [first["threadId"]])
        assert [each["userPrompt"] for each in page["threads"][0]["turns"]] == [QUESTION, "When does the library open?"]
        rest = ann.get("/gist/v1/threads", params={"startAt": 1}).json()["threads"]
        assert [each["threadId"] for each in rest] == [second["threadId"]]
        whole = ann.get(f"/v1/threads/{first['threadId']}").json()
        assert whole["threadTitle"] == QUESTION
        assert whole["turns"][0]["citations"] == first["citations"]
        assert whole["turns"][0]["responseTime"] >= 0
        assert sum(whole["turns"][0]["attributions"]["credit_dist"].values()) == 1

        gone = ann.delete(f"/v1/threads/{first['threadId']}")
        assert (gone.status_code, gone.content) == (204, b"")
        assert ann.get("/v1/threads").json()["total"] == 1
        assert_gist_error(ann.get(f"/v1/threads/{first['threadId']}"), 404)
        assert_gist_error(ann.delete(f"/v1/threads/{first['threadId']}"), 404)
        assert ann.get(f"/v1/traces/{first['trace_id']}").status_code == 404
        assert ann.get(f"/v1/traces/{second['trace_id']}").status_code == 200

    def test_are_their_users_alone(self, ann: httpx2.Client, bob: httpx2.Client, stranger: httpx2.Client) -> None:
        thread = ask(ann, QUESTION)["threadId"]
        ann_elsewhere = {"X-User-ID": ann.headers["X-User-ID"]}
        back = {"role": "assistant", "metadata": {"thread_id": thread, "turn_id": "1"}}
        for client, headers in ((bob, {}), (stranger, ann_elsewhere)):
            assert client.get("/v1/threads", headers=headers).json() == {"threads": [], "total": 0}
            for path in (f"/v1/threads/{thread}", f"/v1/chat/response/{thread}/1", f"/v1/chat/citations/{thread}/1"):
                assert_gist_error(client.get(path, headers=headers), 404)
            assert_gist_error(client.delete(f"/v1/threads/{thread}", headers=headers), 404)
            assert_gist_error(client.post(COMPLETIONS, json=asked("And?", back), headers=headers), 404)
        assert ann.get("/v1/threads").json()["total"] == 1

    def test_a_key_that_may_only_read_deletes_nothing(self, service: RunningService, library: Library) -> None:
        with service.client(make_key(service, 1, Scope.READ), {"X-User-ID": f"eve-{uuid.uuid4()}"}) as reader:
            thread = ask(reader, QUESTION)["threadId"]
            assert_gist_error(reader.delete(f"/v1/threads/{thread}"), 403, says="write")
            assert reader.get(f"/v1/threads/{thread}").status_code == 200


class TestQuestions:
    def test_to_begin_and_to_go_on_with(self, ann: httpx2.Client) -> None:
        shown = ann.get("/v1/questions/recommended", params={"count": 3}).json()["questions"]["recommended_queries"]
        assert (len(shown["questions"]), shown["related_or_synthetic"], shown["source"]) == (3, "related", "content")
        for question in shown["questions"]:
            assert not ask(ann, question)["refused"], question
        first = ask(ann, QUESTION)
        body = {"thread_id": first["threadId"], "turn_id": first["turnId"], "question": QUESTION}
        related = ann.post("/gist/v1/questions/related", json=body | {"max_words_question": 9}).json()
        found = related["questions"]["recommended_queries"]["questions"]
        assert 1 <= len(found) <= 3
        assert QUESTION not in found
        assert all(len(each.split()) <= 9 for each in found)

    def test_no_more_than_may_be(self, ann: httpx2.Client) -> None:
        assert_gist_error(ann.get("/v1/questions/recommended?count=21"), 400, says="20", field="count")
        assert_gist_error(ann.get("/v1/questions/recommended?count=0"), 400, says="count")


def test_health_has_gists_shape(nobody: httpx2.Client) -> None:
    answer = nobody.get("/gist/v1/health")
    assert answer.json()["status"] in ("healthy", "unhealthy")
    assert {"status", "timestamp", "uptime", "services"} <= answer.json().keys()
    assert all(each["status"] in ("operational", "failed") for each in answer.json()["services"].values())
    assert all("error" not in each for each in answer.json()["services"].values())
