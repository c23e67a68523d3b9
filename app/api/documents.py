"""Documents: list, look at, read, delete."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import FileResponse, PlainTextResponse

from app.api.caller import PartsNow, Reader, Writer
from app.api.schemas import ChunkPage, ChunkShape, DocumentPage, DocumentShape
from app.core.errors import NotFoundError
from app.dialects.ids import MAX_ID, Id

router = APIRouter(tags=["documents"])
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/v1/repositories/{repository_id}/documents", summary="List documents", response_model=DocumentPage)
async def all_documents(
    repository_id: Id,
    caller: Reader,
    parts: PartsNow,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
) -> DocumentPage:
    found = await parts.documents.all(caller, repository_id, limit, after)
    shapes = [DocumentShape.model_validate(document) for document in found]
    return DocumentPage(documents=shapes, next_after=found[-1].id if len(found) == limit else None)


@router.get("/v1/documents/{document_id}", summary="Look at a document", response_model=DocumentShape)
async def get(document_id: Id, caller: Reader, parts: PartsNow) -> object:
    return await parts.documents.get(caller, document_id)


@router.delete("/v1/documents/{document_id}", status_code=204, summary="Delete a document and all that came of it")
async def delete(document_id: Id, caller: Writer, parts: PartsNow) -> Response:
    await parts.circulation.delete_document(caller, document_id)
    return Response(status_code=204)


@router.get(
    "/v1/documents/{document_id}/text",
    summary="Read the canonical text: what chunks and citations are slices of",
    response_class=PlainTextResponse,
    responses={304: {"description": "The text is still the one with this ETag."}},
)
async def text(
    document_id: Id, caller: Reader, parts: PartsNow, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Offsets count Unicode code points. The ETag is the text's sha256."""
    found = await parts.documents.text(caller, document_id)
    headers = {"etag": f'"{found.sha256}"', "x-extractor": found.extractor}
    if if_none_match is not None and (found.sha256 in if_none_match or if_none_match.strip() == "*"):
        return Response(status_code=304, headers=headers)
    return Response(found.text.encode(), media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/v1/documents/{document_id}/content", summary="Download the original bytes", response_class=FileResponse)
async def content(document_id: Id, caller: Reader, parts: PartsNow) -> Response:
    document = await parts.documents.get(caller, document_id)
    path = parts.blobs.path(caller, document.sha256)
    if not path.is_file():
        raise NotFoundError(f"The original bytes of document {document_id} are gone; its text is still there.")
    return FileResponse(
        path,
        # Never shown in a browser as what it says it is: an uploaded page would run with this site's rights.
        media_type="application/octet-stream",
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(document.name)}",
            "x-content-type-options": "nosniff",
            "etag": f'"{document.sha256}"',
        },
    )


@router.get("/v1/documents/{document_id}/chunks", summary="List a document's chunks", response_model=ChunkPage)
async def chunks(
    document_id: Id,
    caller: Reader,
    parts: PartsNow,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=-1, le=MAX_ID)] = -1,
) -> ChunkPage:
    found = await parts.documents.chunks(caller, document_id, limit, after)
    shapes = [ChunkShape.model_validate(chunk) for chunk in found]
    return ChunkPage(chunks=shapes, next_after=found[-1].ordinal if len(found) == limit else None)
