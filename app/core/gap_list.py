"""Notes questions that the documents do not answer; runs behind the answer and never disturbs it.

question
  | embed        the vector that tells similar questions
  | count        in the gap that asks the same; done, if there is one
  | near misses  the best passages whatever their score
  | note         a new todo, with its near misses
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Executor
from dataclasses import replace

from app.core.gaps import GapRules, cause_of, title_of_gap, to_bytes
from app.core.retrieval import Retriever, embed_question
from app.core.shelves import GapShelf, RepositoryShelf
from app.core.todos import GapCause, NearMiss, NewGap
from app.core.types import Caller, Completion, Retrieval
from ingest.types import Embedder

NEAR_MISSES = 3
SHOWN_CHARS = 500  # of a near miss
WAITING = 64  # notes at work at once; what comes on top is only logged

_log = logging.getLogger(__name__)


class GapList:
    """The content gaps of all projects."""

    def __init__(
        self,
        gaps: GapShelf,
        repositories: RepositoryShelf,
        retriever: Retriever,
        embedder: Embedder,
        executor: Executor,
        rules: GapRules,
    ) -> None:
        self._gaps = gaps
        self._repositories = repositories
        self._retriever = retriever
        self._embedder = embedder
        self._executor = executor
        self._rules = rules
        self._at_work = 0

    async def follow(self, completion: Completion) -> None:
        """Notes a completion that is a gap, unless its inputs are to be kept nowhere. Never raises an Exception."""
        ask, answer = completion.ask, completion.answer
        cause = cause_of(answer.retrieved, answer.finished)
        if cause is not None and completion.retrieval is not None and not ask.log.omit_inputs:
            await self.note(ask.caller, completion.question, completion.retrieval, cause)

    async def note(self, caller: Caller, question: str, retrieval: Retrieval, cause: GapCause) -> None:
        """Counts the question in the gap that asks the same, or makes a todo of it. Never raises an Exception."""
        if not question.strip():
            return
        if self._at_work >= WAITING:
            _log.warning("%d content gaps are being noted: this one is not", self._at_work)
            return
        self._at_work += 1
        try:
            await self._note(caller, question, retrieval, cause)
        except Exception:
            _log.warning("A content gap of project %d could not be noted", caller.project_id, exc_info=True)
        finally:
            self._at_work -= 1

    async def _note(self, caller: Caller, question: str, retrieval: Retrieval, cause: GapCause) -> None:
        asked_at = time.time()
        loop = asyncio.get_running_loop()
        vector = to_bytes(await loop.run_in_executor(self._executor, embed_question, self._embedder, question))
        repository_ids = tuple(sorted(set(retrieval.repository_ids)))
        if await self._gaps.count(caller, question, repository_ids, vector, asked_at, self._rules):
            return
        wide = replace(retrieval, limit=NEAR_MISSES, similarity_threshold=0.0)
        near = (await self._retriever.retrieve(caller, question, wide)).hits
        if cause is GapCause.REFUSED and near and near[0].score >= retrieval.similarity_threshold:
            return  # what answers it was published since it was refused
        names = {each.id: each.name for each in await self._repositories.all(caller)}
        gap = NewGap(
            title=title_of_gap(cause, question, [names[each] for each in repository_ids if each in names]),
            cause=cause,
            question=question,
            asked_at=asked_at,
            repository_ids=repository_ids,
            similarity_threshold=retrieval.similarity_threshold,
            near_misses=tuple(
                NearMiss(hit.document_id, hit.document_name, hit.score, hit.content[:SHOWN_CHARS]) for hit in near
            ),
            vector=vector,
        )
        if not await self._gaps.note(caller, gap, self._rules):
            _log.warning(
                "Project %d keeps %d content gaps, all planned: no more are noted", caller.project_id, self._rules.most
            )
