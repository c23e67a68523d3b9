"""Saved prompts in Promptrun's shape, and in the place of a request's messages."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidRequestError, NotFoundError
from app.core.library import PromptMessage, PromptVersion
from app.core.types import Caller
from app.dialects.openai.completions import OpenAIDialect
from app.dialects.openai.promptrun import PromptName, prompt_named, shape, standing_in, version_number

PROMPT = str(uuid.UUID(int=5))
MADE_AT = 1_750_000_000.25


def version(*contents: str, **fields: Any) -> PromptVersion:
    defaults: dict[str, Any] = {
        "prompt_id": PROMPT,
        "name": "Lending",
        "number": 3,
        "messages": tuple(PromptMessage("user", content) for content in contents or ("Lend {{thing}}?",)),
        "model": "openai/gpt",
        "params": {},
        "functions": (),
        "function_call": None,
        "tag": "live",
        "note": "shorter",
        "created_by": "ada",
        "created_at": MADE_AT,
    }
    return PromptVersion(**(defaults | fields))


def test_the_shape() -> None:
    shown = shape(version("One", "Two", params={"temperature": 0}), "footnote/extractive").model_dump()
    assert datetime.datetime.fromisoformat(shown["createdAt"]).timestamp() == MADE_AT
    assert shown["updatedAt"] == shown["createdAt"]
    assert shown["prompt"] == "One\n\nTwo"
    assert shown["messages"] == [{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}]
    assert (shown["version"], shown["versionMessage"], shown["tag"]) == (3, "shorter", "live")
    assert shown["temperature"] == 0
    assert shown["user"] == {"id": "ada", "clerkId": "ada"}
    assert shown["project"] == {"id": PROMPT, "name": "Lending"}
    assert shown["model"] == {"name": "gpt", "provider": "openai", "model": "openai/gpt", "icon": ""}


def test_what_a_version_leaves_open() -> None:
    shown = shape(version(model=None, note=None, tag=None), "footnote/extractive")
    assert (shown.model.model, shown.model.provider, shown.model.name) == (
        "footnote/extractive",
        "footnote",
        "extractive",
    )
    assert (shown.versionMessage, shown.tag, shown.temperature) == ("", None, 1)
    assert shape(version(model="bare"), "").model.provider == ""


def test_a_versions_id_names_it() -> None:
    shown = shape(version(), "")
    assert prompt_named(shown.id) == PromptName(PROMPT, 3)
    assert prompt_named(PROMPT) == PromptName(PROMPT)
    assert prompt_named("Lending") == PromptName("Lending")
    assert prompt_named("me@3") == PromptName("me@3")  # a name


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("v12", 12), ("2147483647", 2**31 - 1)])
def test_version_numbers(text: str, number: int) -> None:
    assert version_number(text, "version") == number


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "3 ", "٣", "latest", "99999999999"])
def test_no_version_numbers(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        version_number(text, "version")
    assert caught.value.field == "version"


@pytest.mark.parametrize("text", ["0", "2147483648"])
def test_numbers_that_no_version_has(text: str) -> None:
    with pytest.raises(NotFoundError):
        version_number(text, "version")


@pytest.mark.parametrize("name", ["inputs", "variables"])
def test_a_saved_prompt_stands_in_for_no_messages(name: str) -> None:
    body = {"model": "m", "messages": [], name: {"thing": "{{other}}", "count": 2}}
    filled, inputs = standing_in(body, version("Lend {{thing}} {{ count }} {{who}}?"))
    assert filled["messages"] == [{"role": "user", "content": "Lend {{other}} 2 {{who}}?"}]
    assert inputs == {"thing": "{{other}}", "count": 2}


def test_the_request_goes_before_the_version() -> None:
    saved = version("Hi", params={"temperature": 0.2, "seed": 4, "top_p": None}, functions=({"name": "look"},))
    filled, _ = standing_in({"model": "m", "messages": [], "temperature": 0.9, "seed": None}, saved)
    ask, _ = OpenAIDialect().parse(filled, Caller(1))
    assert (ask.sampling.temperature, ask.sampling.seed, ask.sampling.top_p) == (0.9, 4, None)
    assert ask.tools == ({"type": "function", "function": {"name": "look"}},)


@pytest.mark.parametrize(
    ("saved", "choice"),
    [(None, None), ("auto", "auto"), ({"name": "look"}, {"type": "function", "function": {"name": "look"}})],
)
def test_a_saved_function_call_is_a_tool_choice(saved: Any, choice: Any) -> None:
    prompt = version("Hi", functions=({"name": "look"},), function_call=saved)
    ask, _ = OpenAIDialect().parse(standing_in({"model": "m", "messages": []}, prompt)[0], Caller(1))
    assert ask.tool_choice == choice


@given(st.dictionaries(st.sampled_from(["model", "messages", "inputs", "n"]), st.integers() | st.just([1])))
def test_a_request_with_messages_is_left_as_it_is(body: dict[str, Any]) -> None:
    assert standing_in(body, version()) == (body, {})


@pytest.mark.parametrize("inputs", [5, "x", [1]])
def test_inputs_are_an_object(inputs: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        standing_in({"messages": [], "inputs": inputs}, version())
    assert caught.value.field == "inputs"
