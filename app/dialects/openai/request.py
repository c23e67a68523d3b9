"""A chat completion's request in OpenAI's format: every field that its SDKs send, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.core.types import Json
from app.dialects.chat import ChatRequest
from app.dialects.support import Fields, honoured, passed, refused

_NO_NUMBERS = "answers carry no probabilities, only text and citations; leave it out."
_TEXT_ONLY = "answers are text; leave it out."
_INPUTS = "Values for a saved prompt's `{{name}}`: with `HTTP-Prompt-Id` and empty `messages`; refused without."
_FUNCTIONS = "it gave way to `tools` and `tool_choice`; send those."

FIELDS: Fields = {
    "messages": honoured("Text, also as parts; images and audio are refused as `messages.content`."),
    "model": honoured("`provider/model`; a bare name means the default provider's, `default` the project's model."),
    "repositories": honoured("Where to search: `ids`, `limit`, `similarity_threshold`; the project's when left out."),
    "system_prompt": honoured("Overrides the project's."),
    "inputs": honoured(_INPUTS),
    "variables": honoured(_INPUTS),
    "session_id": honoured("Your name for the conversation; its earlier turns are part of the prompt."),
    "stream": honoured("Server-sent events, one network message each."),
    "stream_options": honoured("See its fields; refused where nothing is streamed."),
    "stream_options.include_usage": honoured("A last chunk without choices carries the usage."),
    "stream_options.include_obfuscation": refused("chunks are not padded; leave it out or send false.", False),
    "n": honoured("Answers to one prompt, at most `FOOTNOTE_MAX_CHOICES`; with a seed, answer i has seed + i."),
    "stop": honoured("One text or a list; the answer ends before it."),
    "seed": honoured("Goes to the model; the extractive model is deterministic without."),
    "temperature": honoured("0 to 2; goes to the model."),
    "top_p": honoured("0 to 1; goes to the model."),
    "frequency_penalty": honoured("-2 to 2; goes to the model."),
    "presence_penalty": honoured("-2 to 2; goes to the model."),
    "max_completion_tokens": honoured("0 is no limit."),
    "max_tokens": honoured("The older name of `max_completion_tokens`, which wins where both are sent."),
    "tools": honoured("Functions go to the model, its calls come back; other types of tools are refused by name."),
    "tool_choice": honoured("none, auto, required, or one function; goes to the model."),
    "response_format": honoured("text, json_object or json_schema; the answer is held against it."),
    "metadata": honoured("Kept in the trace: at most 16 texts of 512 characters under names of 64."),
    "store": honoured("False: nothing of the contents is kept, in the trace or in the session's history."),
    "user": honoured("Keeps your end users' sessions apart and stands in the trace; it stays in this service."),
    "parallel_tool_calls": passed("May the model call several functions at once."),
    "logit_bias": passed("By the model's own token numbers; refused by the extractive model, which has none."),
    "reasoning_effort": passed("How long the model may think; the extractive model does not."),
    "verbosity": passed("Refused by the extractive model, whose answers have the length of what they quote."),
    "safety_identifier": passed("For the provider's own checks."),
    "prompt_cache_key": passed("For the provider's cache."),
    "prompt_cache_options": passed("For the provider's cache."),
    "prompt_cache_retention": passed("For the provider's cache."),
    "service_tier": passed("What the provider charges and how fast it is; the answer does not repeat it."),
    "modalities": refused(_TEXT_ONLY, ["text"]),
    "audio": refused(_TEXT_ONLY),
    "logprobs": refused(_NO_NUMBERS, False),
    "top_logprobs": refused(_NO_NUMBERS, 0),
    "functions": refused(_FUNCTIONS, []),
    "function_call": refused(_FUNCTIONS, "none"),
    "prediction": refused("no provider here takes a predicted answer; leave it out."),
    "web_search_options": refused("answers come from your documents, not from the web; leave it out."),
    "moderation": refused("nothing here moderates; leave it out, or ask a moderation service."),
}

EXAMPLE: dict[str, Json] = {
    "model": "footnote/extractive",
    "messages": [{"role": "user", "content": "How long may I borrow a pressure washer?"}],
    "repositories": {"ids": [1], "limit": 3, "similarity_threshold": 0.35},
}


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    include_usage: bool | None = None


def _function_tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        raise ValueError(f"a tool of type {tool.get('type')!r} is not supported, only `function`")
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise ValueError("a tool needs `function.name`")
    return tool


def _one_function(choice: dict[str, Any]) -> dict[str, Any]:
    if choice.get("type") != "function":
        raise ValueError(f"a choice of type {choice.get('type')!r} is not supported, only `function`")
    return _function_tool(choice)


Tool = Annotated[dict[str, Any], AfterValidator(_function_tool)]
ToolChoice = Literal["none", "auto", "required"] | Annotated[dict[str, Any], AfterValidator(_one_function)]


class OpenAIRequest(ChatRequest):
    """A chat completion in OpenAI's format."""

    model_config = ConfigDict(strict=True, json_schema_extra={"example": EXAMPLE})  # "7" is no seed, nor true an n

    model: str = Field(min_length=1, description="`provider/model`, or `default` for the project's.")
    inputs: dict[str, Any] | None = Field(None, description="Values for a saved prompt's `{{name}}`.")
    variables: dict[str, Any] | None = Field(None, description="Another name of `inputs`.")
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1, description="Answers to one prompt.")
    max_completion_tokens: int | None = Field(None, ge=0, description="The newer name of `max_tokens`; 0 is no limit.")
    tools: list[Tool] | None = None  # held to what can be answered
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    safety_identifier: str | None = Field(None, max_length=200)
    prompt_cache_key: str | None = Field(None, max_length=200)
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = Field(None, max_length=50)
    service_tier: str | None = Field(None, max_length=50)
    metadata: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]] | None = Field(
        None, max_length=16, description="Kept in the trace."
    )
    store: bool | None = Field(None, description="False: nothing of the contents is kept.")
