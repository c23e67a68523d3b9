"""AnyLLMGenerator against a real model server: `transformers serve` with a tiny random Llama.

Needs .peers/sentence-transformers (tests/peers/install.sh). Skipped without it; with FOOTNOTE_REQUIRE_PEERS=1
a missing peer is a failure.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.types import Delta, FinishReason, Json, Message, Prompt, Sampling, Usage
from app.providers.any_llm import AnyLLMGenerator
from app.providers.retry import ModelLimits
from app.providers.vendors import find_vendor

pytestmark = [pytest.mark.peer, pytest.mark.slow]

BIN = Path(__file__).parents[2] / ".peers" / "sentence-transformers" / "bin"
START_S = 120.0  # torch takes its time on a busy machine


@dataclass(frozen=True)
class Served:
    """A running server and the model's name on it."""

    url: str
    model: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not (BIN / "transformers").exists():
        reason = "no transformers in .peers/sentence-transformers: run tests/peers/install.sh"
        if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = str(tmp_path_factory.mktemp("tiny-llama"))
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
    maker = Path(__file__).with_name("tiny_model.py")
    subprocess.run([BIN / "python", maker, folder], check=True, env=offline, capture_output=True)
    command = [str(BIN / "transformers"), "serve", folder, "--host", "127.0.0.1", "--port", "0", "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=offline)
    log: list[str] = []
    known = threading.Event()
    reading = threading.Thread(target=_read_log, args=(process, log, known), daemon=True)
    reading.start()
    try:
        known.wait(START_S)
        address = re.search(r"running on (http://\S+)", "".join(log))
        assert address, f"transformers serve did not start:\n{''.join(log)}"
        yield Served(f"{address[1]}/v1", folder)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reading.join()
        assert process.stdout is not None
        process.stdout.close()


def _read_log(process: subprocess.Popen[str], log: list[str], known: threading.Event) -> None:
    """Reads to the end, so that the server never blocks on a full pipe; tells when it runs or is dead."""
    for line in process.stdout or ():
        log.append(line)
        if "running on" in line:
            known.set()
    known.set()


@pytest.fixture
async def model(served: Served) -> AsyncIterator[AnyLLMGenerator]:
    connection = find_vendor("vllm").connect({"VLLM_API_BASE": served.url})
    made = AnyLLMGenerator(connection, ModelLimits(timeout_s=120))
    yield made
    await made.aclose()


def prompt(served: Served, *messages: Message, max_tokens: int = 8) -> Prompt:
    sampling = Sampling(temperature=0.0, max_tokens=max_tokens)
    return Prompt(served.model, messages or (Message("user", "Why?"),), "Why?", sampling=sampling)


async def collect(model: AnyLLMGenerator, asked: Prompt) -> list[Delta]:
    return [delta async for delta in model.stream(asked)]


async def test_a_real_stream(served: Served, model: AnyLLMGenerator) -> None:
    deltas = await collect(model, prompt(served))
    assert len(deltas) > 2  # it did stream
    assert all(delta.text for delta in deltas[:-1])
    # The template makes <|user|> W h y ? <|end|> <|assistant|> of the question: seven tokens.
    assert deltas[-1] == Delta(finish_reason=FinishReason.LENGTH, usage=Usage(7, 8))


def whole_answer(asked: Prompt, url: str) -> Json:
    """The same request, not streamed and not through our code."""
    body = {
        "model": asked.model,
        "messages": [{"role": message.role, "content": message.content} for message in asked.messages],
        "temperature": asked.sampling.temperature,
        "max_completion_tokens": asked.sampling.max_tokens,
    }
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


async def test_streamed_and_whole_answers_are_the_same(served: Served, model: AnyLLMGenerator) -> None:
    system, question = Message("system", "Be brief."), Message("user", "Why?")
    asked = prompt(served, system, question, Message("assistant", "Because."), question, max_tokens=12)
    whole = await asyncio.to_thread(whole_answer, asked, served.url)
    deltas = await collect(model, asked)
    assert "".join(delta.text for delta in deltas) == whole["choices"][0]["message"]["content"]
    usage = deltas[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (
        whole["usage"]["prompt_tokens"],
        whole["usage"]["completion_tokens"],
    )


async def test_the_server_serves_on_after_a_hang_up(served: Served, model: AnyLLMGenerator) -> None:
    stream = model.stream(prompt(served, max_tokens=400))
    assert (await anext(stream)).text
    await stream.aclose()
    assert (await collect(model, prompt(served)))[-1].finish_reason is FinishReason.LENGTH
