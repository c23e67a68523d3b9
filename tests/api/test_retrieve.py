"""/v1/retrieve and /v1/citations/verify."""

from __future__ import annotations

import copy
from typing import Any

import httpx2
import pytest

from tests.api.library import QUESTION, Library
from tests.api.refusals import NOT_THERE, assert_error, assert_needs_key


def ask(library: Library, **repositories: Any) -> dict[str, Any]:
    return {"query": QUESTION, "repositories": {"ids": [library.repository], **repositories}}


class TestRetrieve:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "POST", "/v1/retrieve", json=ask(library))

    def test_a_strangers_repository_is_not_there(self, stranger: httpx2.Client, library: Library) -> None:
        foreign, absent = (
            stranger.post("/v1/retrieve", json={"query": "x", "repositories": {"ids": [number]}})
            for number in (library.repository, NOT_THERE)
        )
        assert_error(foreign, 404, field="repositories.ids")
        assert foreign.text.replace(f"repository {library.repository} ", "") == absent.text.replace(
            f"repository {NOT_THERE} ", ""
        )

    def test_finds_slices(self, api: httpx2.Client, library: Library) -> None:
        found = api.post("/v1/retrieve", json=ask(library, similarity_threshold=0, limit=2)).json()
        chunks = found["document_chunks"]
        assert chunks[0]["document_name"] == "tools.md"
        assert "safety certificate" in chunks[0]["content"]
        assert [chunk["marker"] for chunk in chunks] == [1, 2]
        for chunk in chunks:
            text = api.get(f"/v1/documents/{chunk['document_id']}/text").text
            assert text[chunk["start"] : chunk["end"]] == chunk["content"]
        scores = [chunk["similarity_score"] for chunk in chunks]
        assert scores == sorted(scores, reverse=True)

    def test_the_funnel_adds_up(self, api: httpx2.Client, library: Library) -> None:
        for threshold in (0, 0.2, 0.5, 1):
            found = api.post("/v1/retrieve", json=ask(library, similarity_threshold=threshold, limit=1)).json()
            funnel = found["retrieval"]
            kept = len(found["document_chunks"])
            assert funnel["considered"] == funnel["below_threshold"] + funnel["over_limit"] + kept
            assert all(chunk["similarity_score"] >= threshold for chunk in found["document_chunks"])

    @pytest.mark.parametrize(
        ("repositories", "field"),
        [
            ({"limit": 0}, "repositories.limit"),
            ({"limit": 51}, "repositories.limit"),
            ({"limit": "many"}, "repositories.limit"),
            ({"similarity_threshold": 1.01}, "repositories.similarity_threshold"),
            ({"similarity_threshold": -0.01}, "repositories.similarity_threshold"),
            ({"similarity_threshold": "high"}, "repositories.similarity_threshold"),
            ({"ids": []}, "repositories.ids"),
            ({"ids": "1"}, "repositories.ids"),
            ({"ids": ["x"]}, "repositories.ids.0"),
        ],
    )
    def test_bad_options(self, api: httpx2.Client, library: Library, repositories: Any, field: str) -> None:
        assert_error(api.post("/v1/retrieve", json=ask(library, **repositories)), 400, field=field)

    def test_bad_queries(self, api: httpx2.Client, library: Library) -> None:
        for query in ("", "   ", "x" * 32_001, 5, None):
            body = {"query": query, "repositories": {"ids": [library.repository]}}
            assert_error(api.post("/v1/retrieve", json=body), 400, says="query", field="query")
        assert_error(api.post("/v1/retrieve", json={}), 400, says="`query`", field="query")

    def test_hostile_queries_are_only_words(self, api: httpx2.Client, library: Library) -> None:
        for query in (
            "wi-fi?",
            '"',
            "AND OR NOT",
            "a* (b",
            "'; DROP TABLE chunks; --",
            "\0",
            "🎄" * 300,
            "x " * 15_000,
        ):
            body = {"query": query, "repositories": {"ids": [library.repository]}}
            assert api.post("/v1/retrieve", json=body).status_code == 200, query


@pytest.fixture(scope="module")
def answer(api: httpx2.Client, library: Library) -> dict[str, Any]:
    """A cited answer."""
    body = {
        "project_id": 1,
        "messages": [{"role": "user", "content": QUESTION}],
        "repositories": {"ids": [library.repository], "similarity_threshold": 0.1},
    }
    answered: dict[str, Any] = api.post("/v1/chat/completions", json=body).json()
    assert answered["citations"]
    return answered


class TestVerify:
    path = "/v1/citations/verify"

    def test_needs_a_key(self, nobody: httpx2.Client, answer: dict[str, Any]) -> None:
        assert_needs_key(nobody, "POST", self.path, json=answer)

    def test_a_stranger_learns_nothing(self, stranger: httpx2.Client, answer: dict[str, Any]) -> None:
        checked = stranger.post(self.path, json=answer).json()
        assert checked["valid"] is False
        assert all("no text with sha256" in result["reason"] for result in checked["results"])

    def test_an_untouched_answer_holds(self, api: httpx2.Client, answer: dict[str, Any]) -> None:
        checked = api.post(self.path, json=answer).json()
        assert checked["valid"] is True
        assert len(checked["results"]) == len(answer["citations"]) + len(answer["document_chunks"])

    @pytest.mark.parametrize(
        ("where", "field", "change"),
        [
            ("citations", "quote", lambda value: value + "!"),
            ("citations", "quote_sha256", lambda value: "0" * 64),
            ("citations", "text_sha256", lambda value: "0" * 64),
            ("citations", "start", lambda value: value + 1),
            ("citations", "end", lambda value: value + 1),
            ("citations", "end", lambda value: 10**30),
            ("citations", "start", lambda value: -1),
            ("citations", "start", lambda value: None),
            ("citations", "quote", lambda value: None),
            ("citations", "answer_start", lambda value: value + 1),
            ("citations", "verdict", lambda value: "fabricated"),
            ("document_chunks", "content", lambda value: value[:-1]),
            ("document_chunks", "start", lambda value: value + 1),
            ("document_chunks", "text_sha256", lambda value: 5),
        ],
    )
    def test_a_changed_one_fails(
        self, api: httpx2.Client, answer: dict[str, Any], where: str, field: str, change: Any
    ) -> None:
        forged = copy.deepcopy(answer)
        forged[where][0][field] = change(forged[where][0][field])
        checked = api.post(self.path, json=forged).json()
        assert checked["valid"] is False
        failing = [result for result in checked["results"] if not result["valid"]]
        assert len(failing) == 1
        assert failing[0]["what"] == where.removesuffix("s")

    def test_other_words_in_the_answer_fail(self, api: httpx2.Client, answer: dict[str, Any]) -> None:
        forged = copy.deepcopy(answer)
        forged["choices"][0]["message"]["content"] = "Everybody may borrow the chainsaw, at any time, for nothing. [1]"
        assert api.post(self.path, json=forged).json()["valid"] is False

    def test_nonsense_in_the_list_is_no_citation_that_holds(self, api: httpx2.Client) -> None:
        nonsense: tuple[Any, ...] = (5, None, "x", [], {})
        for item in nonsense:
            assert api.post(self.path, json={"citations": [item]}).json()["valid"] is False

    @pytest.mark.parametrize("body", [{}, [], {"citations": 5}, {"answer": "x"}])
    def test_no_answer(self, api: httpx2.Client, body: Any) -> None:
        assert_error(api.post(self.path, json=body), 400)
