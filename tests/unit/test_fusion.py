"""One score from two legs: words lift, never sink."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.fusion import UNREAD_WEIGHT, fuse
from ingest.types import LexicalMatches, Match

COSINES = st.dictionaries(st.integers(1, 20), st.floats(-1, 1, width=32), max_size=12)
BM25 = st.dictionaries(st.integers(1, 25), st.floats(0, 20), max_size=12)


def words(scores: dict[int, float], ceiling: float = 20.0) -> LexicalMatches:
    return LexicalMatches(tuple(Match(chunk_id, 1, score) for chunk_id, score in scores.items()), ceiling)


@given(COSINES, BM25)
def test_a_score_is_between_the_cosine_and_1_and_every_visible_chunk_has_one(
    cosines: dict[int, float], bm25: dict[int, float]
) -> None:
    fused = fuse(cosines, words(bm25))
    assert {each.chunk_id for each in fused} == set(cosines)
    for each in fused:
        assert max(cosines[each.chunk_id], 0) <= each.score <= 1
        assert 0 <= each.lexical <= 1
        if each.chunk_id not in bm25:
            assert each.score == each.dense
    assert fused == sorted(fused, key=lambda each: (-each.score, each.chunk_id))


@given(COSINES, BM25, st.floats(0, 1))
def test_an_unread_question_trusts_words_and_stays_within_bounds(
    cosines: dict[int, float], bm25: dict[int, float], fluency: float
) -> None:
    whole, part = fuse(cosines, words(bm25)), fuse(cosines, words(bm25), fluency)
    assert {each.chunk_id: (each.dense, each.lexical) for each in whole} == {
        each.chunk_id: (each.dense, each.lexical) for each in part
    }
    assert all(0 <= each.score <= 1 for each in part)
    unread = fuse(cosines, words(bm25), 0.0)
    assert [each.score for each in unread] == [UNREAD_WEIGHT * each.lexical for each in unread]


@given(COSINES, st.floats(0, 1))
def test_where_there_are_no_words_to_go_by_the_cosine_is_all(cosines: dict[int, float], fluency: float) -> None:
    assert fuse(cosines, LexicalMatches((), 0.0), fluency) == fuse(cosines, LexicalMatches((), 0.0))


@given(cosine=st.tuples(st.floats(-1, 1), st.floats(-1, 1)), bm25=st.tuples(st.floats(0, 20), st.floats(0, 20)))
def test_more_of_either_is_never_less(cosine: tuple[float, float], bm25: tuple[float, float]) -> None:
    less = fuse({1: min(cosine)}, words({1: min(bm25)}))[0]
    more = fuse({1: max(cosine)}, words({1: max(bm25)}))[0]
    assert less.score <= more.score + 1e-15


@given(COSINES)
def test_without_words_the_score_is_the_cosine(cosines: dict[int, float]) -> None:
    fused = fuse(cosines, LexicalMatches((), 0.0))
    assert {each.chunk_id: each.score for each in fused} == {each: max(0.0, cosines[each]) for each in cosines}


def test_equal_scores_are_in_the_order_of_their_ids() -> None:
    assert [each.chunk_id for each in fuse({3: 0.5, 1: 0.5, 2: 0.5}, LexicalMatches((), 0.0))] == [1, 2, 3]
