"""Parea's requests as asks: a request wins over its deployment field by field, and values are never templates."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from app.core.errors import InvalidRequestError, NotFoundError, ProviderError, UnauthorizedError
from app.core.library import PromptMessage, PromptVersion
from app.core.types import Caller, Delta, Finished, FinishReason, Sampling, Started, ToolCall, Usage
from app.dialects.base import CUT
from app.dialects.parea.completions import FIELDS, parea_refusal, read, to_ask
from app.dialects.parea.deployments import OURS, SDK_DEFAULTS, configure
from app.dialects.parea.messages import calls_text, fill, to_messages
from app.dialects.parea.stream import PACKET_BYTES, PareaFramer
from app.dialects.parea.wire import LLMConfiguration, ModelParams, PareaCompletion, PareaMessage

NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5)
PARAMS = {
    "temp": st.sampled_from([0.0, 0.3, 1.0, 1.7]),
    "top_p": st.sampled_from([0.2, 0.9, 1.0]),
    "frequency_penalty": st.sampled_from([-1.0, 0.0, 0.5]),
    "presence_penalty": st.sampled_from([-1.0, 0.0, 0.5]),
    "max_length": st.sampled_from([None, 1, 500]),
    "response_format": st.sampled_from([None, {"type": "json_object"}]),
    "safe_prompt": st.sampled_from([None, True]),
}
MODELS = st.sampled_from([None, "a/one", "b/two"])
MESSAGES = st.sampled_from([None, ["mine"], ["mine", "twice"]])
FUNCTIONS = st.sampled_from([None, [], [{"name": "f"}]])
CALLS = st.sampled_from([None, "auto", "none"])


def deployed(
    model: str | None = None, params: dict[str, Any] | None = None, functions: Any = (), call: Any = None
) -> PromptVersion:
    messages = (PromptMessage("user", "theirs {{x}}"),)
    kept = {OURS[name]: value for name, value in (params or {}).items()}
    return PromptVersion("id", "name", 1, messages, model, kept, tuple(functions), call, None, None, "", 0.0)


@given(
    MODELS,
    MODELS,
    MESSAGES,
    FUNCTIONS,
    FUNCTIONS,
    CALLS,
    CALLS,
    st.fixed_dictionaries({}, optional=PARAMS),
    st.fixed_dictionaries({}, optional=PARAMS),
)
def test_every_field_is_the_requests_else_the_deployments(
    model: str | None,
    their_model: str | None,
    messages: list[str] | None,
    functions: Any,
    their_functions: Any,
    call: str | None,
    their_call: str | None,
    params: dict[str, Any],
    their_params: dict[str, Any],
) -> None:
    asked = LLMConfiguration(
        model=model,
        messages=None if messages is None else [PareaMessage(content=each) for each in messages],
        functions=functions,
        function_call=call,
        model_params=ModelParams(**params),
    )
    settled = configure(asked, deployed(their_model, their_params, their_functions or (), their_call))
    assert settled.model == (their_model if model is None else model)
    assert [each.content for each in settled.messages] == (messages or ["theirs {{x}}"])
    assert settled.functions == tuple((their_functions or ()) if functions is None else functions)
    assert settled.function_call == (their_call if call is None else call)
    from_sdk = params.keys() == PARAMS.keys()
    for name, ours in OURS.items():
        said, theirs = params.get(name), their_params.get(name)
        unsaid = said is None or (from_sdk and said == SDK_DEFAULTS[name])
        expected = theirs if unsaid and name in their_params else said
        assert settled.params.get(ours) == expected, name


@given(st.fixed_dictionaries({}, optional=PARAMS))
def test_without_a_deployment_the_request_alone_speaks(params: dict[str, Any]) -> None:
    settled = configure(LLMConfiguration(model_params=ModelParams(**params)), None)
    assert dict(settled.params) == {OURS[name]: value for name, value in params.items() if value is not None}
    sampling = settled.sampling
    assert sampling.temperature == params.get("temp")
    assert sampling.max_tokens == params.get("max_length")
    assert sampling.top_p == (None if params.get("top_p") == 1.0 else params.get("top_p"))
    assert {each.name for each in fields(Sampling)} >= {"stop", "seed"}


@given(st.dictionaries(NAMES, st.text(max_size=20)), st.lists(NAMES | st.sampled_from(["{{", "}}", " "]), max_size=9))
def test_values_are_put_in_once_and_unknown_names_stay(inputs: dict[str, str], words: list[str]) -> None:
    template = "|".join(f"{{{{{word}}}}}" if word.isalnum() else word for word in words)
    expected = "|".join(inputs.get(word, f"{{{{{word}}}}}") if word.isalnum() else word for word in words)
    assert fill(template, inputs) == expected


def test_a_value_that_is_no_text_is_json() -> None:
    assert fill("{{a}} {{b}} {{c}}", {"a": 1, "b": None, "c": {"d": [True]}}) == '1 null {"d":[true]}'


def test_the_request_has_every_field_that_is_documented_and_no_other() -> None:
    inside: dict[str, type[BaseModel]] = {
        "llm_configuration": LLMConfiguration,
        "llm_configuration.model_params": ModelParams,
    }
    read_here = set(PareaCompletion.model_fields) | {
        f"{path}.{name}" for path, model in inside.items() for name in model.model_fields
    }
    assert read_here - set(inside) == set(FIELDS) - set(inside)


@given(st.lists(st.tuples(st.text(max_size=9), st.dictionaries(NAMES, st.integers())), min_size=1, max_size=4))
def test_calls_written_as_text_are_read_as_calls(said: list[tuple[str, dict[str, int]]]) -> None:
    calls = tuple(ToolCall(f"c{n}", name, json.dumps(arguments)) for n, (name, arguments) in enumerate(said))
    spoken = [
        PareaMessage(role="user", content="?"),
        PareaMessage(role="assistant", content=calls_text(calls)),
        *(PareaMessage(role="tool", content=f"r{n}") for n in range(len(calls))),
    ]
    _, made, *results = to_messages(spoken, {})
    assert [(each.id, each.name, json.loads(each.arguments)) for each in made.tool_calls] == [
        (each.id, each.name, json.loads(each.arguments)) for each in calls
    ]
    assert [each.tool_call_id for each in results] == [each.id for each in calls]


def test_a_list_in_an_assistants_words_is_text_where_no_tool_answers() -> None:
    content = '[{"name": "f", "arguments": {}}]'
    (message,) = to_messages([PareaMessage(role="assistant", content=content)], {})
    assert (message.content, message.tool_calls) == (content, ())


def test_parts_are_joined_and_images_refused() -> None:
    texts = json.dumps([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])
    assert to_messages([PareaMessage(content=texts)], {})[0].content == "one\ntwo"
    with pytest.raises(InvalidRequestError, match="Images"):
        to_messages([PareaMessage(content=json.dumps([{"type": "image_url", "image_url": {"url": "x"}}]))], {})


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("gpt", "openai", "openai/gpt"),
        ("openai/gpt", "openai", "openai/gpt"),
        ("meta/llama", "openrouter", "openrouter/meta/llama"),
        ("openai/gpt", None, "openai/gpt"),
        ("gpt", None, "gpt"),
    ],
)
def test_models_and_their_providers(model: str, provider: str | None, expected: str) -> None:
    assert configure(LLMConfiguration(model=model, provider=provider), None).model == expected


def test_the_tree_as_the_sdk_tells_it() -> None:
    def log(**ids: str) -> Any:
        body = {"llm_configuration": {"messages": [{"content": "?"}]}, **ids}
        return to_ask(read(body, streams=False), Caller(1), None).log

    top = log(inference_id="a", parent_trace_id="a", root_trace_id="")
    assert (top.trace_id, top.parent_id, top.root_id) == ("a", None, None)
    part = log(inference_id="b", parent_trace_id="a", root_trace_id="r")
    assert (part.trace_id, part.parent_id, part.root_id) == ("b", "a", "r")


def test_the_key_is_not_in_the_words_of_an_ask() -> None:
    body = {"provider_api_key": "sk-secret", "llm_configuration": {"messages": [{"content": "?"}]}}
    request = read(body, streams=False)
    assert to_ask(request, Caller(1), None).provider_key == "sk-secret"
    assert "sk-secret" not in repr(request) + repr(to_ask(request, Caller(1), None))


def test_errors_are_fastapis() -> None:
    invalid = parea_refusal(InvalidRequestError("No.", field="messages.content"))
    loc = ["body", "llm_configuration", "messages", "content"]
    assert (invalid.status, invalid.body) == (
        422,
        {"detail": [{"loc": loc, "msg": "No.", "type": "invalid_request"}]},
    )
    for error in (UnauthorizedError("a"), NotFoundError("b"), ProviderError("c", trace_id="t")):
        shown = parea_refusal(error)
        assert (shown.status, shown.body["detail"]) == (error.status, error.message)


@given(st.lists(st.text(max_size=700) | st.just("data: data: ID_START"), max_size=8), st.booleans())
def test_a_stream_read_event_by_event_is_what_was_said(pieces: list[str], for_sdk: bool) -> None:
    framer = PareaFramer(for_sdk=for_sdk)
    frames = framer.frames(Started("t", "h", 1, "a/b", "a", 0))
    for piece in pieces:
        frames += framer.frames(Delta(piece))
    frames += framer.frames(Finished("".join(pieces), (), (), Usage(1, 2), FinishReason.STOP, model="a/b"))
    heard = [_as_the_sdk_reads(frame) for frame in frames]
    assert heard[0] == ""
    assert "".join(heard) == "".join(pieces)
    assert max(map(len, frames)) <= 6 * PACKET_BYTES


def test_a_failure_is_told_and_then_cut() -> None:
    framer = PareaFramer(for_sdk=True)
    told, cut = framer.failure(ProviderError("broke", trace_id="t"))
    assert _as_the_sdk_reads(told) == ""
    assert json.loads(told.removeprefix(b"data: "))["error"]["message"] == "broke"
    assert cut == CUT


def _as_the_sdk_reads(frame: bytes) -> str:
    """parea-ai's own three lines."""
    line = next(line for line in frame.decode().split("\r\n") if line.startswith("data:"))
    line = line.replace("data: ", "")
    said: str = "" if line.startswith("ID_START") else json.loads(line)["chunk"]
    return said
