"""What comes into the library and what leaves it: uploads, deletions, and the jobs between.

upload:   bytes to disk, hashed → document, version and job in one transaction → the job engine
deletion: rows in one transaction (from then on nothing can be found) → memory, vectors, words, bytes
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from app.core.errors import UnavailableError
from app.core.jobs import JobEngine
from app.core.library import Added, Job
from app.core.shelves import BlobShelf, DocumentShelf, JobShelf, RepositoryShelf
from app.core.types import Caller, Json
from ingest.types import IndexUnavailableError, LexicalIndex, SnapshotIndex, VectorStore

POLL_S = 0.1  # how often a waiting request looks at its job's row; rows work across processes, signals do not


@dataclass(frozen=True, slots=True)
class File:
    """An upload as it comes in."""

    name: str
    media_type: str
    pieces: AsyncIterator[bytes]


class Circulation:
    """Brings documents in and out."""

    def __init__(
        self,
        repositories: RepositoryShelf,
        documents: DocumentShelf,
        jobs: JobShelf,
        blobs: BlobShelf,
        engine: JobEngine,
        vectors: VectorStore,
        lexical: LexicalIndex,
        snapshots: SnapshotIndex,
    ) -> None:
        self._repositories = repositories
        self._documents = documents
        self._jobs = jobs
        self._blobs = blobs
        self._engine = engine
        self._vectors = vectors
        self._lexical = lexical
        self._snapshots = snapshots

    async def add(self, caller: Caller, repository_id: int, file: File, attributes: Mapping[str, Json] | None) -> Added:
        """Takes one file; raises NotFoundError, TooLargeError or InvalidRequestError and then keeps nothing."""
        await self._repositories.get(caller, repository_id)  # before a gigabyte is read for nothing
        upload = await self._blobs.save(caller, file.name, file.media_type, file.pieces)
        added = await self._documents.add(caller, repository_id, upload, attributes)
        if not added.unchanged:
            job = added.document.job
            await asyncio.to_thread(self._engine.submit, job.id, job.attempt)
        return added

    async def cancel(self, caller: Caller, job_id: int) -> Job:
        """Stops a job at its next step; a finished one is left as it is."""
        job = await self._jobs.request_cancel(caller, job_id)
        if not job.state.final:
            await asyncio.to_thread(self._engine.cancel, job.id, job.attempt)
        return await self._jobs.get(caller, job_id)

    async def retry(self, caller: Caller, job_id: int) -> Job:
        """Another attempt of a failed or cancelled job, as a job of its own; raises ConflictError for any other."""
        job = await self._jobs.retry(caller, job_id)
        await asyncio.to_thread(self._engine.submit, job.id, job.attempt)
        return job

    async def watch(self, caller: Caller, job_id: int) -> AsyncIterator[Job]:
        """The job now and after each change, until it is final."""
        seen: Job | None = None
        while True:
            job = await self._jobs.get(caller, job_id)
            if job != seen:
                yield job
                seen = job
            if job.state.final:
                return
            await asyncio.sleep(POLL_S)

    async def wait(self, caller: Caller, job_ids: Sequence[int], timeout_s: float) -> None:
        """Returns when all jobs are final; raises UnavailableError when that takes too long (they go on)."""
        try:
            async with asyncio.timeout(timeout_s):
                for job_id in job_ids:
                    async for _ in self.watch(caller, job_id):
                        pass
        except TimeoutError as error:
            raise UnavailableError(
                f"The files are taken but not indexed after {timeout_s:g} s. Their jobs go on: "
                + ", ".join(f"GET /v1/jobs/{job_id}" for job_id in job_ids)
            ) from error

    async def delete_document(self, caller: Caller, document_id: int) -> None:
        """Raises NotFoundError."""
        document = await self._documents.get(caller, document_id)
        chunk_ids, hashes = await self._documents.delete(caller, document_id)
        await self._cancel_if_running(document.job)
        await asyncio.to_thread(self._forget, caller, chunk_ids, hashes)

    async def delete_repository(self, caller: Caller, repository_id: int) -> None:
        """Removes it with all its documents; raises NotFoundError."""
        chunk_ids, hashes = await self._repositories.delete(caller, repository_id)
        self._snapshots.drop(repository_id)
        await asyncio.to_thread(self._forget, caller, chunk_ids, hashes)

    async def _cancel_if_running(self, job: Job) -> None:
        if not job.state.final:
            await asyncio.to_thread(self._engine.cancel, job.id, job.attempt)

    def _forget(self, caller: Caller, chunk_ids: Sequence[int], hashes: Sequence[str]) -> None:
        self._blobs.delete(caller, hashes)
        if not chunk_ids:
            return
        try:
            self._vectors.delete(chunk_ids)
            self._lexical.delete(chunk_ids)
        except IndexUnavailableError as error:
            raise UnavailableError(
                "The document is deleted and can no longer be found, but its entries could not be taken out of the "
                f"index yet: {error}"
            ) from error
