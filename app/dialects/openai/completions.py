"""OpenAI's chat completions, as its SDKs and Promptrun's send them; RAG by `repositories` in the body."""

from __future__ import annotations

from dataclasses import replace

from app.core.errors import AppError, InvalidRequestError
from app.core.tracing import describe_citation, describe_usage
from app.core.types import Answer, Ask, Caller, Choice, Json, Logging, ToolCall
from app.dialects.base import Body, Credentials, Framer, Headers, Refusal, bearer, validated
from app.dialects.chat import to_ask
from app.dialects.chunks import evidence
from app.dialects.errors import union_refusal
from app.dialects.openai.promptrun import INPUTS, PROMPT_HEADER
from app.dialects.openai.request import FIELDS, OpenAIRequest
from app.dialects.support import passed_on, refuse_unsupported
from app.dialects.union_stream import UnionFramer


class OpenAIDialect:
    """Claims every body with a `model`, or whose header names a saved prompt, which has one.

    `fingerprint` changes with the code and with the index that it searches.
    """

    name = "openai"

    def __init__(self, *, spaced_done: bool = False, fingerprint: str | None = None) -> None:
        self._spaced_done = spaced_done
        self._fingerprint = fingerprint

    def claims(self, body: Body, headers: Headers) -> bool:
        return "model" in body or PROMPT_HEADER.lower() in headers

    def credentials(self, body: Body, headers: Headers) -> Credentials:
        user = body.get("user")
        return Credentials(bearer(headers), user=user if isinstance(user, str) else "")

    def parse(self, body: Body, caller: Caller) -> tuple[Ask, bool]:
        refuse_unsupported(body, FIELDS)
        request = validated(OpenAIRequest, body)
        _refuse_what_would_be_ignored(request)
        ask = to_ask(request, caller, self.name, request.model)
        limit = request.max_tokens if request.max_completion_tokens is None else request.max_completion_tokens
        off_the_record = request.store is False
        ask = replace(
            ask,
            sampling=replace(ask.sampling, max_tokens=limit or None),
            tool_choice=request.tool_choice if request.tools else None,
            passed_on=passed_on(request, FIELDS),
            choices=request.n or 1,
            log=Logging(metadata=request.metadata or {}, omit_inputs=off_the_record, omit_outputs=off_the_record),
        )
        return ask, bool(request.stream)

    def render(self, answer: Answer) -> Json:
        started, finished = answer.started, answer.finished
        alone = len(finished.choices) == 1
        return {
            "id": f"chatcmpl-{started.trace_id}",
            "object": "chat.completion",
            "created": started.created,
            "model": finished.model or started.model,
            "choices": [_choice(number, choice, alone=alone) for number, choice in enumerate(finished.choices)],
            "usage": describe_usage(finished.usage),
            **({} if self._fingerprint is None else {"system_fingerprint": self._fingerprint}),
            "provider_name": finished.provider or started.provider,
            "provider_id": finished.provider or started.provider,
            **evidence(answer.retrieved, finished, started.trace_id),
        }

    def framer(self, body: Body) -> Framer:
        options = body.get("stream_options") or {}
        return UnionFramer(
            include_usage=bool(options.get("include_usage")),
            spaced_done=self._spaced_done,
            choices=body.get("n") or 1,
            separate_refusals=True,
        )

    def error(self, error: AppError) -> Refusal:
        return union_refusal(error)


def _refuse_what_would_be_ignored(request: OpenAIRequest) -> None:
    """Raises InvalidRequestError for fields that only mean something beside others that are not there."""
    if request.tool_choice not in (None, "none", "auto") and not request.tools:
        raise InvalidRequestError("`tool_choice` needs `tools` to choose from.", field="tool_choice")
    if request.stream_options is not None and request.stream_options.include_usage and not request.stream:
        raise InvalidRequestError(
            "`stream_options` needs `stream: true`; a whole answer has its usage anyway.", field="stream_options"
        )
    for name in INPUTS:  # a saved prompt has used them up
        if getattr(request, name):
            raise InvalidRequestError(
                f"`{name}` fills the placeholders of a saved prompt: send `{PROMPT_HEADER}` and `messages: []`.",
                field=name,
            )


def _choice(number: int, choice: Choice, *, alone: bool) -> Json:
    message: dict[str, Json] = {
        "role": "assistant",
        "content": None if choice.refusal or (choice.tool_calls and not choice.text) else choice.text,
        "refusal": choice.text if choice.refusal else None,
        "tool_calls": [_tool_call(call) for call in choice.tool_calls] or None,
    }
    shown = {"index": number, "message": message, "logprobs": None, "finish_reason": str(choice.finish_reason)}
    if not alone:  # the citations beside the choices are the first one's
        shown["citations"] = [describe_citation(citation) for citation in choice.citations]
    return shown


def _tool_call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
