"""Scores answers after they are out, by the metrics that were asked for; keeps the scores with the trace.

What is not to be kept of an answer is not kept here either: a score's reason repeats nothing of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol

from app.core.keeping import keeps_trace
from app.core.metrics.meaning import EmbeddedMeaning
from app.core.metrics.registry import METRICS
from app.core.metrics.sample import Meaning, Sample, sample_of
from app.core.types import Caller, Completion, Json
from ingest.types import Embedder

_log = logging.getLogger(__name__)
TOO_MANY = "Too many answers were waiting to be scored; FOOTNOTE_MAX_WAITING_SCORES is the limit."
FAILED = "The metric failed; the log says why."


class Scores(Protocol):
    """Where scores are kept."""

    async def score(self, caller: Caller, trace_id: str, scores: Sequence[Mapping[str, Json]]) -> None:
        """Adds scores to a trace; nothing where there is no trace."""
        ...


class Evaluator:
    """Scores the completions of all projects."""

    def __init__(self, scores: Scores, embedder: Embedder, executor: Executor, most_waiting: int) -> None:
        self._scores = scores
        self._embedder = embedder
        self._executor = executor
        self._most_waiting = most_waiting
        self._under_way: dict[asyncio.Event, tuple[int, str | None]] = {}  # project and experiment

    async def follow(self, completion: Completion) -> None:
        """Scores a completion by the metrics that it was asked with. Never raises an Exception."""
        ask, trace_id = completion.ask, completion.answer.started.trace_id
        if not ask.metrics or not keeps_trace(ask.log, trace_id):
            return
        done = asyncio.Event()
        busy = len(self._under_way) >= self._most_waiting
        self._under_way[done] = (ask.caller.project_id, ask.log.experiment_id)
        try:
            scores = [_score(each, None, TOO_MANY) for each in ask.metrics] if busy else await self._measure(completion)
            await self._scores.score(ask.caller, trace_id, scores)
        except Exception:
            _log.warning("The scores of trace %s could not be kept", trace_id, exc_info=True)
        finally:
            del self._under_way[done]
            done.set()

    async def settled(self, caller: Caller, experiment_id: str) -> None:
        """Waits until all answers of an experiment that this process has given so far have their scores."""
        for done, of in list(self._under_way.items()):
            if of == (caller.project_id, experiment_id):
                await done.wait()

    async def _measure(self, completion: Completion) -> list[dict[str, Json]]:
        sample, meaning = sample_of(completion), EmbeddedMeaning(self._embedder)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, measured, sample, completion.ask.metrics, meaning)


def measured(sample: Sample, ids: Sequence[int], meaning: Meaning) -> list[dict[str, Json]]:
    """The scores of a sample by these metrics, as a trace keeps them; one that fails takes no other along."""
    scores = []
    for each in ids:
        try:
            found = METRICS[each].measure(sample, meaning)
            scores.append(_score(each, found.score, found.reason))
        except Exception:
            _log.warning("Metric %d failed", each, exc_info=True)
            scores.append(_score(each, None, FAILED))
    return scores


def _score(metric_id: int, score: float | None, reason: str) -> dict[str, Json]:
    return {"id": metric_id, "name": METRICS[metric_id].name, "score": score, "reason": reason}
