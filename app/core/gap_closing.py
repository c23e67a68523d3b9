"""Completes content gaps that newly published text answers, in a thread of its own.

An open gap is completed when a search for its question, in its repositories and with its threshold, brings a chunk of
a document that was published after the question was last asked. It is a plain rule: it says that there is text to
answer from, not that the answer is good. A question that comes back unanswered opens its gap again.

A publication is only noted by the ingest and looked at when the repository is quiet: a thousand files cost one look.
What a crash loses between the two is found at the next start, by the times in the rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core.errors import AppError
from app.core.gaps import GapRules, nearest
from app.core.ingesting import Task
from app.core.ports import Projects
from app.core.retrieval import Retriever
from app.core.shelves import GapShelf
from app.core.todos import OpenGap
from app.core.types import Caller, Retrieval
from ingest.types import VectorStore

QUIET_S = 0.5  # without a publication, before gaps are looked at
PATIENCE_S = 10.0  # after the first publication they are looked at in any case
SAMPLE = 5_000  # newest chunks that decide which gaps to check first

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """A document version that searches see now."""

    project_id: int
    repository_id: int
    document_id: int
    chunk_ids: tuple[int, ...]


class GapCloser:
    """Owns one thread with an event loop; `retriever` must be of that loop alone."""

    def __init__(
        self,
        gaps: GapShelf,
        projects: Projects,
        retriever: Retriever,
        vectors: VectorStore,
        rules: GapRules,
        limit: int,
    ) -> None:
        self._gaps = gaps
        self._projects = projects
        self._retriever = retriever
        self._vectors = vectors
        self._rules = rules
        self._limit = limit
        self._news: queue.SimpleQueue[Published | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gap-closing", daemon=True)

    def start(self) -> None:
        """Looks at what an earlier run left, then at what is published."""
        self._thread.start()

    def published(self, task: Task, chunk_ids: Sequence[int]) -> None:
        """Notes a publication; returns at once and never fails."""
        self._news.put(Published(task.caller.project_id, task.repository_id, task.document_id, tuple(chunk_ids)))

    def stop(self) -> None:
        """Ends the thread after the gap it is at; blocking."""
        self._stopping.set()
        self._news.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._do(runner, self._check_overdue())
            while not self._stopping.is_set():
                for (project_id, repository_id), news in _by_repository(self._next_news()).items():
                    self._do(runner, self._check(Caller(project_id), repository_id, news))

    def _do(self, runner: asyncio.Runner, work: Coroutine[Any, Any, None]) -> None:
        """The list of gaps is worth less than the thread that keeps it."""
        try:
            runner.run(work)
        except Exception:
            _log.warning("Content gaps could not be checked", exc_info=True)

    def _next_news(self) -> list[Published]:
        """Waits for a publication, then until there is none for a while."""
        news = [self._news.get()]
        deadline = time.monotonic() + PATIENCE_S
        with contextlib.suppress(queue.Empty):
            while news[-1] is not None and (left := deadline - time.monotonic()) > 0:
                news.append(self._news.get(timeout=min(QUIET_S, left)))
        return [each for each in news if each is not None]

    async def _check_overdue(self) -> None:
        checked: Counter[int] = Counter()
        for gap in await self._gaps.overdue():
            if checked[gap.project_id] < self._rules.checks:
                checked[gap.project_id] += 1
                await self._close(Caller(gap.project_id), gap, ())

    async def _check(self, caller: Caller, repository_id: int, news: Sequence[Published]) -> None:
        gaps = await self._gaps.waiting(caller, repository_id)
        if len(gaps) > self._rules.checks:
            ids = sorted(chunk_id for each in news for chunk_id in each.chunk_ids)[-SAMPLE:]
            found = list((await asyncio.to_thread(self._vectors.fetch, ids)).values())
            gaps = nearest(gaps, np.stack(found) if found else np.zeros((0, 0), np.float32), self._rules.checks)
        documents = {each.document_id for each in news}
        for gap in gaps:
            await self._close(caller, gap, documents)

    async def _close(self, caller: Caller, gap: OpenGap, just_published: Collection[int]) -> None:
        if self._stopping.is_set():
            return
        there = set(await self._projects.every_repository(caller))
        repository_ids = tuple(each for each in gap.repository_ids if each in there)
        if not repository_ids:
            return
        try:
            found = await self._retriever.retrieve(
                caller, gap.question, Retrieval(repository_ids, self._limit, gap.similarity_threshold)
            )
        except AppError as error:  # a repository deleted this moment, or an index that does not answer
            _log.warning("Todo %d could not be checked: %s", gap.todo_id, error)
            return
        documents = list(dict.fromkeys(hit.document_id for hit in found.hits))
        if not documents:
            return
        answering = await self._gaps.complete(caller, gap.todo_id, documents, just_published)
        if answering is not None:
            _log.info("Todo %d is completed: document %d answers it", gap.todo_id, answering)


def _by_repository(news: Sequence[Published]) -> dict[tuple[int, int], list[Published]]:
    grouped: dict[tuple[int, int], list[Published]] = {}
    for each in news:
        grouped.setdefault((each.project_id, each.repository_id), []).append(each)
    return grouped
