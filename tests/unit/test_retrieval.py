"""Retrieval over real parts: thresholds and limits only ever cut, and the funnel adds up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import NotFoundError
from app.core.retrieval import Found, embed_question
from app.core.types import Retrieval
from ingest.embedders.hashing import HashingEmbedder
from ingest.types import Scope
from tests.doubles.core_service import CoreService, core_service

LANGUAGE = "pressure washer borrow days fine euro reading room evening member card library book late return"
WORDS = LANGUAGE.split()
QUESTIONS = st.lists(st.sampled_from([*WORDS, "zebra", "?"]), min_size=1, max_size=6).map(" ".join)
BARS = st.one_of(st.sampled_from([0.0, 0.2, 0.35, 1.0]), st.floats(0, 1))


def write_document(number: int) -> str:
    """Sentences of the same few words, each document in its own order."""
    order = np.random.default_rng(number)
    return "\n\n".join(" ".join(order.choice(WORDS, 9)) + f" number {number}." for _ in range(4))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreService]:
    with core_service(tmp_path_factory.mktemp("library")) as service:
        for number in range(12):
            asyncio.run(service.ingest(f"{number}.txt", write_document(number)))
        yield service


def search(service: CoreService, question: str, limit: int, threshold: float) -> Found:
    retrieval = Retrieval((1,), limit, threshold)
    return asyncio.run(service.retriever.retrieve(service.caller, question, retrieval))


@given(question=QUESTIONS, limits=st.tuples(st.integers(1, 60), st.integers(1, 60)), bars=st.tuples(BARS, BARS))
@settings(max_examples=40)
def test_a_lower_threshold_or_a_higher_limit_never_removes_a_chunk(
    library: CoreService, question: str, limits: tuple[int, int], bars: tuple[float, float]
) -> None:
    strict = search(library, question, min(limits), max(bars))
    generous = search(library, question, max(limits), min(bars))
    order = [hit.chunk_id for hit in generous.hits]
    assert [hit.chunk_id for hit in strict.hits] == order[: len(strict.hits)]


@given(question=QUESTIONS, limit=st.integers(1, 60), bar=BARS)
@settings(max_examples=60)
def test_the_funnel_adds_up_and_every_hit_deserves_its_place(
    library: CoreService, question: str, limit: int, bar: float
) -> None:
    found = search(library, question, limit, bar)
    funnel = found.funnel
    assert funnel.considered == library.vectors.count()
    assert min(funnel.below_threshold, funnel.over_limit) >= 0
    assert funnel.below_threshold + funnel.over_limit + len(found.hits) == funnel.considered
    if funnel.over_limit:
        assert len(found.hits) == limit
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(bar <= score <= 1 for score in scores)
    assert all(hit.score >= hit.raw_scores["dense"] for hit in found.hits)
    assert scores[:1] in ([], [funnel.best_score])


@given(question=QUESTIONS)
@settings(max_examples=20)
def test_a_threshold_of_zero_drops_nothing(library: CoreService, question: str) -> None:
    found = search(library, question, 10**4, 0.0)
    assert len(found.hits) == found.funnel.considered
    assert (found.funnel.below_threshold, found.funnel.over_limit) == (0, 0)


def test_a_snapshot_that_is_not_in_memory_is_loaded(library: CoreService) -> None:
    before = search(library, "pressure washer", 5, 0.1).hits
    library.snapshots.drop(1)
    assert search(library, "pressure washer", 5, 0.1).hits == before


def test_a_vector_that_was_lost_is_made_again(library: CoreService) -> None:
    before = search(library, "pressure washer", 5, 0.1).hits
    lost = {hit.chunk_id: library.vectors.kept.pop(hit.chunk_id) for hit in before}
    library.snapshots.drop(1)
    for path in Path(library.blobs.path(library.caller, "00")).parents[2].glob("snapshots/**/*"):
        if path.is_file():
            path.unlink()
    assert search(library, "pressure washer", 5, 0.1).hits == before
    for chunk_id, vector in lost.items():
        np.testing.assert_array_equal(library.vectors.kept[chunk_id], vector)


def test_an_unknown_repository_is_not_found(library: CoreService) -> None:
    retrieval = Retrieval((1, 99), 3, 0.1)
    with pytest.raises(NotFoundError):
        asyncio.run(library.retriever.retrieve(library.caller, "washer", retrieval))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoreService]:
    with core_service(tmp_path) as running:
        yield running


async def find(service: CoreService, question: str) -> list[str]:
    found = await service.retriever.retrieve(service.caller, question, Retrieval((1,), 50, 0.0))
    return sorted(hit.content for hit in found.hits)


async def test_a_search_sees_each_change_at_once(service: CoreService) -> None:
    first = await service.ingest("a.txt", "The first text.")
    assert await find(service, "text") == ["The first text."]
    await service.ingest("b.txt", "The second text.")
    assert await find(service, "text") == ["The first text.", "The second text."]
    await service.ingest("b.txt", "The second text, revised.")
    assert await find(service, "text") == ["The first text.", "The second text, revised."]
    await service.shelves.documents.delete(service.caller, first.document.id)
    assert await find(service, "text") == ["The second text, revised."]


async def test_a_document_deleted_while_its_vectors_are_loaded_is_not_found_and_breaks_nothing(
    service: CoreService,
) -> None:
    await service.ingest("a.txt", "The first text.")
    gone = (await service.ingest("b.txt", "The second text.")).document

    def delete_meanwhile() -> None:
        service.vectors.before_fetch = lambda: None
        chunk_ids, _ = asyncio.run(service.shelves.documents.delete(service.caller, gone.id))
        service.vectors.delete(chunk_ids)

    service.vectors.before_fetch = delete_meanwhile
    service.snapshots.drop(1)
    assert await find(service, "text") == ["The first text."]


async def test_a_snapshot_that_was_staged_but_not_committed_is_not_searched(service: CoreService) -> None:
    await service.ingest("a.txt", "The first text.")
    await find(service, "text")  # now in memory
    added = await service.save("b.txt", "The second text.")
    job_id = added.document.job.id
    for batch in range(service.steps.parse(job_id)):
        service.steps.embed(job_id, batch)
    stage = service.snapshots.stage

    def crash(*arguments: object) -> bool:
        stage(*arguments)  # type: ignore[arg-type]
        raise OSError("the disk is full")

    service.snapshots.stage = crash  # type: ignore[method-assign, assignment]
    with pytest.raises(OSError, match="disk"):
        service.steps.publish(job_id)
    service.snapshots.stage = stage  # type: ignore[method-assign]
    assert not service.snapshots.has(Scope(1, 2))
    assert await find(service, "text") == ["The first text."]
    service.steps.publish(job_id)
    assert await find(service, "text") == ["The first text.", "The second text."]


async def test_a_replaced_version_leaves_no_entry_and_no_bytes_behind(service: CoreService) -> None:
    old = await service.ingest("a.txt", "The first text.")
    path = service.blobs.path(service.caller, old.document.sha256)
    assert path.is_file()
    await service.ingest("a.txt", "The second text.")
    assert not path.exists()
    _, visible = await service.shelves.chunks.visible_ids(service.caller, 1)
    assert set(service.vectors.kept) == set(visible)
    assert service.words.count() == len(visible)


async def test_a_failed_job_leaves_no_entry_behind(service: CoreService) -> None:
    added = await service.save("a.txt", "The first text.")
    service.steps.embed(added.document.job.id, service.steps.parse(added.document.job.id) - 1)
    assert service.vectors.count() == service.words.count() == 1
    service.steps.fail(added.document.job.id, "no luck")
    assert service.vectors.count() == service.words.count() == 0


def test_a_question_longer_than_the_window_is_embedded_whole() -> None:
    embedder = HashingEmbedder()
    ending = "pressure washer " * 200
    long = embed_question(embedder, "library " * 300 + ending)
    cut = embed_question(embedder, "library " * 300)
    about = embedder.embed(["pressure washer"])[0]
    assert np.linalg.norm(long) == pytest.approx(1, abs=1e-6)
    assert long @ about > cut @ about + 0.1
    assert embed_question(embedder, "short").tolist() == embedder.embed(["short"])[0].tolist()
