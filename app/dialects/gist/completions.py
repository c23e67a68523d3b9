"""ProRata's Gist: one question a request, and the conversation by `thread_id` and `turn_id` instead of by heart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from app.core.errors import AppError, InvalidRequestError
from app.core.tracing import describe_usage
from app.core.types import Answer, Ask, Caller, Json, Message, Sampling
from app.dialects.base import Body, Credentials, Framer, Headers, Refusal, bearer, validated
from app.dialects.chat import Repositories
from app.dialects.chunks import evidence
from app.dialects.gist.citations import gist_citations
from app.dialects.gist.errors import gist_refusal
from app.dialects.gist.stream import GistFramer, place_of, response_time
from app.dialects.ids import storable

USER_HEADER = "x-user-id"
USER_CHARS = 200
EXAMPLE: dict[str, Json] = {"messages": [{"role": "user", "content": "Why is the sky blue?"}]}


class Pointer(BaseModel):
    """An answer by its place: what `threadId` and `turnId` of an earlier response said."""

    model_config = ConfigDict(extra="ignore")

    thread_id: str
    turn_id: StrictStr | StrictInt


class GistMessage(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Literal["user", "assistant", "system"]
    content: str | None = None
    metadata: Pointer | None = Field(None, description="In place of an assistant's content: the answer to go on from.")


class GistRequest(BaseModel):
    """A chat completion in Gist's format; from `model` on, what this service adds to it."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"example": EXAMPLE})

    messages: list[GistMessage] = Field(description="In any order: the last user message is the question.")
    temperature: float | None = Field(None, ge=0, le=1, description="The model's own when left out.")
    stream: bool | None = None
    model: str | None = Field(None, description="`provider/model`; only under /gist/v1, elsewhere it means OpenAI.")
    repositories: Repositories | None = Field(None, description="Where to search; the project's when left out.")
    system_prompt: str | None = Field(None, description="Overrides the project's.")
    max_tokens: int | None = Field(None, ge=0, description="0 is no limit.")


class GistDialect:
    """Claims bodies without `project_id` and `model` that name a user in `X-User-ID` or point into a thread."""

    name = "gist"

    def claims(self, body: Body, headers: Headers) -> bool:
        if "project_id" in body or "model" in body:
            return False
        return USER_HEADER in headers or _points_somewhere(body.get("messages"))

    def credentials(self, body: Body, headers: Headers) -> Credentials:
        return Credentials(bearer(headers), user=headers.get(USER_HEADER, ""))

    def parse(self, body: Body, caller: Caller) -> tuple[Ask, bool]:
        check_user(caller.user)
        request = validated(GistRequest, body)
        repositories = request.repositories or Repositories()
        pointer = _pointer(request.messages)
        ask = Ask(
            caller=caller,
            messages=_messages(request.messages),
            model=request.model,
            system_prompt=request.system_prompt,
            repository_ids=None if repositories.ids is None else tuple(repositories.ids),
            limit=repositories.limit,
            similarity_threshold=repositories.similarity_threshold,
            sampling=Sampling(temperature=request.temperature, max_tokens=request.max_tokens or None),
            thread_id=pointer.thread_id if pointer else None,
            after_turn=turn_number(pointer.turn_id) if pointer else None,
            remember=True,
            dialect=self.name,
        )
        return ask, bool(request.stream)

    def render(self, answer: Answer) -> Json:
        started, retrieved, finished = answer.started, answer.retrieved, answer.finished
        message: dict[str, Json] = {
            "role": "assistant",
            "content": finished.text,
            "refusal": None,
            "tool_calls": None,
            "metadata": {"thread_id": started.thread_id, "turn_id": str(started.turn_number)},
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": str(finished.finish_reason)}
        return {
            "id": f"chatcmpl-{started.trace_id}",
            "object": "chat.completion",
            "created": started.created,
            "model": finished.model or started.model,
            "choices": [choice],
            "usage": describe_usage(finished.usage),
            **place_of(started),
            "title": started.title,
            "response_time": response_time(finished),
            **evidence(retrieved, finished, started.trace_id),
            "citations": gist_citations(started.trace_id, finished.citations, retrieved.hits),
        }

    def framer(self, body: Body) -> Framer:
        return GistFramer()

    def error(self, error: AppError) -> Refusal:
        return gist_refusal(error)


def check_user(user: str) -> str:
    """The user a request names; raises InvalidRequestError when it names none."""
    if not user.strip():
        raise InvalidRequestError("Send the header `X-User-ID`: threads belong to a user.", field="X-User-ID")
    if len(user) > USER_CHARS:
        raise InvalidRequestError(f"`X-User-ID` may have {USER_CHARS} characters.", field="X-User-ID")
    return user


def turn_number(turn_id: str | int) -> int:
    """A turn's number; raises InvalidRequestError for what is no number, NotFoundError for what no turn can have."""
    written = str(turn_id)
    if not (written.isascii() and written.isdecimal()):
        raise InvalidRequestError(f"`turn_id` must be a turn's number, not {written[:40]!r}.", field="turn_id")
    return storable(int(written[:40]))


def _points_somewhere(messages: Any) -> bool:
    """Has some message `metadata.thread_id`? The body is not validated yet."""
    for message in messages if isinstance(messages, list) else ():
        metadata = message.get("metadata") if isinstance(message, Mapping) else None
        if isinstance(metadata, Mapping) and "thread_id" in metadata:
            return True
    return False


def _pointer(messages: Sequence[GistMessage]) -> Pointer | None:
    pointers = [message.metadata for message in messages if message.metadata is not None]
    if len({(each.thread_id, str(each.turn_id)) for each in pointers}) > 1:
        raise InvalidRequestError(
            "The messages point to different turns: a question goes on from one answer.", field="messages.metadata"
        )
    return pointers[0] if pointers else None


def _messages(messages: Sequence[GistMessage]) -> tuple[Message, ...]:
    """The conversation with its question last, wherever that stood.

    An assistant message with metadata is only a pointer, whatever its content: the thread has that. In a conversation
    written oldest first, the thread also has what stands before the pointer.
    """
    asked = max((at for at, each in enumerate(messages) if each.role == "user"), default=None)
    if asked is None:
        raise InvalidRequestError("There is no message with role `user` to answer.", field="messages")
    pointed = max((at for at, each in enumerate(messages) if each.metadata is not None), default=-1)
    said = [
        Message(each.role, each.content)
        for at, each in enumerate(messages)
        if at != asked
        and not (each.role == "assistant" and each.metadata is not None)
        and (each.role == "system" or not at < pointed < asked)
    ]
    if any(each.content is None for each in said):
        raise InvalidRequestError(
            "A message needs `content`, or `metadata` with `thread_id` and `turn_id`.", field="messages.content"
        )
    return (*said, Message("user", messages[asked].content))
