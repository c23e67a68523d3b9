"""OpenAI's chat completions, as its SDKs and Promptrun's send them; RAG by `repositories` in the body."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import AppError, InvalidRequestError
from app.core.types import Answer, Ask, Caller, Json, ToolCall
from app.dialects.base import Body, Credentials, Framer, Headers, Refusal, bearer, validated
from app.dialects.chat import ChatRequest, to_ask
from app.dialects.chunks import evidence
from app.dialects.errors import union_refusal
from app.dialects.union_stream import UnionFramer

# Fields that would change the answer and that no part of this service honours: refused, never ignored.
REFUSED = (
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "functions",
    "function_call",
    "audio",
    "prediction",
    "web_search_options",
)


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


EXAMPLE: dict[str, Json] = {
    "model": "footnote/extractive",
    "messages": [{"role": "user", "content": "How long may I borrow a pressure washer?"}],
    "repositories": {"ids": [1], "limit": 3, "similarity_threshold": 0.35},
}


class OpenAIRequest(ChatRequest):
    """A chat completion in OpenAI's format."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    model: str = Field(description="`provider/model`, or `default` for the project's.")
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=0, description="The newer name of `max_tokens`.")
    tool_choice: str | dict[str, Any] | None = None


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
        if body.get("parallel_tool_calls") is False:
            raise InvalidRequestError("`parallel_tool_calls` cannot be switched off.", field="parallel_tool_calls")
        request = validated(OpenAIRequest, body)
        if request.n not in (None, 1):
            raise InvalidRequestError("`n` must be 1: ask again for another answer.", field="n")
        ask = to_ask(request, caller, self.name, request.model)
        limit = request.max_completion_tokens or ask.sampling.max_tokens
        sampling = replace(ask.sampling, max_tokens=limit)
        return replace(ask, sampling=sampling, tool_choice=request.tool_choice), bool(request.stream)

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

    def error(self, error: AppError) -> Refusal:
        return union_refusal(error)


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
