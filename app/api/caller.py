"""Who is asking, as a route's parameter: `caller: Reader` reads, `caller: Writer` may also change things."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from app.core.access import require
from app.core.errors import InvalidRequestError
from app.core.parts import Parts
from app.core.types import Caller, Scope
from app.dialects.base import bearer
from app.dialects.ids import storable


def parts(request: Request) -> Parts:
    """The running service's parts; put there by the lifespan."""
    found: Parts = request.state.parts
    return found


async def _caller(
    request: Request,
    x_footnote_project: Annotated[
        str | None, Header(description="Project to act in; for the admin key only, others have one.")
    ] = None,
) -> Caller:
    project_id = None
    if x_footnote_project is not None:
        if not x_footnote_project.isdecimal() or int(x_footnote_project) < 1:
            raise InvalidRequestError("X-Footnote-Project must be a project's number.", field="X-Footnote-Project")
        project_id = storable(int(x_footnote_project))
    caller = await parts(request).access.caller(bearer(request.headers), project_id=project_id)
    if project_id is not None:
        await parts(request).projects.get(caller)  # the admin key opens every project, but only those that are there
    return caller


async def _reader(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return require(caller, Scope.READ)


async def _writer(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    return require(caller, Scope.WRITE)


PartsNow = Annotated[Parts, Depends(parts)]
Reader = Annotated[Caller, Depends(_reader)]
Writer = Annotated[Caller, Depends(_writer)]
