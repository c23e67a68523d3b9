"""Chroma as the home of vectors: what was written is there after a kill, and pages have no edges."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest.indexes.chroma import PAGE, ChromaVectorStore
from ingest.types import IndexUnavailableError, Vectors

ROOT = Path(__file__).parents[2]
WRITE_AND_DIE = """
import os, sys
import numpy as np
from pathlib import Path
from ingest.indexes.chroma import ChromaVectorStore
store = ChromaVectorStore("test", folder=Path(sys.argv[1]))
store.upsert([1, 2, 3], np.eye(3, dtype=np.float32))
store.delete([2])
os._exit(9)
"""


def unit(seed: int, count: int) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, 3))
    unit_rows: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit_rows


def assert_near(found: Vectors, expected: Vectors) -> None:
    """Chroma scales vectors to unit length once more: the last bit may differ."""
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ChromaVectorStore]:
    opened = ChromaVectorStore("test", folder=tmp_path / "chroma")
    yield opened
    opened.close()


def test_vectors_come_back_by_id_and_missing_ones_are_left_out(store: ChromaVectorStore) -> None:
    vectors = unit(1, 3)
    store.upsert([5, 6, 7], vectors)
    found = store.fetch([7, 99, 5])
    assert set(found) == {5, 7}
    assert_near(found[7], vectors[2])
    assert store.fetch([]) == {}
    assert store.count() == 3


def test_a_vector_written_twice_is_there_once_as_it_was_last(store: ChromaVectorStore) -> None:
    store.upsert([5], unit(1, 1))
    store.upsert([5], unit(2, 1))
    assert store.count() == 1
    assert_near(store.fetch([5])[5], unit(2, 1)[0])


def test_a_deleted_vector_is_gone_and_deleting_it_again_is_no_error(store: ChromaVectorStore) -> None:
    store.upsert([5, 6], unit(1, 2))
    for _ in range(2):
        store.delete([5, 99])
    store.delete([])
    assert set(store.fetch([5, 6])) == {6}


def test_more_ids_than_a_page_are_written_read_and_deleted_whole(store: ChromaVectorStore) -> None:
    count = PAGE + 3
    vectors = unit(1, count)
    store.upsert(range(count), vectors)
    found = store.fetch(range(count))
    assert_near(np.stack([found[each] for each in range(count)]), vectors)
    store.delete(range(count - 1))
    assert set(store.fetch(range(count))) == {count - 1}


def test_what_was_written_survives_a_process_that_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "chroma"
    died = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(folder)], cwd=ROOT, check=False)
    assert died.returncode == 9
    store = ChromaVectorStore("test", folder=folder)
    assert set(store.fetch([1, 2, 3])) == {1, 3}
    assert_near(store.fetch([3])[3], np.eye(3, dtype=np.float32)[2])
    store.close()


def test_vectors_of_two_fingerprints_never_meet(store: ChromaVectorStore, tmp_path: Path) -> None:
    store.upsert([1], unit(1, 1))
    other = ChromaVectorStore("other", folder=tmp_path / "chroma")
    assert other.fetch([1]) == {}
    assert other.count() == 0
    other.close()


def test_a_store_that_cannot_be_reached_says_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailableError, match=r"127\.0\.0\.1:9"):
        ChromaVectorStore("test", url="http://127.0.0.1:9").count()
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(IndexUnavailableError, match="file"):
        ChromaVectorStore("test", folder=tmp_path / "file").count()


def test_a_store_is_a_folder_or_a_url(tmp_path: Path) -> None:
    for wrong in ({}, {"folder": tmp_path, "url": "http://x"}):
        with pytest.raises(ValueError, match="either"):
            ChromaVectorStore("test", **wrong)  # type: ignore[arg-type]
