"""How a file comes in, whatever the route and the format of its request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Any

from starlette.datastructures import UploadFile

from app.core import circulation
from app.core.errors import InvalidRequestError
from app.core.library import Added
from app.core.parts import Parts
from app.core.types import Caller

PIECE_BYTES = 1 << 20
MAX_NAME = 500


async def take(
    parts: Parts, caller: Caller, repository_id: int, file: UploadFile, attributes: dict[str, Any] | None = None
) -> Added:
    """One file of a form; raises NotFoundError, TooLargeError or InvalidRequestError and then keeps nothing."""
    media_type = file.content_type or "application/octet-stream"
    incoming = circulation.File(clean_name(file.filename), media_type, _pieces(file))
    return await parts.circulation.add(caller, repository_id, incoming, attributes)


async def take_text(parts: Parts, caller: Caller, repository_id: int, name: str, text: str) -> Added:
    """A text with a name, as if it were a file; raises what `take` raises."""
    incoming = circulation.File(clean_name(name, "name"), "text/plain; charset=utf-8", _one_piece(text))
    return await parts.circulation.add(caller, repository_id, incoming, None)


def clean_name(name: str | None, field: str = "file") -> str:
    """A document's name: the last part of what the client called it; raises InvalidRequestError."""
    last = PurePosixPath((name or "").replace("\\", "/")).name
    kept = "".join(character for character in last if character.isprintable()).strip()
    if not kept or kept in (".", ".."):
        raise InvalidRequestError("The file has no name: send one in the multipart part.", field=field)
    if len(kept) > MAX_NAME:
        raise InvalidRequestError(f"The file's name has more than {MAX_NAME} characters.", field=field)
    return kept


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE_BYTES):
        yield piece


async def _one_piece(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
