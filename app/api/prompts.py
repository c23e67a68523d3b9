"""Saved prompts: what Prem calls templates, Parea deployments, and Promptrun prompts."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow, Reader, Writer
from app.api.schemas import Shape
from app.core.library import NewPromptVersion, PromptMessage
from app.core.types import Json
from app.dialects.ids import Id

router = APIRouter(prefix="/v1/prompts", tags=["prompts"], route_class=JsonRoute)
EXAMPLE: dict[str, Json] = {
    "messages": [{"role": "user", "content": "How long may I borrow {{thing}}?"}],
    "model": "footnote/extractive",
    "params": {"temperature": 0.2},
    "tag": "live",
    "note": "asks for the time alone",
}


class PromptParams(BaseModel):
    """How the model should choose its words; what is left out is the request's or the provider's to say."""

    model_config = ConfigDict(extra="forbid")

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    stop: list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    response_format: dict[str, Any] | None = None


class PromptMessageShape(Shape):
    role: Literal["system", "user", "assistant"] = "user"
    content: str = Field(min_length=1, max_length=100_000, description="With placeholders: `{{name}}`.")


class PromptVersionCreate(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    messages: list[PromptMessageShape] = Field(min_length=1, max_length=500)
    model: str | None = Field(None, max_length=200, description="`provider/model`; the request's or the project's.")
    params: PromptParams = PromptParams()
    functions: list[dict[str, Any]] = Field(default_factory=list, description="JSON Schema functions to offer.")
    function_call: str | dict[str, str] | None = None
    tag: str | None = Field(None, min_length=1, max_length=100, description="Taken from the version that had it.")
    note: str | None = Field(None, max_length=10_000)


class PromptCreate(PromptVersionCreate):
    model_config = ConfigDict(json_schema_extra={"example": {"name": "borrowing", **EXAMPLE}})

    name: str = Field(min_length=1, max_length=200)


class TagChange(BaseModel):
    tag: str | None = Field(min_length=1, max_length=100, description="Null takes it off.")


class PromptVersionShape(Shape):
    prompt_id: str
    name: str
    number: int = Field(description="From 1; a request gets the newest unless it names another.")
    messages: list[PromptMessageShape]
    model: str | None
    params: dict[str, Any]
    functions: list[dict[str, Any]]
    function_call: Any
    tag: str | None
    note: str | None
    created_by: str
    created_at: float = Field(description="Unix seconds.")


class SavedPromptShape(Shape):
    id: str
    name: str
    versions: int = Field(description="Number of the newest one.")
    created_at: float


@router.post("", status_code=201, summary="Save a prompt", response_model=PromptVersionShape)
async def create(body: PromptCreate, caller: Writer, parts: PartsNow) -> object:
    """Its id is a `deployment_id` for Parea's clients and a `template_id` for Prem's."""
    return await parts.prompts.create(caller, body.name, _version(body))


@router.get("", summary="List the saved prompts, newest first", response_model=list[SavedPromptShape])
async def all_prompts(caller: Reader, parts: PartsNow) -> object:
    return await parts.prompts.all(caller)


@router.get("/{prompt_id}", summary="Look at a prompt", response_model=PromptVersionShape)
async def get(
    prompt_id: str, caller: Reader, parts: PartsNow, version: Id | None = None, tag: str | None = None
) -> object:
    """By id or name; the newest version, unless `version` or `tag` names another."""
    return await parts.prompts.get(caller, prompt_id, version, tag)


@router.delete("/{prompt_id}", status_code=204, summary="Delete a prompt with all its versions")
async def delete(prompt_id: str, caller: Writer, parts: PartsNow) -> Response:
    await parts.prompts.delete(caller, prompt_id)
    return Response(status_code=204)


@router.get(
    "/{prompt_id}/versions", summary="List a prompt's versions, newest first", response_model=list[PromptVersionShape]
)
async def versions(prompt_id: str, caller: Reader, parts: PartsNow) -> object:
    return await parts.prompts.versions(caller, prompt_id)


@router.post(
    "/{prompt_id}/versions", status_code=201, summary="Add a version to a prompt", response_model=PromptVersionShape
)
async def add_version(prompt_id: str, body: PromptVersionCreate, caller: Writer, parts: PartsNow) -> object:
    return await parts.prompts.add_version(caller, prompt_id, _version(body))


@router.put("/{prompt_id}/versions/{number}/tag", summary="Move a tag to a version", response_model=PromptVersionShape)
async def put_tag(prompt_id: str, number: Id, body: TagChange, caller: Writer, parts: PartsNow) -> object:
    return await parts.prompts.tag(caller, prompt_id, number, body.tag)


def _version(body: PromptVersionCreate) -> NewPromptVersion:
    params: dict[str, Json] = body.params.model_dump(exclude_none=True)
    return NewPromptVersion(
        messages=tuple(PromptMessage(message.role, message.content) for message in body.messages),
        model=body.model,
        params=params,
        functions=tuple(body.functions),
        function_call=body.function_call,
        tag=body.tag,
        note=body.note,
    )
