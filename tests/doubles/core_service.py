"""The real core over real parts, small: SQLite, tantivy, exact search, the hashing embedder, vectors in a dict."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import ModelNotFoundError
from app.core.ingesting import IngestRun
from app.core.library import Added
from app.core.pipeline import Pipeline
from app.core.ports import Defaults, Generator, ModelChoice
from app.core.retrieval import Retriever
from app.core.snapshots import SnapshotLoader
from app.core.types import Caller, Usage
from app.store.blobs import BlobFolder
from app.store.engine import Database
from app.store.migrate import migrate
from app.store.projects import ProjectStore
from ingest.chunker import chunk_text
from ingest.embedders.load import ClosableEmbedder, load_embedder
from ingest.indexes.exact import ExactIndex
from ingest.indexes.snapshot_files import SnapshotFiles
from ingest.indexes.tantivy_words import TantivyIndex
from ingest.text import join_blocks
from ingest.types import Block, CanonicalText, Vectors
from tests.store.shelves import Shelves, upload

REFUSAL = "I do not know."
THRESHOLD = 0.2


class DictVectors:
    """A vector store that is a dict: what Chroma is to the service, without its files."""

    def __init__(self) -> None:
        self.kept: dict[int, Vectors] = {}
        self.before_fetch: Callable[[], None] = lambda: None

    def upsert(self, chunk_ids: Sequence[int], vectors: Vectors) -> None:
        self.kept |= dict(zip(chunk_ids, vectors, strict=True))

    def fetch(self, chunk_ids: Sequence[int]) -> dict[int, Vectors]:
        """Vectors by chunk id; chunks that are not there are left out."""
        self.before_fetch()
        return {each: self.kept[each] for each in chunk_ids if each in self.kept}

    def delete(self, chunk_ids: Sequence[int]) -> None:
        for each in chunk_ids:
            self.kept.pop(each, None)

    def count(self) -> int:
        return len(self.kept)


class Prices:
    """A dollar a token."""

    def cost(self, model: str, usage: Usage) -> float | None:
        """US dollars."""
        return float(usage.total_tokens)


class OneModel:
    """A catalogue with the model `test/model`."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.cites_by_quoting = False

    async def prepare(self, model: str) -> None:
        """Nothing to load."""

    def resolve(self, model: str, provider_key: str | None = None) -> ModelChoice:
        """Raises ModelNotFoundError."""
        if model != "test/model":
            raise ModelNotFoundError
        return ModelChoice("test", "model", self.generator, self.cites_by_quoting)


@dataclass(frozen=True, slots=True)
class CoreService:
    """The parts, and short ways into them."""

    shelves: Shelves
    blobs: BlobFolder
    vectors: DictVectors
    words: TantivyIndex
    snapshots: ExactIndex
    embedder: ClosableEmbedder
    steps: IngestRun
    retriever: Retriever
    executor: ThreadPoolExecutor

    @property
    def caller(self) -> Caller:
        return self.shelves.caller

    def pipeline(self, generator: Generator, *, quoting: bool = False) -> Pipeline:
        """A pipeline whose default model is this generator."""
        models = OneModel(generator)
        models.cites_by_quoting = quoting
        shelves = self.shelves
        return Pipeline(
            shelves.projects,
            shelves.prompts,
            shelves.threads,
            models,
            self.retriever,
            shelves.journal,
            Defaults("test/model", 3, 10, THRESHOLD, REFUSAL, 1000, 3, 60.0),
            Prices(),
        )

    async def save(self, name: str, content: str) -> Added:
        """Bytes on disk, a document and a job, in the first repository (made if there is none)."""
        known = await self.shelves.repositories.all(self.caller)
        repository_id = known[0].id if known else await self.shelves.repository()

        async def pieces() -> AsyncIterator[bytes]:
            yield content.encode()

        await self.blobs.save(self.caller, name, "text/plain", pieces())
        return await self.shelves.documents.add(self.caller, repository_id, upload(name, content), None)

    def run_job(self, job_id: int) -> None:
        """All steps of a job, in the calling thread."""
        for batch in range(self.steps.parse(job_id)):
            self.steps.embed(job_id, batch)
        self.steps.publish(job_id)

    async def ingest(self, name: str, content: str) -> Added:
        """Saves and indexes a text."""
        added = await self.save(name, content)
        if not added.unchanged:
            await asyncio.to_thread(self.run_job, added.document.job.id)
        return added


@contextmanager
def core_service(folder: Path) -> Iterator[CoreService]:
    """A service of its own in a folder of its own."""
    database = Database(f"sqlite:///{folder / 'rows.sqlite'}")
    migrate(database)
    ProjectStore(database).ensure_default(Caller(1))
    shelves = Shelves.of(database, 1)
    blobs, vectors, words = BlobFolder(folder / "blobs", 10**6), DictVectors(), TantivyIndex(folder / "words")
    embedder = load_embedder("hashing", cache_dir=folder)
    snapshots, executor = ExactIndex(embedder.dimensions), ThreadPoolExecutor(2)
    chunk = functools.partial(chunk_text, tokenizer=embedder.tokenizer, max_tokens=64, target_tokens=24)
    steps = IngestRun(shelves.corpus, blobs, read, chunk, embedder, "hashing-1", vectors, words, snapshots)
    files = SnapshotFiles(folder / "snapshots")
    loader = SnapshotLoader(shelves.chunks, snapshots, vectors, files, embedder, executor)
    retriever = Retriever(shelves.repositories, shelves.chunks, loader, snapshots, words, embedder, executor)
    try:
        yield CoreService(shelves, blobs, vectors, words, snapshots, embedder, steps, retriever, executor)
    finally:
        executor.shutdown()
        words.close()
        embedder.close()
        database.close()


def read(path: Path, name: str) -> CanonicalText:
    """Paragraphs between empty lines."""
    content = path.read_bytes().decode()
    assert hashlib.sha256(content.encode()).hexdigest() == path.name
    return join_blocks([Block(part) for part in content.split("\n\n")], f"test reader of {name}")
