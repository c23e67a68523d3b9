"""From a refused question to a todo, and from a new document to its completion, through the routes alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.api.graphql_client import data
from tests.api.library import upload

PATIENCE_S = 30.0
GAPS = """query ($completed: Boolean) { todos(completed: $completed, order: MOST_ASKED, first: 500) {
  id title completed completedAt answeredBy cause question asked repositoryIds nearMisses { documentId score content }
} }"""
QUESTION = "What does the zeppelin permit cost?"
PARAPHRASE = "What does the zeppelin permit cost please?"
ANSWER = "# Permits\n\nThe zeppelin permit does cost 90 pounds a year.\n"


def until(found: Callable[[], Any]) -> Any:
    """What is found once there is something: noting and completing happen behind the answers."""
    deadline = time.monotonic() + PATIENCE_S
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not happen"
    return result


def ask(client: httpx2.Client, repository: int, question: str, **more: Any) -> dict[str, Any]:
    body = {
        "project_id": 1,
        "messages": [{"role": "user", "content": question}],
        "repositories": {"ids": [repository], "similarity_threshold": 0.6},
        **more,
    }
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def gaps(client: httpx2.Client, repository: int, completed: bool | None = None) -> list[dict[str, Any]]:
    found = data(client, GAPS, completed=completed)["todos"]
    return [todo for todo in found if todo["repositoryIds"] == [repository]]


@pytest.fixture
def handbook(api: httpx2.Client) -> Iterator[int]:
    """A repository that answers nothing about zeppelins."""
    number = api.post("/v1/repositories", json={"name": "Handbook"}).json()["id"]
    upload(api, number, "hours.txt", "The library opens at nine on weekdays.")
    yield number
    api.delete(f"/v1/repositories/{number}")


def test_a_refused_question_becomes_a_todo_that_new_text_completes(api: httpx2.Client, handbook: int) -> None:
    ask(api, handbook, QUESTION)
    [gap] = until(lambda: gaps(api, handbook))
    assert gap["title"] == f"Nothing in *Handbook* answers: {QUESTION}"
    assert (gap["cause"], gap["question"], gap["asked"], gap["completed"]) == ("REFUSED", QUESTION, 1, False)
    assert [miss["content"] for miss in gap["nearMisses"]] == ["The library opens at nine on weekdays."]
    assert all(miss["score"] < 0.6 for miss in gap["nearMisses"])

    ask(api, handbook, PARAPHRASE)
    [folded] = until(lambda: [each for each in gaps(api, handbook) if each["asked"] == 2])
    assert folded["id"] == gap["id"]

    document = upload(api, handbook, "permits.md", ANSWER)["id"]
    [done] = until(lambda: gaps(api, handbook, completed=True))
    assert (done["id"], done["answeredBy"]) == (gap["id"], document)
    assert done["completedAt"]

    data(api, "mutation ($id: Int!) { toggleTodo(id: $id) { id } }", id=gap["id"])
    [reopened] = gaps(api, handbook)
    assert (reopened["completed"], reopened["completedAt"], reopened["answeredBy"]) == (False, None, None)


def test_text_that_answers_something_else_completes_nothing(api: httpx2.Client, handbook: int) -> None:
    ask(api, handbook, QUESTION)
    until(lambda: gaps(api, handbook))
    upload(api, handbook, "cats.md", "Cats may not be borrowed on Fridays.")
    ask(api, handbook, "Who repairs submarines here?")
    until(lambda: len(gaps(api, handbook)) == 2)
    upload(api, handbook, "submarines.md", "Who repairs submarines here: the harbour master repairs submarines here.")
    [done] = until(lambda: gaps(api, handbook, completed=True))
    assert done["question"] == "Who repairs submarines here?"
    assert [each["question"] for each in gaps(api, handbook, completed=False)] == [QUESTION]


def test_an_answered_question_is_no_gap(api: httpx2.Client, handbook: int) -> None:
    answer = ask(api, handbook, "When does the library open on weekdays?")
    assert answer["document_chunks"]
    ask(api, handbook, QUESTION)  # noted behind the other, if that were noted
    until(lambda: gaps(api, handbook))
    assert [each["question"] for each in gaps(api, handbook)] == [QUESTION]
