"""Texts of any length become unit vectors, and every token of them is read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.embedding import BATCH, TextEmbeddings, split
from app.core.errors import InvalidRequestError, UnavailableError
from app.core.retrieval import embed_question
from ingest.embedders.hashing import HashingEmbedder
from ingest.types import EmbedderUnavailableError, Vectors

EMBEDDER = HashingEmbedder()
MOST = 100_000
WORDS = st.lists(st.sampled_from(["ladder", "saw", "deposit", "née", "鋸", "...", "x" * 40]), min_size=1, max_size=900)


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


class Watched(HashingEmbedder):
    """Remembers what it was asked, where, and how."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[int, bool]] = []
        self.threads: set[str] = set()
        self.failure: Exception | None = None

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """As the hashing embedder; raises `failure` if that is set."""
        if self.failure is not None:
            raise self.failure
        self.batches.append((len(texts), background))
        self.threads.add(threading.current_thread().name)
        return super().embed(texts, background=background)


@given(WORDS)
def test_windows_hold_every_token_and_fit(words: list[str]) -> None:
    text = " ".join(words)
    windows = split(EMBEDDER, text)
    read = [len(EMBEDDER.tokenizer.offsets(window)) for window in windows]
    assert max(read) <= EMBEDDER.max_tokens
    assert sum(read) >= len(EMBEDDER.tokenizer.offsets(text))
    assert "".join("".join(windows).split()) == "".join(text.split())


async def test_each_text_has_the_vector_of_a_question(threads: ThreadPoolExecutor) -> None:
    texts = ["ladder", "saw and deposit", "ladder " * 1000 + "saw", "ladder"]
    embedded = await TextEmbeddings(EMBEDDER, threads, MOST).embed(texts)
    assert embedded.vectors.shape == (4, EMBEDDER.dimensions)
    assert embedded.vectors.dtype == np.float32
    for text, vector in zip(texts, embedded.vectors, strict=True):
        assert vector.tolist() == embed_question(EMBEDDER, text).tolist()
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert embedded.tokens == 1 + 3 + 1001 + 1


@pytest.mark.parametrize("number", [1, 2, BATCH, BATCH + 1, 3 * BATCH])
async def test_the_order_of_the_texts_is_kept(threads: ThreadPoolExecutor, number: int) -> None:
    texts = [f"text number {at} " * (1 + 150 * (at % 3)) for at in range(number)]
    embedded = await TextEmbeddings(EMBEDDER, threads, MOST).embed(texts)
    alone = [(await TextEmbeddings(EMBEDDER, threads, MOST).embed([text])).vectors[0].tolist() for text in texts]
    assert embedded.vectors.tolist() == alone


async def test_many_texts_are_background_work_in_batches_and_off_the_event_loop(threads: ThreadPoolExecutor) -> None:
    watched = Watched()
    texts = TextEmbeddings(watched, threads, MOST)
    await texts.embed(["a"] * BATCH)
    await texts.embed(["a"] * (2 * BATCH + 1))
    assert watched.batches == [(BATCH, False), (BATCH, True), (BATCH, True), (1, True)]
    assert threading.current_thread().name not in watched.threads


async def test_who_gives_up_stops_the_work(threads: ThreadPoolExecutor) -> None:
    watched = Watched()
    begun, go_on = threading.Event(), threading.Event()
    inner = watched.embed

    def slowly(texts: Sequence[str], *, background: bool = False) -> Vectors:
        begun.set()
        go_on.wait()
        return inner(texts, background=background)

    watched.embed = slowly  # type: ignore[method-assign]
    working = asyncio.create_task(TextEmbeddings(watched, threads, MOST).embed(["a"] * (9 * BATCH)))
    await asyncio.to_thread(begun.wait)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    go_on.set()
    await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(threads, int) for _ in range(2)))
    assert len(watched.batches) <= 1


@pytest.mark.parametrize("texts", [[" "], ["a", "\n\t"], [""]])
async def test_a_text_without_a_token_is_refused_by_number(threads: ThreadPoolExecutor, texts: list[str]) -> None:
    with pytest.raises(InvalidRequestError, match=rf"`input.{len(texts) - 1}`") as caught:
        await TextEmbeddings(EMBEDDER, threads, MOST).embed(texts)
    assert caught.value.field == "input"


async def test_a_model_that_does_not_run_is_told(threads: ThreadPoolExecutor) -> None:
    broken = Watched()
    broken.failure = EmbedderUnavailableError("no weights")
    with pytest.raises(UnavailableError, match="no weights"):
        await TextEmbeddings(broken, threads, MOST).embed(["a"])


async def test_too_many_tokens_are_refused_before_any_is_embedded(threads: ThreadPoolExecutor) -> None:
    watched = Watched()
    texts = TextEmbeddings(watched, threads, 300)
    assert (await texts.embed(["ladder " * 299, "saw"])).tokens == 300
    watched.batches.clear()
    with pytest.raises(InvalidRequestError, match="more than 300 tokens") as caught:
        await texts.embed(["ladder " * 300, "saw"])
    assert caught.value.field == "input"
    assert watched.batches == []
