"""The whole request as a client sees it, at 10,000 chunks: ours beside sentence-transformers, Chroma and FastAPI.

    bench/install.sh                # once; the peer's own environment
    FOOTNOTE_EVALDATA=<evaluation folder> python -m bench.request CACHE

Four processes: the service with a key, traces, threads and texts; the peer (peer_app.py), which has none of these
but the texts; a model server that answers at once; and the client. Every round asks each way the same questions, first
one at a time, then from eight clients. Also how soon after its start each answers, and how much memory it takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.bootstrap import open_keys
from app.core.types import Caller, Scope
from app.settings import Settings
from bench.chroma_peers import collection_each
from bench.figures import load, machine, median_ratio, percentiles
from bench.library import SEARCHED, evaluation_data, prepare, questions, read
from bench.load import LoadClient
from bench.process import ROOT, Question, Server, footnote, running
from ingest.embedders.weights import find_minilm

PEER = ROOT / ".peers/bench/bin/python"
SEARCH = {"ids": list(SEARCHED), "limit": 5, "similarity_threshold": 0.2}
CLIENTS = 8
REMEMBERED = 1_000  # questions before memory is read again
SIDES = {  # ours: the peer's ways that it is set beside
    "ours, retrieve only": ("peer, retrieve only",),
    "ours, model server": ("peer, constant answer", "peer, model server"),
    "ours, extractive": ("peer, constant answer", "peer, model server"),
}


@dataclass
class Way:
    """One way to ask, and what it took."""

    server: Server
    path: str
    bodies: list[dict[str, Any]]
    key: str = "none"
    alone: list[float] = field(default_factory=list)  # ms of each request, one client
    alone_p50: list[float] = field(default_factory=list)  # ms, one a round
    together: list[float] = field(default_factory=list)  # ms of each request, eight clients
    per_second: list[float] = field(default_factory=list)  # eight clients, one a round
    cpu_ms: list[float] = field(default_factory=list)  # of the server, a request, eight clients, one a round


def ours(server: Server, key: str, asked: Sequence[str]) -> dict[str, Way]:
    """Three ways to ask the service."""

    def chat(model: str) -> list[dict[str, Any]]:
        messages = [[{"role": "user", "content": question}] for question in asked]
        return [{"project_id": 1, "model": model, "messages": each, "repositories": SEARCH} for each in messages]

    searches = [{"query": question, "repositories": SEARCH} for question in asked]
    return {
        "ours, retrieve only": Way(server, "/v1/retrieve", searches, key),
        "ours, model server": Way(server, "/v1/chat/completions", chat("openai/instant"), key),
        "ours, extractive": Way(server, "/v1/chat/completions", chat("footnote/extractive"), key),
    }


def peers(server: Server, asked: Sequence[str]) -> dict[str, Way]:
    """Three ways to ask the peer."""
    searches = [{"query": question, "repositories": SEARCH} for question in asked]
    chats = [{"question": question, "repositories": SEARCH} for question in asked]
    return {
        "peer, retrieve only": Way(server, "/retrieve", searches),
        "peer, constant answer": Way(server, "/instant", chats),
        "peer, model server": Way(server, "/chat", chats),
    }


def measure(ways: Mapping[str, Way], client: LoadClient, rounds: int, alone: int) -> None:
    """Asks in turns; the first round only warms."""
    for number in range(rounds + 1):
        for way in ways.values():
            address = (way.server.host, way.server.port, way.path, way.key)
            one = client.ask(*address, way.bodies[:alone])
            before = way.server.cpu_s()
            many = client.ask(*address, way.bodies, clients=CLIENTS)
            used = way.server.cpu_s() - before
            if number:
                way.alone.extend(one.milliseconds)
                way.alone_p50.append(statistics.median(one.milliseconds))
                way.together.extend(many.milliseconds)
                way.per_second.append(many.per_second)
                way.cpu_ms.append(used * 1000 / len(way.bodies))


def report(ways: Mapping[str, Way]) -> dict[str, Any]:
    """Percentiles, rates, and how many times better than the peer in the same round."""
    rows: dict[str, Any] = {}
    for name, way in ways.items():
        rows[name] = {
            "one_client_ms": percentiles(way.alone),
            "eight_clients_ms": percentiles(way.together),
            "eight_clients_per_second": round(statistics.median(way.per_second), 1),
            "cpu_ms_a_request": round(statistics.median(way.cpu_ms), 2),
        }
        for other in SIDES.get(name, ()):
            if other in ways:
                rows[name][f"against {other}"] = {
                    "p50": median_ratio(ways[other].alone_p50, way.alone_p50),
                    "per_second": median_ratio(way.per_second, ways[other].per_second),
                    "cpu": median_ratio(ways[other].cpu_ms, way.cpu_ms),
                }
    return rows


def make_key(data: Path) -> str:
    """A key that may only read, so that finding it is part of every request."""
    with open_keys(Settings(data_dir=data, _env_file=None)) as keys:
        return asyncio.run(keys.create(Caller(1), "bench", [Scope.READ]))[1]


def starts(data: Path, ready: Question, environment: Mapping[str, str], count: int) -> dict[str, list[float]]:
    """Starts and stops the service: seconds (clock, processor) to the first good answer, and MB then."""
    seconds, processor, memory = [], [], []
    for _ in range(count):
        with footnote(data, ready, environment) as server:
            seconds.append(round(server.ready_s, 2))
            processor.append(round(server.cpu_s(), 2))
            memory.append(round(server.memory_mb(), 1))
    return {"ready_s": seconds, "ready_cpu_s": processor, "memory_mb": memory}


def main() -> None:
    """Measures and prints JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cache", type=Path)
    options.add_argument("--chunks", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--alone", type=int, default=60, help="questions a round, one at a time")
    options.add_argument("--together", type=int, default=240, help="questions a round, from eight clients")
    options.add_argument("--starts", type=int, default=3)
    chosen = options.parse_args()
    cache, evaldata = chosen.cache.resolve(), evaluation_data()
    prepared = prepare(cache, evaldata, chosen.chunks)
    asked = questions(evaldata, chosen.together)
    client = LoadClient()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(prepared, data)
        key = make_key(data)
        ready = Question("/v1/retrieve", {"query": asked[0], "repositories": SEARCH}, key)

        def instant_model(port: int) -> list[str]:
            return [sys.executable, str(ROOT / "bench/instant_model.py"), str(port)]

        with running(instant_model, Path(folder) / "model.log", Question("/", {})) as model:
            environment = {"OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_API_KEY": "none"}
            result: dict[str, Any] = {"ours_starts": starts(data, ready, environment, chosen.starts)}
            with footnote(data, ready, environment) as service:
                result["ours_memory_mb"] = {"idle": round(service.memory_mb(), 1)}
                ways = ours(service, key, asked)
                remembered = ways["ours, model server"]
                bodies = [remembered.bodies[turn % len(asked)] for turn in range(REMEMBERED)]
                client.ask(service.host, service.port, remembered.path, key, bodies, clients=CLIENTS)
                result["ours_memory_mb"][f"after {REMEMBERED} questions"] = round(service.memory_mb(), 1)
                if PEER.exists():
                    collections = cache / f"peer-{prepared.name}"
                    collection_each(collections, read(prepared), texts=True)
                    minilm = str(find_minilm(cache_dir=cache / "models"))

                    def peer_app(port: int) -> list[str]:
                        command = (PEER, ROOT / "bench/peer_app.py", port, collections, minilm, model.url)
                        return [str(part) for part in command]

                    asking = Question("/retrieve", {"query": asked[0], "repositories": SEARCH})
                    with running(peer_app, Path(folder) / "peer.log", asking) as peer:
                        result["peer_start"] = {
                            "ready_s": round(peer.ready_s, 2),
                            "memory_mb": round(peer.memory_mb(), 1),
                        }
                        ways |= peers(peer, asked)
                        measure(ways, client, chosen.rounds, chosen.alone)
                        result["peer_start"]["memory_mb_after"] = round(peer.memory_mb(), 1)
                else:
                    print("Without a peer: bench/install.sh makes its environment.", file=sys.stderr)
                    measure(ways, client, chosen.rounds, chosen.alone)
                result["ours_memory_mb"]["at the end"] = round(service.memory_mb(), 1)
    client.stop()
    print(json.dumps({**machine(), "load_after": load(), **result, "ways": report(ways)}, indent=1))


if __name__ == "__main__":
    main()
