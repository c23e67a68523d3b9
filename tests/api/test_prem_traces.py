"""Prem's list of traces, one trace, feedback, and what Footnote does not offer."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.library import QUESTION, Library, make_key, make_project
from tests.api.refusals import assert_error, assert_hidden, assert_needs_key
from tests.doubles.service import RunningService

LIST = "/v1/traces/"
FEEDBACK = "/v1/set_trace_feedback"
TODAY = datetime.datetime.now(datetime.UTC).date()
YESTERDAY, TOMORROW = (TODAY + datetime.timedelta(days) for days in (-1, 1))


@pytest.fixture(scope="module")
def project(service: RunningService) -> int:
    """A project of this file's own."""
    return make_project(service, "Traced")


@pytest.fixture(scope="module")
def mine(service: RunningService, project: int) -> Iterator[httpx2.Client]:
    with service.client(make_key(service, project)) as client:
        client.post("/v1/repositories", json={"name": "Empty"})
        yield client


@pytest.fixture(scope="module")
def two(mine: httpx2.Client, project: int) -> tuple[str, str]:
    """The trace ids of two questions, older and newer."""
    older, newer = (ask(mine, project, each) for each in ("Why is GLASS brittle?", "Is 100% of it_ sand?"))
    return older, newer


def ask(client: httpx2.Client, project: int, question: str, **more: Any) -> str:
    body = {"project_id": project, "messages": [{"role": "user", "content": question}], **more}
    trace: str = client.post("/v1/chat/completions", json=body).json()["trace_id"]
    return trace


def ids(client: httpx2.Client, **params: Any) -> list[str]:
    answer = client.get(LIST, params=params)
    assert answer.status_code == 200, answer.text
    return [trace["trace_id"] for trace in answer.json()]


class TestList:
    def test_needs_a_key(self, nobody: httpx2.Client) -> None:
        assert_needs_key(nobody, "GET", LIST)

    def test_shape(self, mine: httpx2.Client, project: int, two: tuple[str, str]) -> None:
        shown = {trace["trace_id"]: trace for trace in mine.get(LIST).json()}
        model = next(each for each in mine.get("/v1/models/").json() if each["name"] == "footnote/extractive")
        refusal = shown[two[0]]["messages"].pop()
        assert refusal["role"] == "assistant"
        assert shown[two[0]] == {
            "trace_id": two[0],
            "project_id": project,
            "model_id": model["id"],
            "feedback": None,
            "messages": [{"role": "user", "content": "Why is GLASS brittle?"}],
        }

    @pytest.mark.parametrize(
        ("params", "found"),
        [
            ({}, (1, 0)),
            ({"sort": "-created_at"}, (1, 0)),
            ({"sort": "created_at"}, (0, 1)),
            ({"search": "glass"}, (0,)),
            ({"search": "100% of it_"}, (1,)),
            ({"search": "0%of"}, ()),
            ({"search": "_"}, (1,)),
            ({"date_filter": "last_hour"}, (1, 0)),
            ({"date_filter": "last_year", "search": "GLASS"}, (0,)),
            ({"from_date": str(YESTERDAY)}, (1, 0)),
            ({"from_date": f"{TOMORROW}T12:00:00Z"}, ()),
            ({"to_date": str(TOMORROW)}, (1, 0)),
            ({"to_date": f"{YESTERDAY}T00:00:00+00:00"}, ()),
            ({"from_date": "0001-01-01", "to_date": "9999-12-31"}, (1, 0)),
            ({"admin_filter": "ADMIN_ONLY"}, ()),
            ({"project_id": "", "search": ""}, (1, 0)),
        ],
    )
    def test_filters(
        self, mine: httpx2.Client, two: tuple[str, str], params: dict[str, str], found: tuple[int, ...]
    ) -> None:
        assert ids(mine, **params) == [two[each] for each in found]

    def test_parameters_as_premai_0_3_107_mixes_them_up(
        self, api: httpx2.Client, mine: httpx2.Client, project: int, two: tuple[str, str]
    ) -> None:
        assert ids(mine, from_date=project) == [two[1], two[0]]
        assert ids(mine, from_date=project, admin_filter="last_day", search="glass") == [two[0]]
        assert ids(mine, from_date=project, project_id="ADMIN_ONLY") == []
        by_admin = ask(api, project, "Who asked?")
        assert ids(mine, from_date=project, project_id="ADMIN_ONLY") == [by_admin]
        assert ids(api, from_date=project)[0] == ids(api, project_id=project)[0] == by_admin

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("date_filter", "last_decade"),
            ("admin_filter", "EVERYONE"),
            ("from_date", "yesterday"),
            ("to_date", "2026-13-01"),
            ("sort", "model"),
            ("project_id", "one"),
            ("project_id", "0"),
            ("project_id", "²"),
        ],
    )
    def test_wrong_values(self, mine: httpx2.Client, name: str, value: str) -> None:
        assert_error(mine.get(LIST, params={name: value}), 400, field=name)

    def test_another_project_is_not_there(self, mine: httpx2.Client, api: httpx2.Client) -> None:
        for number in ("1", "999999", str(2**31), str(2**70)):
            assert_error(mine.get(LIST, params={"project_id": number}), 404)
        assert_error(api.get(LIST, params={"project_id": "999999"}), 404)


