"""Repositories: make, list, change, delete."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow, Reader, Writer
from app.api.schemas import RepositoryChange, RepositoryCreate, RepositoryShape
from app.dialects.ids import Id

router = APIRouter(prefix="/v1/repositories", tags=["repositories"], route_class=JsonRoute)


@router.post("", status_code=201, summary="Make a repository", response_model=RepositoryShape)
async def create(body: RepositoryCreate, caller: Writer, parts: PartsNow) -> object:
    return await parts.repositories.create(caller, body.name, body.description, body.organization)


@router.get("", summary="List the repositories of the project", response_model=list[RepositoryShape])
async def all_repositories(caller: Reader, parts: PartsNow) -> object:
    return await parts.repositories.all(caller)


@router.get("/{repository_id}", summary="Look at a repository", response_model=RepositoryShape)
async def get(repository_id: Id, caller: Reader, parts: PartsNow) -> object:
    return await parts.repositories.get(caller, repository_id)


@router.patch("/{repository_id}", summary="Rename or describe a repository", response_model=RepositoryShape)
async def change(repository_id: Id, body: RepositoryChange, caller: Writer, parts: PartsNow) -> object:
    values = body.model_dump(exclude_unset=True)
    for name in ("name", "organization"):  # these two cannot be null: null means "leave it"
        if values.get(name, "") is None:
            del values[name]
    return await parts.repositories.change(caller, repository_id, values)


@router.delete("/{repository_id}", status_code=204, summary="Delete a repository with all its documents")
async def delete(repository_id: Id, caller: Writer, parts: PartsNow) -> Response:
    await parts.circulation.delete_repository(caller, repository_id)
    return Response(status_code=204)
