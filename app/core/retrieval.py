"""Finds the chunks that answer a question.

question
  | embed            one vector, whatever the question's length
  | search           exact cosine in memory + BM25 over words, in every repository at once
  | fuse             one score per candidate
  | threshold, limit
  | load             texts from SQL, for this caller only
  → hits, best first, and a funnel that says what was dropped by what
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Protocol

from app.core.embedding import pool, split
from app.core.errors import UnavailableError
from app.core.fluency import fluency
from app.core.fusion import Fused, fuse, trust
from app.core.ports import Chunks
from app.core.types import Caller, Funnel, Hit, Retrieval
from ingest.types import (
    Embedder,
    EmbedderUnavailableError,
    IndexUnavailableError,
    LexicalIndex,
    Scope,
    SnapshotIndex,
    SnapshotMissingError,
    Vectors,
)

POOL = 50  # candidates each leg brings beyond the limit
LOADS = 3  # tries to search one consistent generation while others publish


class Repositories(Protocol):
    def scopes_now(self, caller: Caller, repository_ids: Sequence[int]) -> tuple[Scope, ...]:
        """Their present generations; raises NotFoundError naming the first that is not there. Blocking."""
        ...


class Loader(Protocol):
    async def load(self, caller: Caller, repository_id: int) -> None:
        """Brings a repository's present generation into the snapshot index."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of one retrieval."""

    hits: tuple[Hit, ...]
    funnel: Funnel
    timings_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Ranked:
    kept: tuple[Fused, ...]
    funnel: Funnel
    timings_ms: dict[str, float]


class Retriever:
    """Searches; owns no state but its parts."""

    def __init__(
        self,
        repositories: Repositories,
        chunks: Chunks,
        loader: Loader,
        snapshots: SnapshotIndex,
        lexical: LexicalIndex,
        embedder: Embedder,
        executor: Executor,
    ) -> None:
        self._repositories = repositories
        self._chunks = chunks
        self._loader = loader
        self._snapshots = snapshots
        self._lexical = lexical
        self._embedder = embedder
        self._executor = executor

    async def retrieve(self, caller: Caller, question: str, retrieval: Retrieval) -> Found:
        """Raises NotFoundError for a foreign repository and UnavailableError when a part does not answer."""
        loop = asyncio.get_running_loop()
        for _ in range(LOADS):
            try:
                # One thread does it all: every hop between threads costs as much as a query to the database.
                found = await loop.run_in_executor(self._executor, self._find, caller, question, retrieval)
            except SnapshotMissingError:
                for repository_id in retrieval.repository_ids:  # all of them: those in memory cost nothing
                    await self._load(caller, repository_id)
            except IndexUnavailableError as error:
                raise UnavailableError(f"The index cannot be searched: {error}") from error
            except EmbedderUnavailableError as error:
                raise UnavailableError(f"The question cannot be embedded: {error}") from error
            else:
                if found is not None:
                    return found
        raise UnavailableError("The repository is changing too fast to search it consistently. Try again.")

    async def index_version(self, caller: Caller, repository_ids: Sequence[int]) -> str:
        """What changes whenever these repositories could answer otherwise; raises NotFoundError."""
        loop = asyncio.get_running_loop()
        scopes = await loop.run_in_executor(self._executor, self._repositories.scopes_now, caller, repository_ids)
        generations = ",".join(f"{scope.repository_id}:{scope.generation}" for scope in scopes)
        return f"{self._embedder.fingerprint}|{generations}"

    def _find(self, caller: Caller, question: str, retrieval: Retrieval) -> Found | None:
        """None when a document was replaced between search and load: what is there now must be searched."""
        scopes = self._repositories.scopes_now(caller, retrieval.repository_ids)
        ranked = self._rank(scopes, question, retrieval)
        started = time.perf_counter()
        by_id = {each.chunk_id: each for each in ranked.kept}
        hits = self._chunks.hits_now(caller, {each.chunk_id: each.score for each in ranked.kept})
        if len(hits) < len(by_id):
            return None
        ranked.timings_ms["load"] = _since(started)
        return Found(tuple(_explained(hit, by_id[hit.chunk_id]) for hit in hits), ranked.funnel, ranked.timings_ms)

    def _rank(self, scopes: Sequence[Scope], question: str, retrieval: Retrieval) -> _Ranked:
        started = time.perf_counter()
        for scope in scopes:
            if not self._snapshots.has(scope):
                raise SnapshotMissingError(scope)  # before the costly part
        query = embed_question(self._embedder, question)
        embedded = time.perf_counter()
        bar = retrieval.similarity_threshold
        lexical = self._lexical.search([scope.repository_id for scope in scopes], question, POOL)
        read = fluency(question, self._embedder.tokenizer)
        trusted = trust(read, lexical)
        edge = _cosine_for(bar, trusted)
        dense = self._snapshots.search(scopes, query, retrieval.limit + POOL, edge)
        cosines = {match.chunk_id: match.score for match in dense.matches}
        lifted = [match.chunk_id for match in lexical.matches if match.chunk_id not in cosines]
        cosines.update(self._snapshots.scores(scopes, query, lifted))
        fused = fuse(cosines, lexical, read)
        # By the same comparison as `dense.above`, so that no chunk is counted twice or not at all.
        above = dense.above + sum(each.score >= bar and cosines[each.chunk_id] < edge for each in fused)
        kept = tuple(each for each in fused[: retrieval.limit] if each.score >= bar)
        funnel = Funnel(
            considered=dense.considered,
            below_threshold=dense.considered - above,
            over_limit=above - len(kept),
            best_score=fused[0].score if fused else None,
        )
        return _Ranked(kept, funnel, {"embed": (embedded - started) * 1000, "search": _since(embedded)})

    async def _load(self, caller: Caller, repository_id: int) -> None:
        try:
            await self._loader.load(caller, repository_id)
        except IndexUnavailableError as error:
            raise UnavailableError(f"The vectors of repository {repository_id} cannot be read: {error}") from error
        except EmbedderUnavailableError as error:
            raise UnavailableError(f"Repository {repository_id} cannot be embedded again: {error}") from error


def embed_question(embedder: Embedder, question: str) -> Vectors:
    """One unit vector, shape (dimensions,), for a question of any length: the mean over windows, none cut off."""
    return pool(embedder.embed(split(embedder, question)))


def _cosine_for(bar: float, trusted: float) -> float:
    """The cosine that passes a bar by itself; a bar of 0 lets every chunk pass, those of a negative cosine too."""
    if bar <= 0:
        return -math.inf
    return bar / trusted if trusted > 0 else math.inf


def _explained(hit: Hit, fused: Fused) -> Hit:
    return replace(hit, raw_scores={"dense": fused.dense, "lexical": fused.lexical})


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
