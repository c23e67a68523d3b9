"""Every field of OpenAI's chat completions is honoured, passed on or refused by its name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidRequestError
from app.core.types import Ask, Caller, Logging
from app.dialects.openai.completions import OpenAIDialect
from app.dialects.openai.request import FIELDS, OpenAIRequest
from app.dialects.support import Treatment

CALLER = Caller(1)
HEAD: dict[str, Any] = {"model": "openai/gpt", "messages": [{"role": "user", "content": "Why?"}]}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}, "strict": True}, "own": 1}
DOCUMENTED = """
messages model frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata
modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning_effort response_format
safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p
user verbosity web_search_options moderation audio stream_options.include_usage stream_options.include_obfuscation
"""
REFUSED = {
    "functions": [{"name": "look"}],
    "function_call": "auto",
    "logprobs": True,
    "top_logprobs": 3,
    "audio": {"voice": "alloy", "format": "mp3"},
    "modalities": ["text", "audio"],
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {},
    "moderation": {"model": "omni"},
    "stream_options.include_obfuscation": True,
}
PASSED = {
    "parallel_tool_calls": False,
    "logit_bias": {"50256": -100},
    "reasoning_effort": "low",
    "verbosity": "high",
    "safety_identifier": "hash",
    "prompt_cache_key": "key",
    "prompt_cache_options": {"mode": "explicit", "ttl": "30m"},
    "prompt_cache_retention": "24h",
    "service_tier": "flex",
}


def parsed(**fields: Any) -> tuple[Ask, bool]:
    return OpenAIDialect().parse({**HEAD, **fields}, CALLER)


def refusal(**fields: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        parsed(**fields)
    return caught.value


def names(treatment: Treatment) -> set[str]:
    return {name for name, support in FIELDS.items() if support.treatment is treatment}


def nested(name: str, value: Any) -> dict[str, Any]:
    outer, dot, inner = name.partition(".")
    return {outer: {inner: value}} if dot else {outer: value}


def test_the_declaration_names_every_field_of_the_request_and_no_other_is_read() -> None:
    read = set(OpenAIRequest.model_fields)
    assert read - FIELDS.keys() == set()
    top = {name for name in FIELDS if "." not in name}
    assert top - read == names(Treatment.REFUSED) - {"stream_options.include_obfuscation"}


def test_the_declaration_names_every_field_that_openai_documents() -> None:
    assert set(DOCUMENTED.split()) <= FIELDS.keys()


@pytest.mark.parametrize("name", sorted(names(Treatment.REFUSED)))
def test_a_refused_field_is_refused_by_name_and_says_why(name: str) -> None:
    error = refusal(**nested(name, REFUSED[name]))
    assert error.field == name
    assert FIELDS[name].note in error.message
    for harmless in (None, *FIELDS[name].harmless):
        parsed(**nested(name, harmless))


@pytest.mark.parametrize("name", sorted(names(Treatment.REFUSED)))
@given(value=st.recursive(st.integers() | st.text() | st.booleans(), st.lists, max_leaves=4))
def test_nothing_else_gets_past_a_refusal(name: str, value: Any) -> None:
    if any(type(value) is type(each) and value == each for each in FIELDS[name].harmless):
        return
    assert refusal(**nested(name, value)).field == name


@pytest.mark.parametrize("name", sorted(names(Treatment.PASSED)))
def test_a_passed_field_goes_on_as_it_came(name: str) -> None:
    ask, _ = parsed(**{name: PASSED[name]})
    assert dict(ask.passed_on) == {name: PASSED[name]}
    assert parsed(**{name: None})[0].passed_on == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, 5.5) for name in sorted(names(Treatment.PASSED))),
        ("logit_bias", {"1": 101}),
        ("logit_bias", {"1": "x"}),
        ("verbosity", "loud"),
        ("reasoning_effort", "auto"),
        ("n", 0),
        ("n", True),
        ("n", "2"),
        ("stop", 5),
        ("stop", ["a", 5]),
        ("seed", 1.5),
        ("seed", "7"),
        ("temperature", 2.1),
        ("temperature", "hot"),
        ("top_p", 1.1),
        ("frequency_penalty", 3),
        ("presence_penalty", -3),
        ("max_tokens", -1),
        ("max_completion_tokens", "many"),
        ("stream", "yes"),
        ("stream_options", [1]),
        ("tools", {}),
        ("tools", [5]),
        ("tools", [{"type": "custom", "custom": {"name": "x"}}]),
        ("tools", [{"type": "function"}]),
        ("tools", [{"type": "function", "function": {"name": ""}}]),
        ("tool_choice", "always"),
        ("tool_choice", {"type": "allowed_tools"}),
        ("tool_choice", {"type": "function", "function": {}}),
        ("tool_choice", "required"),  # without tools
        ("inputs", {"thing": "saw"}),  # without a saved prompt
        ("variables", {"thing": "saw"}),
        ("stream_options", {"include_usage": True}),  # without a stream
        ("stream_options", {"include_usage": 1}),
        ("response_format", "json"),
        ("metadata", {"a": 1}),
        ("metadata", {"a": "x" * 513}),
        ("metadata", {"a" * 65: "x"}),
        ("metadata", {str(number): "x" for number in range(17)}),
        ("store", "no"),
        ("user", 5),
        ("session_id", 5),
        ("model", ""),
        ("model", 5),
        ("messages", []),
        ("messages", None),
    ],
)
def test_a_wrong_type_is_refused_by_the_fields_name(field: str, value: Any) -> None:
    error = refusal(**{field: value})
    assert error.field is not None
    assert error.field.partition(".")[0] == field


def test_what_is_honoured_is_in_the_ask() -> None:
    ask, stream = parsed(
        n=3,
        stop="END",
        seed=7,
        temperature=0,
        top_p=1,
        frequency_penalty=-2,
        presence_penalty=2,
        max_tokens=5,
        tools=[TOOL],
        tool_choice="required",
        response_format={"type": "json_object"},
        metadata={"run": "4"},
        stream=True,
    )
    assert stream
    assert (ask.choices, ask.tools, ask.tool_choice) == (3, (TOOL,), "required")
    assert ask.response_format == {"type": "json_object"}
    assert ask.log == Logging(metadata={"run": "4"})
    sampling = ask.sampling
    assert (sampling.stop, sampling.seed, sampling.temperature, sampling.top_p) == (("END",), 7, 0, 1)
    assert (sampling.frequency_penalty, sampling.presence_penalty, sampling.max_tokens) == (-2, 2, 5)


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"max_tokens": 0}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6, "max_tokens": 5}, 6),
        ({"max_completion_tokens": 0, "max_tokens": 5}, None),
        ({"max_completion_tokens": None, "max_tokens": 5}, 5),
    ],
)
def test_the_token_limit(fields: dict[str, Any], limit: int | None) -> None:
    assert parsed(**fields)[0].sampling.max_tokens == limit


@pytest.mark.parametrize(("store", "omits"), [(None, False), (True, False), (False, True)])
def test_off_the_record(store: bool | None, omits: bool) -> None:
    log = parsed(store=store)[0].log
    assert (log.omit_inputs, log.omit_outputs) == (omits, omits)


def test_a_choice_of_no_tools_asks_for_nothing() -> None:
    assert parsed(tool_choice="none")[0].tool_choice is None
    assert parsed(tool_choice="none", tools=[TOOL])[0].tool_choice == "none"
