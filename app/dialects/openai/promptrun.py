"""Promptrun's saved prompts: how a version is shown, and how one stands in for the messages of a request."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from app.core.errors import InvalidRequestError, NotFoundError
from app.core.library import PromptVersion
from app.core.prompting import Room, fill_placeholders
from app.core.types import Json
from app.dialects.base import Body
from app.dialects.ids import MAX_ID

PROMPT_HEADER = "HTTP-Prompt-Id"
PROJECTS_MODEL = "default"
INPUTS = ("inputs", "variables")  # values for placeholders, under either name
_VERSION_ID = re.compile(r"(.{36})@([0-9]{1,10})", re.DOTALL)
_VERSION = re.compile(r"v?([0-9]{1,10})")
_PLAIN_TEMPERATURE = 1.0  # what a provider takes where none is said


@dataclass(frozen=True, slots=True)
class PromptName:
    """Which saved prompt is meant, and which version of it; None is its newest."""

    prompt: str
    number: int | None = None


class PromptrunUser(BaseModel):
    id: str
    clerkId: str  # noqa: N815 (Promptrun's name)


class PromptrunProject(BaseModel):
    id: str = Field(description="What `projectId` asks for: the saved prompt.")
    name: str


class PromptrunModel(BaseModel):
    name: str
    provider: str
    model: str = Field(description="`provider/model`, as a completion takes it.")
    icon: str


class PromptrunMessage(BaseModel):
    role: str
    content: str


class PromptrunPrompt(BaseModel):
    """A version of a saved prompt, as Promptrun's SDK reads it; `messages` is ours."""

    id: str = Field(description="Names this very version; goes into `HTTP-Prompt-Id`.")
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815
    prompt: str = Field(description="Its text; of several messages all texts, with an empty line between two.")
    messages: list[PromptrunMessage]
    version: int
    versionMessage: str  # noqa: N815
    tag: str | None
    temperature: float
    user: PromptrunUser
    project: PromptrunProject
    model: PromptrunModel


def shape(version: PromptVersion, default_model: str) -> PromptrunPrompt:
    """The version as it is shown; `default_model` is called where it names none."""
    model = version.model or default_model
    provider, _, name = model.partition("/") if "/" in model else ("", "", model)
    temperature = version.params.get("temperature")
    # A version never changes, so that both times are one.
    made = datetime.datetime.fromtimestamp(version.created_at, datetime.UTC).isoformat(timespec="milliseconds")
    return PromptrunPrompt(
        id=f"{version.prompt_id}@{version.number}",
        createdAt=made,
        updatedAt=made,
        prompt="\n\n".join(message.content for message in version.messages),
        messages=[PromptrunMessage(role=message.role, content=message.content) for message in version.messages],
        version=version.number,
        versionMessage=version.note or "",
        tag=version.tag,
        temperature=_PLAIN_TEMPERATURE if temperature is None else temperature,
        user=PromptrunUser(id=version.created_by, clerkId=version.created_by),
        project=PromptrunProject(id=version.prompt_id, name=version.name),
        model=PromptrunModel(name=name, provider=provider, model=model, icon=""),
    )


def prompt_named(header: str) -> PromptName:
    """What `HTTP-Prompt-Id` means: a version's id, or a saved prompt's id or name."""
    found = _VERSION_ID.fullmatch(header)
    return PromptName(header) if found is None else PromptName(found[1], version_number(found[2], PROMPT_HEADER))


def version_number(text: str, field: str) -> int:
    """`3` or `v3`; raises InvalidRequestError for what is no number, NotFoundError for one no version can have."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise InvalidRequestError(f"`{field}` must be a version's number, such as 3.", field=field)
    if not 0 < (number := int(found[1])) <= MAX_ID:
        raise NotFoundError(f"There is no version {number}.", field=field)
    return number


def standing_in(body: Body, version: PromptVersion) -> tuple[Body, Mapping[str, Json]]:
    """The request with the saved prompt for its empty `messages`, and what its placeholders were filled with.

    `inputs` (or `variables`) has the values; where the request says nothing of sampling and tools, the version does.
    A request that has messages is left as it is. Raises InvalidRequestError.
    """
    if body.get("messages") != []:
        return body, {}
    name = next((name for name in INPUTS if body.get(name) is not None), INPUTS[0])
    inputs = body.get(name) or {}
    if not isinstance(inputs, Mapping):
        raise InvalidRequestError(f"`{name}` must be an object: values by the names of placeholders.", field=name)
    saved: dict[str, Any] = {name: value for name, value in version.params.items() if value is not None}
    if version.functions:
        saved["tools"] = [{"type": "function", "function": dict(function)} for function in version.functions]
        if version.function_call is not None:
            saved["tool_choice"] = _tool_choice(version.function_call)
    asked = {name: value for name, value in body.items() if value is not None and name not in INPUTS}
    room = Room()
    messages = [
        {"role": message.role, "content": fill_placeholders(message.content, inputs, room)}
        for message in version.messages
    ]
    return {"model": version.model or PROJECTS_MODEL, **saved, **asked, "messages": messages}, inputs


def _tool_choice(function_call: Json) -> Json:
    return {"type": "function", "function": function_call} if isinstance(function_call, Mapping) else function_call
