"""Prem 0.3's chat completions (project_id, repositories, templates, sessions), as its SDKs send them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import AppError
from app.core.types import Answer, Ask, Caller, Json, Sampling, ToolCall
from app.dialects.base import Body, Credentials, Framer, Headers, bearer, validated
from app.dialects.chat import Repositories, WireMessage, arguments_object, to_messages
from app.dialects.chunks import evidence
from app.dialects.errors import union_error
from app.dialects.ids import Id
from app.dialects.openai import usage
from app.dialects.union_stream import UnionFramer

EXAMPLE: dict[str, Json] = {
    "project_id": 1,
    "messages": [{"role": "user", "content": "How long may I borrow a pressure washer?"}],
    "repositories": {"ids": [1], "limit": 3, "similarity_threshold": 0.35},
}


class PremRequest(BaseModel):
    """A chat completion in Prem's format."""

    model_config = ConfigDict(
        extra="ignore",  # LangChain and llama-index send fields of their own
        json_schema_extra={"example": EXAMPLE},
    )

    project_id: Id = Field(ge=1, strict=True)  # "2" or true must not silently mean the key's own project
    messages: list[WireMessage]
    session_id: str | None = Field(None, max_length=200, description="Tracks the chat history.")
    repositories: Repositories | None = Field(None, description="Overrides the project's repositories.")
    model: str | None = Field(None, description="The project's when left out.")
    system_prompt: str | None = Field(None, description="Overrides the project's.")
    max_tokens: int | None = Field(None, ge=0, description="0 is no limit.")
    stream: bool | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    seed: int | None = None
    stop: str | list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    response_format: dict[str, Any] | None = None
    user: str | None = None


class PremDialect:
    """Claims every body with a `project_id`."""

    name = "prem"

    def __init__(self, *, spaced_done: bool = False) -> None:
        self._spaced_done = spaced_done

    def claims(self, body: Body, headers: Headers) -> bool:
        return "project_id" in body

    def credentials(self, body: Body, headers: Headers) -> Credentials:
        project_id, user = body.get("project_id"), body.get("user")
        return Credentials(
            bearer(headers),
            project_id if isinstance(project_id, int) and not isinstance(project_id, bool) else None,
            user if isinstance(user, str) else "",
        )

    def parse(self, body: Body, caller: Caller) -> tuple[Ask, bool]:
        request = validated(PremRequest, body)
        repositories = request.repositories or Repositories()
        ask = Ask(
            caller=caller,
            messages=to_messages(request.messages),
            model=request.model,
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
            dialect=self.name,
        )
        return ask, bool(request.stream)

    def render(self, answer: Answer) -> Json:
        started, finished = answer.started, answer.finished
        calls = [_tool_call(call) for call in finished.tool_calls] or None
        message: dict[str, Json] = {
            "role": "assistant",
            "content": finished.text if finished.text or not calls else None,
            "template_id": None,
            "params": None,
            "tool_calls": calls,  # LangChain reads this key even when there are none
        }
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": str(finished.finish_reason),
            **({"tool_calls": calls} if calls else {}),
        }
        return {
            "id": f"chatcmpl-{started.trace_id}",
            "object": "chat.completion",
            "choices": [choice],
            "created": started.created,
            "model": started.model,
            "provider_name": started.provider,
            "provider_id": started.provider,
            "usage": usage(answer),
            **evidence(answer.retrieved, finished, started.trace_id),
        }

    def framer(self, body: Body) -> Framer:
        return UnionFramer(spaced_done=self._spaced_done)

    def error(self, error: AppError) -> Json:
        return union_error(error)


def _tool_call(call: ToolCall) -> Json:
    arguments = arguments_object(call.arguments)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
