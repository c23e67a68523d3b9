"""The caller's project and its templates."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow, Reader, Writer
from app.api.schemas import ProjectChange, ProjectShape, TemplateCreate, TemplateShape
from app.core.errors import InvalidRequestError
from app.core.library import NewPromptVersion, PromptMessage

router = APIRouter(tags=["projects"], route_class=JsonRoute)


@router.get("/v1/project", summary="Look at the project", response_model=ProjectShape)
async def get(caller: Reader, parts: PartsNow) -> object:
    return await parts.projects.get(caller)


@router.patch("/v1/project", summary="Set what holds where a request is silent", response_model=ProjectShape)
async def change(body: ProjectChange, caller: Writer, parts: PartsNow) -> object:
    """Default model, system prompt, repositories, limit and threshold; null takes one back."""
    values = body.model_dump(exclude_unset=True)
    for name, empty in (("repository_ids", []), ("name", None)):
        if name in values and values[name] is None:
            if empty is None:
                raise InvalidRequestError("`name` cannot be null.", field="name")
            values[name] = empty
    if "repository_ids" in values:
        values["repository_ids"] = list(dict.fromkeys(values["repository_ids"]))
    for repository_id in values.get("repository_ids", []):
        await parts.repositories.get(caller, repository_id)
    if not values:
        return await parts.projects.get(caller)
    return await parts.projects.change(caller, values)


@router.post("/v1/templates", status_code=201, summary="Keep a prompt template", response_model=TemplateShape)
async def create_template(body: TemplateCreate, caller: Writer, parts: PartsNow) -> TemplateShape:
    """Use it in a message: `{"role": "user", "template_id": "<id>", "params": {"name": "Ada"}}`."""
    version = NewPromptVersion((PromptMessage("user", body.content),))
    made = await parts.prompts.create(caller, body.name, version)
    return TemplateShape(id=made.prompt_id, name=made.name, content=body.content)
