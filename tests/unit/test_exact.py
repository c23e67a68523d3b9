"""Exact search: equal to brute force, and never changed under a reader."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.indexes.exact import ExactIndex
from ingest.types import Found, Scope, SnapshotMissingError, Vectors

DIMENSIONS = 4
FIRST = Scope(1, 1)


def vectors(seed: int, count: int) -> Vectors:
    """Unit vectors of small whole numbers, so that ties are frequent and sums are exact in any order."""
    rows = np.random.default_rng(seed).choice([-0.5, 0.5], size=(count, DIMENSIONS))
    return rows.astype(np.float32)


@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=3),
    limit=st.integers(1, 40),
    threshold=st.floats(-1, 1, width=32),
)
def test_the_best_of_all_repositories_and_none_missed(
    seed: int, sizes: list[int], limit: int, threshold: float
) -> None:
    index = ExactIndex(DIMENSIONS)
    everything: dict[int, float] = {}
    query = vectors(seed + 7, 1)[0]
    scopes = []
    for owner, size in enumerate(sizes, 1):
        ids = list(range(owner * 100, owner * 100 + size))
        matrix = vectors(seed + owner, size)
        scopes.append(Scope(owner, 1))
        index.load(scopes[-1], ids, matrix)
        everything |= dict(zip(ids, map(float, matrix @ query), strict=True))
    found = index.search(scopes, query, limit, threshold)
    expected = sorted(everything, key=lambda each: (-everything[each], each))[:limit]
    assert [match.chunk_id for match in found.matches] == expected
    assert [match.score for match in found.matches] == [everything[each] for each in expected]
    assert all(match.repository_id == match.chunk_id // 100 for match in found.matches)
    assert found.considered == len(everything)
    assert found.above == sum(score >= threshold for score in everything.values())
    assert index.scores(scopes, query, [*everything, 999]) == pytest.approx(everything, abs=1e-6)


def test_ties_are_broken_by_id_wherever_they_lie() -> None:
    index = ExactIndex(DIMENSIONS)
    same = np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (3, 1))
    index.load(Scope(1, 1), [7, 8, 9], same)
    index.load(Scope(2, 1), [1, 2, 3], same)
    found = index.search([Scope(1, 1), Scope(2, 1)], same[0], 4, 0.5)
    assert [match.chunk_id for match in found.matches] == [1, 2, 3, 7]
    assert (found.considered, found.above) == (6, 6)


def test_a_threshold_is_not_rounded_to_single_precision() -> None:
    index = ExactIndex(2)
    cosine = np.float32(0.35)  # a little less than 0.35
    index.load(FIRST, [1], np.array([[cosine, np.sqrt(1 - cosine**2)]], dtype=np.float32))
    query = np.array([1, 0], dtype=np.float32)
    assert index.search([FIRST], query, 1, 0.35).above == 0
    assert index.search([FIRST], query, 1, float(cosine)).above == 1


SIZES = st.integers(0, 90)


@given(seed=st.integers(0, 10**6), steps=st.lists(st.tuples(SIZES, st.booleans(), st.booleans()), max_size=6))
def test_a_snapshot_is_never_changed_by_what_is_built_from_it(seed: int, steps: list[tuple[int, bool, bool]]) -> None:
    """Each step appends, or removes too, or is discarded and built again; both newest generations stay as they were."""
    index = ExactIndex(DIMENSIONS)
    query = vectors(seed, 1)[0]
    ids, matrix, next_id = [1, 2, 3], vectors(seed, 3), 4
    index.load(Scope(1, 0), ids, matrix)
    for generation, (size, removes, discards) in enumerate(steps):
        before = index.search([Scope(1, generation)], query, 10**6, 0.1)
        removed = set(ids[::2]) if removes else set()
        if discards:
            other = list(range(next_id, next_id + size + 1))
            assert index.stage(1, generation, generation + 1, other, vectors(seed + 99, size + 1), removed)
            index.discard(Scope(1, generation + 1))
            assert not index.has(Scope(1, generation + 1))
        added, rows = list(range(next_id, next_id + size)), vectors(seed + generation, size)
        next_id += size
        assert index.stage(1, generation, generation + 1, added, rows, removed)
        assert index.search([Scope(1, generation)], query, 10**6, 0.1) == before
        stays = [at for at, chunk_id in enumerate(ids) if chunk_id not in removed]
        ids = [ids[at] for at in stays] + added
        matrix = np.concatenate([matrix[stays], rows])
        expected = ExactIndex(DIMENSIONS)
        expected.load(Scope(1, generation + 1), ids, matrix)
        now, whole = (each.search([Scope(1, generation + 1)], query, 10**6, 0.1) for each in (index, expected))
        assert sorted(match.chunk_id for match in now.matches) == ids
        assert {m.chunk_id: m.score for m in now.matches} == pytest.approx(
            {m.chunk_id: m.score for m in whole.matches}, abs=1e-6
        )


def test_two_successors_of_one_base_do_not_meet() -> None:
    index = ExactIndex(DIMENSIONS)
    index.load(Scope(1, 0), [1], vectors(1, 1))
    index.stage(1, 0, 1, [2], vectors(2, 1), set())  # now with spare room behind it
    assert index.stage(1, 1, 2, [3], vectors(3, 1), set())
    assert index.stage(1, 1, 3, [4], vectors(4, 1), set())
    query = vectors(5, 1)[0]
    second = index.scores([Scope(1, 2)], query, [1, 2, 3, 4])
    third = index.scores([Scope(1, 3)], query, [1, 2, 3, 4])
    assert set(second) == {1, 2, 3}
    assert set(third) == {1, 2, 4}
    assert second[3] == pytest.approx(float(vectors(3, 1)[0] @ query), abs=1e-6)
    assert third[4] == pytest.approx(float(vectors(4, 1)[0] @ query), abs=1e-6)


def test_ids_that_come_in_below_older_ones_are_found_too() -> None:
    index = ExactIndex(DIMENSIONS)
    index.load(Scope(1, 0), [10, 20], vectors(1, 2))
    assert index.stage(1, 0, 1, [5, 15], vectors(2, 2), {20})
    assert set(index.scores([Scope(1, 1)], vectors(3, 1)[0], [5, 10, 15, 20])) == {5, 10, 15}


def test_a_generation_that_is_not_in_memory_is_asked_for_by_name() -> None:
    index = ExactIndex(DIMENSIONS)
    query = vectors(1, 1)[0]
    with pytest.raises(SnapshotMissingError) as missing:
        index.search([Scope(3, 4)], query, 1, 0.0)
    assert missing.value.scope == Scope(3, 4)
    with pytest.raises(SnapshotMissingError):
        index.scores([Scope(3, 4)], query, [1])
    assert not index.stage(3, 4, 5, [1], vectors(1, 1), set())
    assert not index.has(Scope(3, 5))


def test_old_generations_and_dropped_repositories_are_forgotten() -> None:
    index = ExactIndex(DIMENSIONS)
    index.load(Scope(2, 1), [100], vectors(9, 1))
    index.load(Scope(1, 0), [1], vectors(1, 1))
    for generation in range(4):
        index.stage(1, generation, generation + 1, [generation + 2], vectors(generation, 1), set())
    assert [index.has(Scope(1, generation)) for generation in range(5)] == [False, False, False, True, True]
    index.drop(1)
    assert not index.has(Scope(1, 4))
    assert index.has(Scope(2, 1))


def test_nothing_to_search_finds_nothing() -> None:
    index = ExactIndex(DIMENSIONS)
    query = vectors(1, 1)[0]
    assert index.search([], query, 5, 0.0) == Found((), 0, 0)
    index.load(FIRST, [], np.zeros((0, DIMENSIONS), dtype=np.float32))
    assert index.search([FIRST], query, 5, 0.0) == Found((), 0, 0)
    assert index.scores([FIRST], query, [1]) == {}
