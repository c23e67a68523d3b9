"""Prem 0.3's chat completions (project_id, repositories, templates, sessions), as its SDKs send them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.core.errors import AppError, InvalidRequestError
from app.core.tracing import describe_usage
from app.core.types import Answer, Ask, Caller, Choice, Json, Message, ToolCall
from app.dialects.base import Body, Credentials, Framer, Headers, Refusal, bearer, validated
from app.dialects.chat import arguments_object, to_ask
from app.dialects.chunks import evidence
from app.dialects.errors import union_refusal
from app.dialects.prem.request import FIELDS, PremRequest
from app.dialects.support import passed_on, refuse_unsupported
from app.dialects.union_stream import UnionFramer


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
        refuse_unsupported(body, FIELDS)
        request = validated(PremRequest, body)
        ask = to_ask(request, caller, self.name, request.model)
        ask = replace(
            ask,
            messages=with_templates(ask.messages, request.template_id),
            choices=request.n or 1,
            passed_on=passed_on(request, FIELDS),
        )
        return ask, bool(request.stream)

    def render(self, answer: Answer) -> Json:
        started, finished = answer.started, answer.finished
        model = finished.model or started.model  # the one that answered, after a fallback another than was asked for
        provider = finished.provider or started.provider
        return {
            "id": f"chatcmpl-{started.trace_id}",
            "object": "chat.completion",
            "choices": [_choice(number, choice) for number, choice in enumerate(finished.choices)],
            "created": started.created,
            "model": model,
            "provider_name": provider,
            "provider_id": provider,
            "usage": describe_usage(finished.usage),
            **evidence(answer.retrieved, finished, started.trace_id),
        }

    def framer(self, body: Body) -> Framer:
        return UnionFramer(spaced_done=self._spaced_done, choices=body.get("n") or 1)

    def error(self, error: AppError) -> Refusal:
        return union_refusal(error)


def with_templates(messages: Sequence[Message], template_id: str | None) -> tuple[Message, ...]:
    """The messages, each with the template that the request names for it, which may use its text as `${content}`.

    Raises InvalidRequestError for a template that no message uses.
    """
    told = tuple(
        replace(message, template_id=template_id)
        if message.role == "user" and message.params and message.template_id is None
        else message
        for message in messages
    )
    if template_id is not None and all(message.template_id != template_id for message in told):
        raise InvalidRequestError(
            "`template_id` is used by no message: send it in one, in the place of `content`, or send `params` there.",
            field="template_id",
        )
    return tuple(
        replace(message, params={"content": message.content, **message.params})
        if message.template_id is not None and message.content is not None
        else message
        for message in told
    )


def _choice(number: int, choice: Choice) -> Json:
    calls = [_tool_call(call) for call in choice.tool_calls] or None
    message: dict[str, Json] = {
        "role": "assistant",
        "content": choice.text if choice.text or not calls else None,
        "template_id": None,
        "params": None,
        "tool_calls": calls,  # LangChain reads this key even when there are none
    }
    shown: dict[str, Json] = {"index": number, "message": message, "finish_reason": str(choice.finish_reason)}
    return {**shown, "tool_calls": calls} if calls else shown


def _tool_call(call: ToolCall) -> Json:
    arguments = arguments_object(call.arguments)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
