"""OpenAI's chat completions, as its SDKs and Promptrun's send them; RAG by `repositories` in the body."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import AppError, InvalidRequestError
from app.core.types import Answer, Ask, Caller, Json, Sampling, ToolCall
from app.dialects.base import Body, Credentials, Framer, Headers, bearer, validated
from app.dialects.chat import Repositories, WireMessage, to_messages
from app.dialects.chunks import evidence
from app.dialects.errors import union_error
from app.dialects.union_stream import UnionFramer

# Fields that would change the answer and that no part of this service honours: refused, never ignored.
REFUSED = ("logprobs", "top_logprobs", "functions", "function_call", "audio", "prediction", "web_search_options")


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


EXAMPLE: dict[str, Json] = {
    "model": "footnote/extractive",
    "messages": [{"role": "user", "content": "How long may I borrow a pressure washer?"}],
    "repositories": {"ids": [1], "limit": 3, "similarity_threshold": 0.35},
}


class OpenAIRequest(BaseModel):
    """A chat completion in OpenAI's format."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"example": EXAMPLE},
    )

    model: str = Field(description="`provider/model`, or `default` for the project's.")
    messages: list[WireMessage]
    repositories: Repositories | None = Field(None, description="Where to search; the project's when left out.")
    system_prompt: str | None = None
    session_id: str | None = Field(None, max_length=200, description="Your name for the conversation.")
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: int | None = Field(None, ge=0)
    max_completion_tokens: int | None = Field(None, ge=0)
    stop: str | list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    user: str | None = None


class OpenAIDialect:
    """Claims every body with a `model`."""

    name = "openai"

    def __init__(self, *, spaced_done: bool = False) -> None:
        self._spaced_done = spaced_done

    def claims(self, body: Body, headers: Headers) -> bool:
        return "model" in body

    def credentials(self, body: Body, headers: Headers) -> Credentials:
        user = body.get("user")
        return Credentials(bearer(headers), user=user if isinstance(user, str) else "")

    def parse(self, body: Body, caller: Caller) -> tuple[Ask, bool]:
        for name in REFUSED:
            if body.get(name):
                raise InvalidRequestError(f"`{name}` is not supported here: leave it out.", field=name)
        request = validated(OpenAIRequest, body)
        if request.n not in (None, 1):
            raise InvalidRequestError("`n` must be 1: ask again for another answer.", field="n")
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
                max_tokens=request.max_completion_tokens or request.max_tokens or None,  # 0 means no limit
                stop=(request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ()),
                seed=request.seed,
                frequency_penalty=request.frequency_penalty,
                presence_penalty=request.presence_penalty,
            ),
            tools=tuple(request.tools or ()),
            tool_choice=request.tool_choice,
            response_format=request.response_format,
            session=request.session_id,
            dialect=self.name,
        )
        return ask, bool(request.stream)

    def render(self, answer: Answer) -> Json:
        started, finished = answer.started, answer.finished
        message: dict[str, Json] = {
            "role": "assistant",
            "content": finished.text if finished.text or not finished.tool_calls else None,
            "refusal": None,
            "tool_calls": [_tool_call(call) for call in finished.tool_calls] or None,
        }
        return {
            "id": f"chatcmpl-{started.trace_id}",
            "object": "chat.completion",
            "created": started.created,
            "model": started.model,
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": str(finished.finish_reason)}
            ],
            "usage": usage(answer),
            "provider_name": started.provider,
            "provider_id": started.provider,
            **evidence(answer.retrieved, finished, started.trace_id),
        }

    def framer(self, body: Body) -> Framer:
        options = body.get("stream_options") or {}
        return UnionFramer(include_usage=bool(options.get("include_usage")), spaced_done=self._spaced_done)

    def error(self, error: AppError) -> Json:
        return union_error(error)


def usage(answer: Answer) -> Json:
    """Token counts under the names Prem and OpenAI share."""
    counted = answer.finished.usage
    return {
        "prompt_tokens": counted.prompt_tokens,
        "completion_tokens": counted.completion_tokens,
        "total_tokens": counted.total_tokens,
    }


def _tool_call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
