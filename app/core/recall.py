"""An answer of a thread, read back from its trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.core.conversations import ThreadView, TurnView
from app.core.errors import NotFoundError
from app.core.ports import TraceRecord
from app.core.shelves import ThreadShelf, TraceShelf
from app.core.tracing import revive
from app.core.types import Caller, Finished, Retrieved


@dataclass(frozen=True, slots=True)
class Recalled:
    """A turn, and its answer as it was given."""

    turn: TurnView
    trace: TraceRecord
    retrieved: Retrieved
    finished: Finished


async def recall(threads: ThreadShelf, traces: TraceShelf, caller: Caller, thread_id: str, number: int) -> Recalled:
    """One turn's answer; raises NotFoundError, also where the trace was not to be kept."""
    turn = await threads.turn(caller, thread_id, number)
    found = recalled(turn, await traces.some(caller, [turn.trace_id]))
    if found is None:
        raise NotFoundError(f"Turn {number} left no trace: whoever asked it sampled it out.", field="turn_id")
    return found


async def recall_all(traces: TraceShelf, caller: Caller, thread: ThreadView) -> list[tuple[TurnView, Recalled | None]]:
    """Each turn of a thread with its answer; None where no trace was to be kept."""
    kept = await traces.some(caller, [turn.trace_id for turn in thread.turns])
    return [(turn, recalled(turn, kept)) for turn in thread.turns]


def recalled(turn: TurnView, kept: Mapping[str, TraceRecord]) -> Recalled | None:
    """A turn's answer from its trace among those kept."""
    trace = kept.get(turn.trace_id)
    if trace is None:
        return None
    retrieved, finished = revive(trace.detail, trace.model, trace.cost)
    return Recalled(turn, trace, retrieved, replace(finished, timings_ms={"total": trace.duration_ms}))
