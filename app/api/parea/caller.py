"""Who asks in Parea's words, and which of its projects (our workspaces) is meant."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.api.caller import PartsNow
from app.core.access import require
from app.core.errors import InvalidRequestError
from app.core.parts import Parts
from app.core.types import Caller, Scope
from app.core.workspaces import DEFAULT_WORKSPACE
from app.dialects.parea import completions as parea

PREFIX = "/api/parea/v1"


async def _caller(request: Request, parts: PartsNow) -> Caller:
    """By the key of `x-api-key`, `Authorization` or `x-user-id`."""
    return await parts.access.caller(parea.credentials({}, request.headers).key)


async def _reader(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return require(caller, Scope.READ)


async def _writer(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return require(caller, Scope.WRITE)


PareaReader = Annotated[Caller, Depends(_reader)]
PareaWriter = Annotated[Caller, Depends(_writer)]


async def workspace_id(caller: Caller, parts: Parts, uuid: str | None, name: str | None = None) -> str:
    """The workspace that is meant: by id, else by name, made where it is not there yet.

    Raises NotFoundError for an unknown id, InvalidRequestError for an id and a name of two.
    """
    if uuid in (None, "", DEFAULT_WORKSPACE):
        return (await parts.workspaces.create_or_get(caller, name or DEFAULT_WORKSPACE))[0].id
    found = await parts.workspaces.get(caller, uuid)
    if name not in (None, "", DEFAULT_WORKSPACE, found.name):
        raise InvalidRequestError(
            f"`project_uuid` is the project {found.name!r}, and `project_name` another: send one.", field="project_name"
        )
    return found.id
