"""What a dialect adds to the bare pipeline: reading a request, and writing down an answer with five sources.

    python -m bench.dialects

In one process, without a network: the same question in each format read into an Ask, and the same answer written as
each format's JSON and as its stream of 400 words. Milliseconds of processor, best of the rounds.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

import orjson

from app.core.types import (
    Answer,
    Caller,
    Citation,
    Delta,
    Event,
    Finished,
    FinishReason,
    Funnel,
    Hit,
    Retrieved,
    Started,
    Usage,
    Verdict,
)
from app.dialects.base import Dialect, Framer
from app.dialects.gist.completions import GistDialect
from app.dialects.openai.completions import OpenAIDialect
from app.dialects.parea import completions as parea
from app.dialects.parea.stream import PareaFramer
from app.dialects.prem.completions import PremDialect
from bench.figures import machine

ROUNDS, TIMES, WORDS = 5, 200, 400
CALLER = Caller(1, user="somebody")
ASKED = [{"role": "user", "content": "How long may a pressure washer be borrowed?"}]
WHERE = {"ids": [1], "limit": 5, "similarity_threshold": 0.35}
TEXT = "A pressure washer may be borrowed for three days [1]. "
BODIES: dict[str, dict[str, Any]] = {
    "prem": {"project_id": 1, "messages": ASKED, "repositories": WHERE},
    "openai": {"model": "openai/gpt", "messages": ASKED, "repositories": WHERE},
    "gist": {"messages": ASKED, "repositories": WHERE},
    "parea": {"llm_configuration": {"model": "gpt", "provider": "openai", "messages": ASKED}, "repositories": WHERE},
}
DIALECTS: dict[str, Dialect] = {"prem": PremDialect(), "openai": OpenAIDialect(), "gist": GistDialect()}


def answer() -> Answer:
    """Five chunks of a thousand characters, three citations."""
    hits = tuple(Hit(n, n, 1, "loans.md", TEXT * 20, 0, 1080, "0" * 64, 0.7) for n in range(5))
    citations = tuple(
        Citation(n, Verdict.VERBATIM, 0, 50, n, "loans.md", 0, 50, TEXT[:50], "0" * 64, "0" * 64) for n in range(1, 4)
    )
    started = Started("trace", "thread", 1, "openai/gpt", "openai", 1, "How long?")
    finished = Finished(
        TEXT * 4, (), citations, Usage(900, 60), FinishReason.STOP, timings_ms={"total": 5.0}, model="openai/gpt"
    )
    return Answer(started, Retrieved(hits, Funnel(10_000, 9_990, 5, 0.7)), finished)


def read(name: str, body: bytes) -> None:
    """A request's bytes to an Ask."""
    parsed = orjson.loads(body)
    if name == "parea":
        parea.to_ask(parea.read(parsed, streams=False), CALLER, None)
    else:
        DIALECTS[name].parse(parsed, CALLER)


def write(name: str, said: Answer) -> None:
    """An answer to bytes."""
    shown = parea.PareaRenderer(time.time).render(said) if name == "parea" else DIALECTS[name].render(said)
    orjson.dumps(shown)


def stream(name: str, said: Answer) -> None:
    """The same, word by word."""
    framer: Framer = PareaFramer(for_sdk=False) if name == "parea" else DIALECTS[name].framer(BODIES[name])
    events: list[Event] = [said.started, said.retrieved, *(Delta("retrieval ") for _ in range(WORDS)), said.finished]
    for event in events:
        framer.frames(event)


def best_ms(work: Callable[[], None], times: int) -> float:
    """Milliseconds of processor of one call."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - began) * 1000 / times)
    return round(min(rounds), 3)


def main() -> None:
    """Prints JSON."""
    said = answer()
    figures = {}
    for name, body in BODIES.items():
        written = orjson.dumps(body)
        figures[name] = {
            "read ms": best_ms(functools.partial(read, name, written), TIMES),
            "write ms": best_ms(functools.partial(write, name, said), TIMES),
            "stream of 400 words ms": best_ms(functools.partial(stream, name, said), 10),
        }
    print(json.dumps({**machine(), "dialects": figures}, indent=2))


if __name__ == "__main__":
    main()
