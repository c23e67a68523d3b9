"""What streaming costs: time to the first byte, and words a second, beside a bare stream and sse-starlette.

    bench/install.sh
    python -m bench.streaming

Three processes: the service with a scripted generator in it (scripted_stream.py), this client, and for the time to the
first byte a model server over HTTP that says one word every 20 ms, asked directly and through the service. Fifty
streams run at the same time; the ways take turns within each round.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import load, machine, median_ratio, percentiles
from bench.process import ADMIN_KEY, ROOT, Question, Server, footnote, running
from bench.scripted_stream import WORDS

STREAMS = 50
ROUNDS = 5
ASKED = [{"role": "user", "content": "How long may a pressure washer be borrowed?"}]
CHAT = {"model": "openai/words", "messages": ASKED, "stream": True, "repositories": {"ids": []}}
PREM = {"project_id": 1, "model": "openai/words", "messages": ASKED, "stream": True, "repositories": {"ids": []}}
GIST = {"model": "openai/words", "messages": ASKED, "stream": True, "repositories": {"ids": []}}
PAREA = {
    "llm_configuration": {"model": "words", "provider": "openai", "messages": ASKED},
    "repositories": {"ids": []},
    "cache": False,
}
MARK = b"retrieval "


@dataclass
class Way:
    """One way to get a stream, and what it took."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    first_ms: list[float] = field(default_factory=list)
    first_by_round: list[tuple[float, float]] = field(default_factory=list)  # p50, p99
    words_per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)  # of the server, a word


def ways(frame_bytes: int) -> dict[str, Way]:
    """Ours in each grammar, and those beside it."""
    return {
        "openai": Way("/v1/chat/completions", CHAT),
        "prem": Way("/v1/chat/completions", PREM),
        "gist": Way("/gist/v1/chat/completions", GIST, {"x-user-id": "u"}),
        "parea": Way("/api/parea/v1/completion/stream", PAREA, {"x-api-key": ADMIN_KEY}),
        "bare": Way(f"/bare?bytes={frame_bytes}", {}),
        "sse-starlette": Way("/sse-starlette", CHAT),
    }


async def receive(server: Server, way: Way) -> tuple[float, bytes]:
    """Seconds to the first word of the body, and the whole answer; raises RuntimeError unless it is 200."""
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=2**20)
    body = json.dumps(way.body).encode()
    headers = {"host": "x", "content-type": "application/json", "authorization": f"Bearer {ADMIN_KEY}", **way.headers}
    head = f"POST {way.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    began = time.perf_counter()
    writer.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
    received, first = b"", 0.0
    while piece := await reader.read(2**16):
        received += piece
        if not first and (MARK in received or (way.path.startswith("/bare") and b"xxxx" in received)):
            first = time.perf_counter() - began
    writer.close()
    if b" 200 " not in received[:20]:
        raise RuntimeError(f"{way.path}: {received[:600]!r}")
    return first, received


async def flood(server: Server, way: Way) -> None:
    """Fifty streams at once; adds words a second over all of them."""
    began, cpu = time.perf_counter(), server.cpu_s()
    await asyncio.gather(*(receive(server, way) for _ in range(STREAMS)))
    way.words_per_second.append(STREAMS * WORDS / (time.perf_counter() - began))
    way.cpu_us.append((server.cpu_s() - cpu) * 1e6 / (STREAMS * WORDS))


async def trickle(server: Server, way: Way, seconds: float) -> None:
    """Fifty streams at all times for some seconds, begun one after another; adds times to the first word."""
    ends = time.perf_counter() + seconds
    firsts: list[float] = []

    async def listener(number: int) -> None:
        await asyncio.sleep(number * 0.02)  # spread over the second that a stream takes
        while time.perf_counter() < ends:
            firsts.append((await receive(server, way))[0] * 1000)

    await asyncio.gather(*(listener(number) for number in range(STREAMS)))
    way.first_ms += firsts
    figures = percentiles(firsts)
    way.first_by_round.append((figures["p50"], figures["p99"]))


async def first_words(ours: Server, provider: Server) -> dict[str, Any]:
    """Time to the first word through the service, beside the provider's own."""
    direct = Way("/v1/chat/completions", CHAT)
    through = {name: way for name, way in ways(0).items() if name in ("openai", "prem", "gist", "parea")}
    for each in (direct, *through.values()):
        await receive(provider if each is direct else ours, each)
    for _ in range(ROUNDS):
        await trickle(provider, direct, 6)
        for each in through.values():
            await trickle(ours, each, 6)
    shown: dict[str, Any] = {"provider": percentiles(direct.first_ms)}
    for name, each in through.items():
        pairs = list(zip(each.first_by_round, direct.first_by_round, strict=True))
        shown[name] = {
            "ms": percentiles(each.first_ms),
            "added p50 ms": round(statistics.median(ours[0] - theirs[0] for ours, theirs in pairs), 2),
            "added p99 ms": round(statistics.median(ours[1] - theirs[1] for ours, theirs in pairs), 2),
            "ratio p50": median_ratio([ours[0] for ours, _ in pairs], [theirs[0] for _, theirs in pairs]),
            "ratio p99": median_ratio([ours[1] for ours, _ in pairs], [theirs[1] for _, theirs in pairs]),
            "answers": len(each.first_ms),
        }
    return shown


async def throughput(server: Server) -> dict[str, Any]:
    """Words a second over fifty streams at once."""
    _, sample = await receive(server, Way("/v1/chat/completions", CHAT))
    frame = sample[sample.index(MARK) - 400 : sample.index(MARK)].rpartition(b"event: ")[2]
    size = len(b"event: " + frame) + len(MARK) + 40
    every = ways(size)
    for _ in range(ROUNDS):
        for each in every.values():
            await flood(server, each)
    rate = {name: each.words_per_second for name, each in every.items()}
    return {
        name: {
            "words/s": round(statistics.median(values)),
            "of sse-starlette": median_ratio(values, rate["sse-starlette"]),
            "of bare": median_ratio(values, rate["bare"]),
            "processor us/word": round(statistics.median(every[name].cpu_us), 1),
        }
        for name, values in rate.items()
    }


def main() -> None:
    """Prints JSON."""
    with tempfile.TemporaryDirectory() as folder:

        def scripted(port: int) -> list[str]:
            return [sys.executable, "-m", "bench.scripted_stream", str(port), f"{folder}/scripted"]

        def slow_model(port: int) -> list[str]:
            return [sys.executable, "-m", "bench.instant_model", str(port), "50", "0.02"]

        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        with running(scripted, Path(folder) / "scripted.log", None, variables) as server:
            rates = asyncio.run(throughput(server))
        ask = Question("/v1/chat/completions", CHAT)
        with running(slow_model, Path(folder) / "model.log", ask, variables) as provider:
            settings = {
                "OPENAI_BASE_URL": f"{provider.url}/v1",
                "OPENAI_API_KEY": "none",
                "FOOTNOTE_EMBEDDER": "hashing",
                "FOOTNOTE_RATE_LIMIT": "",
            }
            with footnote(Path(folder) / "data", None, settings) as ours:
                firsts = asyncio.run(first_words(ours, provider))
    print(json.dumps({**machine(), "load_after": load(), "throughput": rates, "first word": firsts}, indent=2))


if __name__ == "__main__":
    main()
