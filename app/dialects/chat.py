"""The request parts that Prem and OpenAI share, and how they become core types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import InvalidRequestError
from app.core.types import Ask, Caller, Json, Message, Sampling, ToolCall
from app.dialects.ids import Id


class Repositories(BaseModel):
    """Where to search, how much to bring, and how similar it must be."""

    model_config = ConfigDict(extra="ignore")

    ids: list[Annotated[Id, Field(strict=True)]] | None = Field(
        None, max_length=1000, description="Repositories to search; the project's when left out."
    )
    limit: int | None = Field(None, ge=1, strict=True, description="Most chunks to bring.", examples=[3])
    similarity_threshold: float | None = Field(
        None, ge=0, le=1, description="Least `similarity_score` of a chunk.", examples=[0.5]
    )


class TextPart(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: str
    text: str | None = None


class FunctionCall(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str
    arguments: str | dict[str, Any] = ""


class WireToolCall(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    type: str = "function"
    function: FunctionCall


class WireMessage(BaseModel):
    """A message with text, or with a template's id and params in its place."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    template_id: str | None = None
    params: dict[str, Any] | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class ChatRequest(BaseModel):
    """The fields that both formats have, under the same names and with the same meaning."""

    model_config = ConfigDict(extra="ignore")  # LangChain, llama-index and new SDKs send fields of their own

    messages: list[WireMessage]
    repositories: Repositories | None = Field(None, description="Where to search; the project's when left out.")
    system_prompt: str | None = Field(None, description="Overrides the project's.")
    session_id: str | None = Field(None, max_length=200, description="Your name for the conversation.")
    stream: bool | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: int | None = Field(None, ge=0, description="0 is no limit.")
    stop: str | list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    tools: list[dict[str, Any]] | None = None
    response_format: dict[str, Any] | None = None
    user: str | None = Field(None, max_length=200, description="Your own end user; keeps their sessions apart.")


def to_ask(request: ChatRequest, caller: Caller, dialect: str, model: str | None) -> Ask:
    """The ask of the shared fields; raises InvalidRequestError for messages that cannot be answered."""
    repositories = request.repositories or Repositories()
    return Ask(
        caller=caller,
        messages=to_messages(request.messages),
        model=model,
        system_prompt=request.system_prompt,
        repository_ids=None if repositories.ids is None else tuple(repositories.ids),
        limit=repositories.limit,
        similarity_threshold=repositories.similarity_threshold,
        sampling=Sampling(
            temperature=request.temperature,
            top_p=request.top_p,
            max_tokens=request.max_tokens or None,
            stop=(request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ()),
            seed=request.seed,
            frequency_penalty=request.frequency_penalty,
            presence_penalty=request.presence_penalty,
        ),
        tools=tuple(request.tools or ()),
        response_format=request.response_format,
        session=request.session_id,
        dialect=dialect,
    )


def to_messages(messages: Sequence[WireMessage]) -> tuple[Message, ...]:
    """Core messages; raises InvalidRequestError for what cannot be answered."""
    if not messages:
        raise InvalidRequestError("`messages` is empty: send at least one user message.", field="messages")
    return tuple(_message(message) for message in messages)


def arguments_object(arguments: str) -> Json:
    """A tool call's arguments as the JSON object they should be; the text itself where a model wrote no JSON."""
    try:
        return orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        return arguments


def _message(message: WireMessage) -> Message:
    content = message.content
    if isinstance(content, list):
        for part in content:
            if part.type not in ("text", "input_text") or part.text is None:
                raise InvalidRequestError(
                    f"Content of type `{part.type}` is not supported: send text.", field="messages.content"
                )
        content = "\n".join(part.text or "" for part in content)
    return Message(
        role="system" if message.role == "developer" else message.role,
        content=content,
        template_id=message.template_id,
        params=message.params or {},
        tool_calls=tuple(_tool_call(call) for call in message.tool_calls or ()),
        tool_call_id=message.tool_call_id,
        name=message.name,
    )


def _tool_call(call: WireToolCall) -> ToolCall:
    arguments = call.function.arguments
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    return ToolCall(call.id, call.function.name, text)
