"""AnyLLMGenerator against a scripted Anthropic: another wire format, the same Deltas."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from app.core.errors import InvalidRequestError, ProviderError
from app.core.types import Delta, FinishReason, Message, Sampling, ToolCall, ToolCallDelta, Usage
from app.providers.any_llm import AnyLLMGenerator
from app.providers.retry import ModelLimits
from app.providers.vendors import Connection, find_vendor
from tests.doubles.anthropic_server import AnthropicServer, answer, error, text, tool_use
from tests.providers.prompts import ask, collect, text_of


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    with AnthropicServer() as running:
        yield running


@pytest.fixture
async def model(server: AnthropicServer) -> AsyncIterator[AnyLLMGenerator]:
    connection = Connection(find_vendor("anthropic"), "sk-ant-test", server.url)
    made = AnyLLMGenerator(connection, ModelLimits(timeout_s=30, retries=1, backoff_s=0))
    yield made
    await made.aclose()


async def test_text_system_and_sampling(server: AnthropicServer, model: AnyLLMGenerator) -> None:
    server.script(answer(text(0, "Hel", "lo"), counts=(11, 2)))
    sampling = Sampling(temperature=0.5, max_tokens=9, stop=("END",))
    deltas = await collect(model.stream(ask(sampling=sampling)))
    assert deltas == [
        Delta(text="Hel"),
        Delta(text="lo"),
        Delta(finish_reason=FinishReason.STOP, usage=Usage(11, 2)),
    ]
    (request,) = server.requests
    assert request.headers["x-api-key"] == "sk-ant-test"
    assert request.body == {
        "model": "tiny",
        "stream": True,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Why?"}],
        "temperature": 0.5,
        "max_tokens": 9,
        "stop_sequences": ["END"],
    }


async def test_tool_calls_after_text_are_numbered_from_nought(server: AnthropicServer, model: AnyLLMGenerator) -> None:
    blocks = (
        text(0, "Let me look."),
        tool_use(1, "t1", "look", ('{"x"', ":1}")),
        tool_use(2, "t2", "find", ()),
    )
    server.script(answer(*blocks, reason="tool_use"))
    deltas = await collect(model.stream(ask()))
    assert [delta.tool_calls for delta in deltas if delta.tool_calls] == [
        (ToolCallDelta(0, "t1", "look"),),
        (ToolCallDelta(0, arguments='{"x"'),),
        (ToolCallDelta(0, arguments=":1}"),),
        (ToolCallDelta(1, "t2", "find"),),
    ]
    assert deltas[-1].finish_reason is FinishReason.TOOL_CALLS


async def test_tool_results_go_back(server: AnthropicServer, model: AnyLLMGenerator) -> None:
    server.script(answer(text(0, "42")))
    messages = (
        Message("user", "Why?"),
        Message("assistant", tool_calls=(ToolCall("t1", "look", ""),)),
        Message("tool", "found", tool_call_id="t1"),
    )
    await collect(model.stream(ask(messages=messages)))
    assert server.requests[0].body["messages"][1:] == [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "found"}]},
    ]


async def test_an_overloaded_provider_is_asked_again(server: AnthropicServer, model: AnyLLMGenerator) -> None:
    server.script(error("overloaded_error", "Overloaded"), answer(text(0, "now")))
    assert text_of(await collect(model.stream(ask()))) == "now"


async def test_a_bad_key(server: AnthropicServer, model: AnyLLMGenerator) -> None:
    server.script(error("authentication_error", "invalid x-api-key", status=401))
    with pytest.raises(ProviderError, match="Check ANTHROPIC_API_KEY"):
        await collect(model.stream(ask()))


async def test_closing_the_stream_hangs_up(server: AnthropicServer, model: AnyLLMGenerator) -> None:
    server.script(answer(text(0, "one", server.gate(), "never")))
    stream = model.stream(ask())
    assert (await anext(stream)).text == "one"
    await stream.aclose()
    assert await server.requests[0].client_gone()


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("verbosity", {"passed_on": {"verbosity": "low"}}),
        ("logit_bias", {"passed_on": {"logit_bias": {"1": 2}}}),
        ("safety_identifier", {"passed_on": {"safety_identifier": "hash"}}),
        ("seed", {"sampling": Sampling(seed=4)}),
    ],
)
async def test_a_field_that_the_provider_has_never_heard_of_is_refused_by_name(
    server: AnthropicServer, model: AnyLLMGenerator, field: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await collect(model.stream(ask(**fields)))
    assert caught.value.field == field
    assert server.requests == []
