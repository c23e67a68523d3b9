"""Prem 0.3's chat completions (project_id, repositories, templates, sessions), as its SDKs send them."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from app.core.errors import AppError
from app.core.types import Answer, Ask, Caller, Json, ToolCall
from app.dialects.base import Body, Credentials, Framer, Headers, Refusal, bearer, validated
from app.dialects.chat import ChatRequest, arguments_object, to_ask
from app.dialects.chunks import evidence
from app.dialects.errors import union_refusal
from app.dialects.ids import Id
from app.dialects.openai import usage
from app.dialects.union_stream import UnionFramer

EXAMPLE: dict[str, Json] = {
    "project_id": 1,
    "messages": [{"role": "user", "content": "How long may I borrow a pressure washer?"}],
    "repositories": {"ids": [1], "limit": 3, "similarity_threshold": 0.35},
}


class PremRequest(ChatRequest):
    """A chat completion in Prem's format."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    project_id: Id = Field(ge=1, strict=True)  # "2" or true must not silently mean the key's own project
    model: str | None = Field(None, description="The project's when left out.")


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
        return to_ask(request, caller, self.name, request.model), bool(request.stream)

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

    def error(self, error: AppError) -> Refusal:
        return union_refusal(error)


def _tool_call(call: ToolCall) -> Json:
    arguments = arguments_object(call.arguments)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
