"""Uploaded bytes on disk, by project and SHA-256; written aside and renamed, so that a name is always whole."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from app.core.errors import InvalidRequestError, TooLargeError
from app.core.library import Upload
from app.core.types import Caller


class BlobFolder:
    """A folder of files named by their hash."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    async def save(self, caller: Caller, name: str, media_type: str, pieces: AsyncIterator[bytes]) -> Upload:
        """Streams to disk while hashing; raises TooLargeError or InvalidRequestError and leaves nothing behind."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix="upload-")
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in pieces:
                    size += len(piece)
                    if size > self._max_bytes:
                        raise TooLargeError(
                            f"{name} is larger than {self._max_bytes} bytes (FOOTNOTE_MAX_UPLOAD_BYTES). Split it.",
                            field="file",
                        )
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            if size == 0:
                raise InvalidRequestError(f"{name} is empty: it has 0 bytes.", field="file")
            path = self.path(caller, digest.hexdigest())
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return Upload(name, digest.hexdigest(), size, media_type)

    def path(self, caller: Caller, sha256: str) -> Path:
        """Where the bytes with this hash are."""
        return self._folder / str(caller.project_id) / sha256[:2] / sha256

    def delete(self, caller: Caller, hashes: Sequence[str]) -> None:
        """Removes files; one that is not there is no error."""
        for sha256 in hashes:
            self.path(caller, sha256).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Removes uploads that a crash left unfinished; at start, when nobody else uploads."""
        for left in self._folder.glob("upload-*"):
            left.unlink(missing_ok=True)
