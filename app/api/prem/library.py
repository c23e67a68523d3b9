"""Prem's repositories and documents: two generations of paths, one library."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile

from app.api.bodies import JsonRoute, json_object
from app.api.caller import PartsNow, Reader, Writer
from app.api.taking import take, take_text
from app.core.errors import InvalidRequestError, NotFoundError
from app.dialects.base import validated
from app.dialects.ids import Id
from app.dialects.prem.library import PremDocument, PremRepository, PremRepositoryCreate, PremTextCreate

router = APIRouter(tags=["Prem"], route_class=JsonRoute)
NO_FILE = (
    "There is no file in this request: send it as the field `file` of a form (prem-sdk: "
    "`repository.document.create(id, {data: form})`), or a text as JSON with `name` and `content`."
)
DOCUMENT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/json": {"schema": {"$ref": "#/components/schemas/PremTextCreate"}},
        },
    }
}
SCHEMAS = {"PremTextCreate": PremTextCreate}  # shown in OpenAPI


@router.post("/v1/repositories/", status_code=201, summary="Make a repository (premai up to 0.3.76)")
@router.post("/api/repositories/repositories/", status_code=201, summary="Make a repository (premai from 0.3.78)")
async def create_repository(body: PremRepositoryCreate, caller: Writer, parts: PartsNow) -> PremRepository:
    """The same as `POST /v1/repositories`, in Prem's words."""
    made = await parts.repositories.create(caller, body.name, body.description, body.organization)
    return PremRepository.of(made)


@router.post(
    "/v1/repository/{repository_id}/document",
    status_code=201,
    summary="Upload a document (premai up to 0.3.76)",
    openapi_extra=DOCUMENT_BODY,
)
@router.post(
    "/api/repositories/repository/{repository_id}/document",
    status_code=201,
    summary="Upload a document (premai from 0.3.78, prem-sdk)",
    openapi_extra=DOCUMENT_BODY,
)
async def create_document(repository_id: Id, request: Request, caller: Writer, parts: PartsNow) -> PremDocument:
    """A file in a form, or a text as JSON. It can be searched when its status is COMPLETED, shortly after.

    `UPLOADED` says that it is taken; the same bytes again are `COMPLETED` at once.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=100) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidRequestError(NO_FILE, field="file")
            added = await take(parts, caller, repository_id, file)
            return PremDocument.of(added.document)
    if not await request.body():
        raise InvalidRequestError(NO_FILE, field="file")
    text = validated(PremTextCreate, await json_object(request))
    added = await take_text(parts, caller, repository_id, text.name, text.content)
    return PremDocument.of(added.document, text.document_type)


@router.get("/v1/repository/{repository_id}/document/{document_id}", summary="Look at a document, in Prem's format")
async def get_document(repository_id: Id, document_id: Id, caller: Reader, parts: PartsNow) -> PremDocument:
    """Prem's clients have no call for this; `GET /v1/documents/{document_id}` says more."""
    document = await parts.documents.get(caller, document_id)
    if document.repository_id != repository_id:
        raise NotFoundError(f"There is no document {document_id} in repository {repository_id}.")
    return PremDocument.of(document)
