"""What speaks to models, directly and through any-llm, against a scripted OpenAI on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from app.core.errors import AppError, InvalidRequestError, ModelNotFoundError, ProviderError
from app.core.errors import ProviderRateLimitedError as RateLimited
from app.core.types import Delta, FinishReason, Message, Sampling, ToolCall, ToolCallDelta, Usage
from app.providers.any_llm import AnyLLMGenerator
from app.providers.openai_compatible import OpenAICompatibleGenerator
from app.providers.retry import ModelLimits
from app.providers.vendors import Connection, find_vendor
from tests.doubles.openai_server import (
    CUT,
    DONE,
    OpenAIServer,
    Reply,
    call,
    finish,
    refuse,
    say,
    usage,
    words,
)
from tests.providers.prompts import ask, collect, text_of

KEY = "sk-secret-of-this-test"
LIMITS = ModelLimits(timeout_s=30, retries=2, backoff_s=0)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


Speaker = type[AnyLLMGenerator] | type[OpenAICompatibleGenerator]
_speaking: list[Speaker] = []


@pytest.fixture(autouse=True, params=[OpenAICompatibleGenerator, AnyLLMGenerator], ids=["direct", "any-llm"])
def speaker(request: pytest.FixtureRequest) -> Iterator[Speaker]:
    """Each test is passed by both."""
    _speaking.append(request.param)
    yield request.param
    _speaking.clear()


@contextlib.asynccontextmanager
async def generator(
    url: str, limits: ModelLimits = LIMITS, vendor: str = "openai"
) -> AsyncIterator[AnyLLMGenerator | OpenAICompatibleGenerator]:
    made = _speaking[-1](Connection(find_vendor(vendor), KEY, url), limits)
    try:
        yield made
    finally:
        await made.aclose()


async def error_of(url: str, limits: ModelLimits = LIMITS) -> AppError:
    async with generator(url, limits) as model:
        with pytest.raises(AppError) as caught:
            await collect(model.stream(ask()))
    assert KEY not in caught.value.message
    assert caught.value.__cause__ is None
    return caught.value


async def test_text_comes_in_pieces_and_the_last_delta_closes(server: OpenAIServer) -> None:
    server.script(say("Hel", "lo", counts=(11, 2)))
    async with generator(server.url) as model:
        deltas = await collect(model.stream(ask()))
    assert deltas == [
        Delta(text="Hel"),
        Delta(text="lo"),
        Delta(finish_reason=FinishReason.STOP, usage=Usage(11, 2)),
    ]


async def test_the_request_is_what_the_prompt_says(server: OpenAIServer) -> None:
    server.script(say("ok"))
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    prompt = ask(
        messages=(
            Message("system", "Be brief."),
            Message("user", "Why?", name="ada"),
            Message("assistant", tool_calls=(ToolCall("c1", "look", ""),)),
            Message("tool", "42", tool_call_id="c1"),
        ),
        sampling=Sampling(temperature=0.0, max_tokens=9, stop=("END",), seed=1, presence_penalty=0.5),
        tools=(tool,),
        tool_choice="auto",
        response_format=schema,
    )
    async with generator(server.url) as model:
        await collect(model.stream(prompt))
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "tiny",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?", "name": "ada"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
            },
            {"role": "tool", "content": "42", "tool_call_id": "c1"},
        ],
        "temperature": 0.0,
        "max_completion_tokens": 9,
        "stop": ["END"],
        "seed": 1,
        "presence_penalty": 0.5,
        "tools": [tool],
        "tool_choice": "auto",
        "response_format": schema,
    }


async def test_what_the_prompt_leaves_open_is_not_sent(server: OpenAIServer) -> None:
    server.script(say("ok"))
    async with generator(server.url) as model:
        await collect(model.stream(ask(response_format={"type": "text"})))
    assert set(server.requests[0].body) == {"model", "stream", "stream_options", "messages"}


async def test_local_servers_get_the_token_limit_under_the_name_they_read(
    server: OpenAIServer, speaker: Speaker
) -> None:
    if speaker is AnyLLMGenerator:
        return  # they are spoken to directly
    server.script(say("ok"))
    async with generator(server.url, vendor="ollama") as model:
        await collect(model.stream(ask(sampling=Sampling(max_tokens=9))))
    body = server.requests[0].body
    assert body["max_tokens"] == 9
    assert "max_completion_tokens" not in body


async def test_two_parallel_tool_calls_in_fragments(server: OpenAIServer) -> None:
    first = call(1, "a", "look", ('{"x"', ": 1}"))
    second = call(2, "b", "find", ("{}",))
    server.script(Reply([*first, *second, finish("tool_calls"), usage(5, 4), DONE]))
    async with generator(server.url) as model:
        deltas = await collect(model.stream(ask()))
    assert [delta.tool_calls for delta in deltas] == [
        (ToolCallDelta(0, "a", "look", '{"x"'),),
        (ToolCallDelta(0, arguments=": 1}"),),
        (ToolCallDelta(1, "b", "find", "{}"),),
        (),
    ]
    assert deltas[-1].finish_reason is FinishReason.TOOL_CALLS


async def test_usage_is_estimated_when_the_server_does_not_count(server: OpenAIServer) -> None:
    server.script(say("four", "five!", counts=None))
    async with generator(server.url) as model:
        deltas = await collect(model.stream(ask("12345")))
    # ceil(len("Be brief." + "12345") / 4) and ceil(len("fourfive!") / 4)
    assert deltas[-1].usage == Usage(prompt_tokens=4, completion_tokens=3)


async def test_tokens_are_passed_on_as_they_come(server: OpenAIServer) -> None:
    gate = server.gate()
    server.script(say("one", gate, "two"))
    async with generator(server.url) as model, contextlib.aclosing(model.stream(ask())) as stream:
        assert (await anext(stream)).text == "one"  # while the server still holds the rest
        gate.open()
        assert (await anext(stream)).text == "two"


async def test_closing_the_stream_hangs_up_on_the_provider(server: OpenAIServer) -> None:
    server.script(say("one", server.gate(), "never"), say("again"))
    async with generator(server.url) as model:
        stream = model.stream(ask())
        await anext(stream)
        await stream.aclose()
        assert await server.requests[0].client_gone()
        assert text_of(await collect(model.stream(ask()))) == "again"  # the client lives on


async def test_cancelling_before_the_first_token_hangs_up(server: OpenAIServer) -> None:
    headers, token = server.gate(), server.gate()
    late = say("late").steps
    server.script(Reply(late, before_headers=headers), Reply([*words(""), token, *late]))
    async with generator(server.url) as model:
        for number, gate in enumerate([headers, token]):
            asking = asyncio.ensure_future(collect(model.stream(ask())))
            assert await gate.reached()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert await server.requests[number].client_gone()


async def test_a_silent_provider_is_given_up_and_hung_up_on(server: OpenAIServer) -> None:
    hang = say("late")
    server.script(Reply(hang.steps, before_headers=server.gate()))
    error = await error_of(server.url, ModelLimits(timeout_s=0.2, retries=2, backoff_s=0))
    assert type(error) is ProviderError
    assert "openai was silent for 0.2 s" in error.message
    assert len(server.requests) == 1  # not tried again
    assert await server.requests[0].client_gone()


async def test_silence_between_tokens_ends_the_stream_with_an_error(server: OpenAIServer) -> None:
    server.script(say("one", server.gate(), "two"))
    async with generator(server.url, ModelLimits(timeout_s=0.5)) as model:
        stream = model.stream(ask())
        assert (await anext(stream)).text == "one"
        with pytest.raises(ProviderError, match="silent"):
            await anext(stream)
    assert await server.requests[0].client_gone()


@pytest.mark.parametrize(
    "first",
    [
        refuse(429, headers={"retry-after": "0"}),
        refuse(408),
        refuse(409),
        refuse(500),
        refuse(503),
        Reply([CUT]),
        Reply([*words(""), DONE]),
    ],
    ids=["429", "408", "409", "500", "503", "cut", "ended without a reason"],
)
async def test_passing_failures_before_the_first_token_are_tried_again(server: OpenAIServer, first: Reply) -> None:
    server.script(first, say("second try"))
    async with generator(server.url) as model:
        assert text_of(await collect(model.stream(ask()))) == "second try"
    assert [request.body for request in server.requests] == [server.requests[0].body] * 2


async def test_retries_end(server: OpenAIServer, speaker: Speaker) -> None:
    server.script(*[refuse(500, "boom")] * 5)
    error = await error_of(server.url)
    assert type(error) is ProviderError
    said = "Error code: 500 - boom" if speaker is AnyLLMGenerator else "boom"
    assert error.message == f"openai failed with status 500. Try again, or use another model. It said: {said}"
    assert len(server.requests) == 3


@pytest.mark.parametrize("broken", [CUT, DONE, b"data: {nonsense\n\n"], ids=["cut", "no reason", "malformed"])
async def test_a_stream_that_breaks_after_the_first_token_is_never_repeated(
    server: OpenAIServer, broken: bytes
) -> None:
    server.script(Reply([*words("half"), broken]), say("other"))
    async with generator(server.url) as model:
        stream = model.stream(ask())
        assert (await anext(stream)).text == "half"
        with pytest.raises(ProviderError, match="openai"):
            await anext(stream)
    assert len(server.requests) == 1


async def test_an_answer_is_whole_once_its_reason_is_said(server: OpenAIServer) -> None:
    server.script(Reply([*words("whole"), finish("length"), CUT]))
    async with generator(server.url) as model:
        deltas = await collect(model.stream(ask()))
    assert text_of(deltas) == "whole"
    assert deltas[-1].finish_reason is FinishReason.LENGTH


async def test_a_rate_limit_that_lasts_is_reported_at_once(server: OpenAIServer) -> None:
    server.script(refuse(429, headers={"retry-after": "3600"}))
    error = await error_of(server.url)
    assert type(error) is RateLimited
    assert len(server.requests) == 1


async def test_a_used_up_quota_is_not_tried_again(server: OpenAIServer) -> None:
    server.script(refuse(429, code="insufficient_quota"))
    error = await error_of(server.url)
    assert type(error) is RateLimited
    assert "quota is used up" in error.message


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (refuse(401, f"Incorrect API key provided: {KEY}"), ProviderError, "Check OPENAI_API_KEY"),
        (refuse(403, f"{KEY} may not"), ProviderError, "Check OPENAI_API_KEY"),
        (refuse(404, "no such model"), ModelNotFoundError, "has no model 'tiny'"),
        (refuse(400, f"author {KEY} is too long"), ProviderError, "author *** is too long"),
        (Reply([b"data: {nonsense\n\n"]), ProviderError, "no answer"),
        (Reply([b"<html>"], content_type="text/html"), ProviderError, "ended its stream"),
    ],
    ids=["401", "403", "404", "400", "malformed", "not a stream"],
)
async def test_each_failure_says_what_to_do(
    server: OpenAIServer, reply: Reply, kind: type[AppError], says: str
) -> None:
    server.script(*[reply] * 3)
    error = await error_of(server.url)
    assert type(error) is kind
    assert error.message.startswith("openai ")
    assert says in error.message


async def test_a_server_that_is_not_there(server: OpenAIServer) -> None:
    gone = OpenAIServer()
    with gone:
        url = gone.url
    error = await error_of(url)
    assert type(error) is ProviderError
    assert "OPENAI_BASE_URL" in error.message


async def test_a_field_the_providers_library_cannot_take_is_the_requests_fault() -> None:
    model = AnyLLMGenerator(Connection(find_vendor("anthropic"), KEY, "http://127.0.0.1:9"), LIMITS)
    with pytest.raises(InvalidRequestError, match="seed"):
        await collect(model.stream(ask(sampling=Sampling(seed=1))))
    await model.aclose()


async def test_streams_side_by_side_share_one_client(server: OpenAIServer) -> None:
    gates = [server.gate(), server.gate()]
    server.script(say("a", gates[0], "A"), say("b", gates[1], "B"))
    async with generator(server.url) as model:
        left, right = model.stream(ask()), model.stream(ask())
        assert (await anext(left)).text == "a"
        assert (await anext(right)).text == "b"
        for gate in gates:
            gate.open()
        assert text_of(await collect(right)) == "B"
        assert text_of(await collect(left)) == "A"
