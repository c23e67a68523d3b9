"""Uploads: one file or many into a repository."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, File, Form, Query, Response, UploadFile

from app.api.caller import PartsNow, Writer
from app.api.schemas import AddedShape, RefusedFile, UploadResult
from app.api.taking import take
from app.core.errors import AppError, InvalidRequestError
from app.core.library import Added
from app.dialects.ids import Id

router = APIRouter(prefix="/v1/repositories", tags=["documents"])

MAX_ATTRIBUTES, MAX_KEY, MAX_VALUE = 16, 64, 512  # OpenAI's limits, so that vector-store users' attributes fit


@router.post(
    "/{repository_id}/documents",
    status_code=202,
    summary="Upload one file or many",
    response_model=UploadResult,
    responses={201: {"model": UploadResult, "description": "With `wait=true`: every file is indexed, or has failed."}},
)
async def upload(
    repository_id: Id,
    caller: Writer,
    parts: PartsNow,
    response: Response,
    file: Annotated[list[UploadFile], File(description="One file, or several under the same field name.")],
    attributes: Annotated[
        str | None, Form(description='A flat JSON object for all files, e.g. `{"year": 2026}`.')
    ] = None,
    wait: Annotated[bool, Query(description="Answer when every file is indexed (or has failed), with 201.")] = False,
) -> UploadResult:
    """Each file becomes a document and a job; `GET /v1/jobs/{id}/events` shows the progress.

    The same bytes twice in a repository are one document; the same name with other bytes is its next version. A file
    that cannot be taken is listed under `refused`, the others are taken; a single file's error is the request's.
    """
    if len(file) > parts.limits.files_per_upload:
        raise InvalidRequestError(f"At most {parts.limits.files_per_upload} files can be sent at once.", field="file")
    values = parse_attributes(attributes)
    taken: list[Added] = []
    refused: list[RefusedFile] = []
    for each in file:
        try:
            taken.append(await take(parts, caller, repository_id, each, values))
        except AppError as error:
            if len(file) == 1 or error.status == 404:
                raise
            refused.append(RefusedFile(name=each.filename or "", status=error.status, error=error.message))
    if wait:
        jobs = [added.document.job.id for added in taken]
        await parts.circulation.wait(caller, jobs, parts.limits.upload_wait_s)
        taken = [Added(await parts.documents.get(caller, each.document.id), each.unchanged) for each in taken]
        response.status_code = 201
    return UploadResult(documents=[AddedShape.of(added) for added in taken], refused=refused)


def parse_attributes(text: str | None) -> dict[str, Any] | None:
    """A flat object of strings, numbers and booleans; raises InvalidRequestError."""
    if text is None:
        return None
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"`attributes` is not JSON: {error}.", field="attributes") from error
    if not isinstance(values, dict) or len(values) > MAX_ATTRIBUTES:
        raise InvalidRequestError(
            f"`attributes` must be an object of at most {MAX_ATTRIBUTES} keys.", field="attributes"
        )
    for key, value in values.items():
        fits = isinstance(value, int | float) or (isinstance(value, str) and len(value) <= MAX_VALUE)
        if len(key) > MAX_KEY or not fits:
            raise InvalidRequestError(
                f"`attributes.{key[:MAX_KEY]}` must be a number, a boolean or at most {MAX_VALUE} characters.",
                field="attributes",
            )
    return values