class TestOne:
    def test_needs_a_key_and_is_hidden(self, nobody: httpx2.Client, mine: httpx2.Client, api: httpx2.Client) -> None:
        trace = ask(api, 1, "Whose is this?")
        assert_needs_key(nobody, "GET", f"{LIST}{trace}/")
        assert_hidden(mine, "GET", LIST + "{}/", trace)

    def test_it_has_all_that_the_clients_read(self, api: httpx2.Client, library: Library) -> None:
        template = api.post("/v1/templates", json={"name": "t", "content": "Who may borrow the ${tool}?"}).json()["id"]
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "template_id": template, "params": {"tool": "chainsaw"}},
        ]
        where = {"ids": [library.repository], "similarity_threshold": 0.1}
        session = str(uuid.uuid4())
        trace = ask(api, 1, "", messages=messages, repositories=where, session_id=session)
        shown = api.get(f"{LIST}{trace}/").json()
        assert shown["project"]["project_id"] == 1
        assert shown["model"]["name"] == "footnote/extractive"
        assert api.get(f"/v1/models/{shown['model']['id']}/").json() == shown["model"]
        assert shown["session_id"] == session
        said = [(message["role"], message["content"]) for message in shown["messages"]]
        assert said[:2] == [("system", "Be brief."), ("user", QUESTION)]
        assert "safety certificate" in said[2][1]
        assert any("safety certificate" in chunk["content"] for chunk in shown["document_chunks"])
        assert {chunk["document_id"] for chunk in shown["document_chunks"]} <= {library.tools, library.hours}

    def test_a_failure_has_its_model_by_name(self, mine: httpx2.Client, project: int) -> None:
        trace = ask(mine, project, "Hello?", model="nobody/nothing")
        shown = mine.get(f"{LIST}{trace}/").json()
        assert shown["model"]["name"] == "nobody/nothing"
        assert shown["model"]["model_provider"] == "prem"  # the clients know no other
        assert [message["role"] for message in shown["messages"]] == ["user"]


class TestFeedback:
    def test_needs_a_key_and_hides_others_traces(
        self, nobody: httpx2.Client, mine: httpx2.Client, api: httpx2.Client
    ) -> None:
        assert_needs_key(nobody, "POST", FEEDBACK, json={"trace_id": "x", "feedback": None})
        trace = ask(api, 1, "Whose is this?")
        for feedback in (None, {"positive": True}):
            for unknown in (trace, str(uuid.uuid4())):
                body = {"trace_id": unknown, "feedback": feedback}
                assert_error(mine.post(FEEDBACK, json=body), 404, says=unknown, field="trace_id")

    def test_the_newest_thumb_counts_until_it_is_taken_back(self, mine: httpx2.Client, project: int) -> None:
        trace = ask(mine, project, "Was this good?")
        better = [{"role": "user", "content": "Was this good?"}, {"role": "assistant", "content": "Yes."}]

        def kept() -> Any:
            listed = next(each for each in mine.get(LIST).json() if each["trace_id"] == trace)
            assert mine.get(f"{LIST}{trace}/").json()["feedback"] == listed["feedback"]
            return listed["feedback"]

        assert kept() is None
        for positive, messages in ((False, []), (True, better)):
            body = {"trace_id": trace, "feedback": {"positive": positive, "messages": messages}}
            answer = mine.post(FEEDBACK, json=body)
            assert answer.status_code == 200
            assert answer.json() == body
            assert kept() == {"positive": positive, "used_datapoint_messages": False, "messages": messages}
        assert mine.post(FEEDBACK, json={"trace_id": trace, "feedback": {}}).json()["feedback"]["positive"] is False
        taken_back = {"trace_id": trace, "feedback": None}
        assert mine.post(FEEDBACK, json=taken_back).json() == taken_back
        assert kept() is None

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "trace_id"),
            ({"feedback": {"positive": True}}, "trace_id"),
            ({"trace_id": "", "feedback": None}, "trace_id"),
            ({"trace_id": 5, "feedback": None}, "trace_id"),
            ({"trace_id": "x"}, "feedback"),
            ({"trace_id": "x", "feedback": True}, "feedback"),
            ({"trace_id": "x", "feedback": {"positive": "yes"}}, "feedback.positive"),
            (
                {"trace_id": "x", "feedback": {"messages": [{"role": "robot", "content": ""}]}},
                "feedback.messages.0.role",
            ),
        ],
    )
    def test_wrong_values(self, mine: httpx2.Client, body: Any, field: str) -> None:
        assert_error(mine.post(FEEDBACK, json=body), 400, field=field)


class TestAbsent:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "data-points/"),
            ("POST", "data-points/"),
            ("PATCH", "data-points/5/"),
            ("DELETE", "data-points/5/"),
            ("GET", "get_dataset"),
            ("POST", "finetuning"),
            ("GET", "finetuning/abc"),
            ("POST", "create_finetuning_job"),
            ("POST", "finetuning_job_details"),
            ("POST", "finetuned_model_try"),
            ("POST", "delete_finetuning_job"),
            ("POST", "download_finetuned_model"),
            ("POST", "init_page_data"),
        ],
    )
    def test_says_why(self, api: httpx2.Client, nobody: httpx2.Client, method: str, path: str) -> None:
        assert_needs_key(nobody, method, f"/v1/{path}")
        refused = assert_error(api.request(method, f"/v1/{path}"), 404, says="not part of Footnote")
        assert refused["code"] == "ProviderNotFoundError"
