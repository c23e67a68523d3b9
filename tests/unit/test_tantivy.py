"""The word index: any text is a question, and no score exceeds the ceiling, whatever came and went."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.indexes.tantivy_words import TantivyIndex
from ingest.types import IndexUnavailableError

TEXTS = [
    "Our wi-fi network is called lantern and its password is on the wall.",
    "AND then there was OR and NOT a word more.",
    "東京都は日本の首都です。",
    "Die Straße nach Köln ist gesperrt.",
    "emoji 🧪 in a test tube",
]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TantivyIndex]:
    opened = TantivyIndex(tmp_path / "words")
    yield opened
    opened.close()


@pytest.fixture
def library(index: TantivyIndex) -> TantivyIndex:
    index.upsert(1, range(1, len(TEXTS) + 1), TEXTS)
    return index


def found(index: TantivyIndex, query: str, repositories: tuple[int, ...] = (1,)) -> list[int]:
    return [match.chunk_id for match in index.search(repositories, query, 10).matches]


@pytest.mark.parametrize(
    ("query", "chunk"),
    [
        ("What is wi-fi?", 1),
        ('"lantern" AND (password', 1),
        ("NOT AND OR", 2),
        ("首都", 3),
        ("日本", 3),
        ("STRASSE", 4),
        ("Networks", 1),
        ("lantern^2~3 password:[x TO y] \\", 1),
    ],
)
def test_a_question_is_words_and_never_a_query_language(library: TantivyIndex, query: str, chunk: int) -> None:
    assert found(library, query)[0] == chunk


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The networks were running.", "network run"),
        ("Можно пользоваться мойкой высокого давления.", "мойка под давлением"),
        ("تعلمت في المدرسة من الكتب", "مدرسة كتاب"),
        ("Τα σπίτια της Ελλάδας", "σπίτι"),
    ],
)
def test_a_word_is_found_under_its_other_endings(index: TantivyIndex, text: str, query: str) -> None:
    index.upsert(1, [1, 2], [text, "Something else. Другое. شيء آخر. Άλλο."])
    assert found(index, query) == [1]


@pytest.mark.parametrize("query", ["", " ", "?!", "🧪", "\x00", "\ue000", "—", "'\"", "nothingofthekind", "x" * 1000])
def test_a_question_without_a_known_word_finds_nothing(library: TantivyIndex, query: str) -> None:
    assert found(library, query) == []


@given(query=st.text(max_size=200))
def test_any_text_is_a_valid_question(library_for_all: TantivyIndex, query: str) -> None:
    matches = library_for_all.search([1], query, 10)
    assert all(match.score <= matches.ceiling for match in matches.matches)


@pytest.fixture(scope="module")
def library_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TantivyIndex]:
    opened = TantivyIndex(tmp_path_factory.mktemp("index") / "words")
    opened.upsert(1, range(1, len(TEXTS) + 1), TEXTS)
    yield opened
    opened.close()


WORDS = st.sampled_from(["oil", "water", "brake", "engine", "the"])
TEXT = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
CHANGES = st.lists(st.one_of(st.tuples(st.integers(1, 6), TEXT), st.tuples(st.integers(1, 6), st.none())), max_size=12)
_folders = itertools.count()


@given(changes=CHANGES, query=TEXT)
def test_no_score_exceeds_the_ceiling_whatever_was_replaced_or_deleted(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str | None]], query: str
) -> None:
    index = TantivyIndex(tmp_path_factory.mktemp("index") / str(next(_folders)))
    kept: dict[int, str] = {}
    for chunk_id, text in changes:
        if text is None:
            kept.pop(chunk_id, None)
            index.delete([chunk_id])
        else:
            kept[chunk_id] = text
            index.upsert(1, [chunk_id], [text])
    result = index.search([1], query, 100)
    index.close()
    assert all(0 < match.score <= result.ceiling for match in result.matches)
    asked = set(query.split())
    assert {match.chunk_id for match in result.matches} == {
        each for each, text in kept.items() if asked & set(text.split())
    }


def test_matches_are_best_first_and_equal_ones_by_id(index: TantivyIndex) -> None:
    index.upsert(1, [5, 3, 4], ["brake oil", "brake oil", "brake brake oil"])
    assert found(index, "brake") == [4, 3, 5]


def test_only_the_repositories_asked_for_are_searched(index: TantivyIndex) -> None:
    index.upsert(1, [1], ["brake oil"])
    index.upsert(2, [2], ["brake oil"])
    assert found(index, "brake", (1,)) == [1]
    assert sorted(found(index, "brake", (1, 2))) == [1, 2]
    assert found(index, "brake", ()) == found(index, "brake", (3,)) == []


def test_a_chunk_written_twice_is_there_once_and_a_deleted_one_not(index: TantivyIndex) -> None:
    index.upsert(1, [1, 2], ["brake", "water"])
    index.upsert(1, [1], ["engine"])
    assert index.count() == 2
    assert found(index, "brake") == []
    assert found(index, "engine") == [1]
    index.delete([1, 99])
    assert index.count() == 1
    assert found(index, "engine") == []


def test_what_was_written_is_there_after_a_restart(index: TantivyIndex, tmp_path: Path) -> None:
    index.upsert(1, [1], ["brake"])
    index.close()
    again = TantivyIndex(tmp_path / "words")
    assert found(again, "brake") == [1]
    again.close()


def test_a_second_writer_is_told_that_the_folder_is_taken(index: TantivyIndex, tmp_path: Path) -> None:
    index.upsert(1, [1], ["brake"])
    second = TantivyIndex(tmp_path / "words")
    with pytest.raises(IndexUnavailableError, match="locked"):
        second.upsert(1, [2], ["oil"])
    second.close()


def test_a_damaged_folder_is_an_index_that_is_not_available(tmp_path: Path) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "meta.json").write_text("{")
    with pytest.raises(IndexUnavailableError):
        TantivyIndex(folder).count()
