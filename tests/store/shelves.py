"""All the stores over one database, and the short ways that tests need into them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.ingesting import Publication, Task
from app.core.library import Added, Upload
from app.core.ports import NewTurn, TraceRecord
from app.core.types import Caller
from app.store.chunks import ChunkStore
from app.store.corpus import CorpusStore
from app.store.datasets import DatasetStore
from app.store.documents import DocumentStore
from app.store.engine import Database
from app.store.experiments import ExperimentStore
from app.store.feedback import FeedbackStore
from app.store.gaps import GapStore
from app.store.jobs import JobStore
from app.store.journal import JournalStore
from app.store.keys import KeyStore
from app.store.projects import ProjectStore
from app.store.prompts import PromptStore
from app.store.repositories import RepositoryStore
from app.store.threads import ThreadStore
from app.store.todos import TodoStore
from app.store.trace_logs import TraceLogStore
from app.store.trace_search import TraceSearchStore
from app.store.workspaces import WorkspaceStore
from ingest.types import BlockKind, BlockSpan, CanonicalText, ChunkSpan

FINGERPRINT = "model-1"
MOST_CASES = 50


@dataclass(frozen=True, slots=True)
class Shelves:
    """The stores, and a caller of a project that nobody else uses."""

    database: Database
    caller: Caller
    projects: ProjectStore
    keys: KeyStore
    repositories: RepositoryStore
    documents: DocumentStore
    chunks: ChunkStore
    corpus: CorpusStore
    jobs: JobStore
    journal: JournalStore
    prompts: PromptStore
    threads: ThreadStore
    experiments: ExperimentStore
    datasets: DatasetStore
    todos: TodoStore
    gaps: GapStore
    feedback: FeedbackStore
    trace_logs: TraceLogStore
    trace_search: TraceSearchStore
    workspaces: WorkspaceStore

    @classmethod
    def of(cls, database: Database, project_id: int) -> Shelves:
        return cls(
            database,
            Caller(project_id),
            ProjectStore(database),
            KeyStore(database),
            RepositoryStore(database),
            DocumentStore(database),
            ChunkStore(database),
            CorpusStore(database),
            JobStore(database),
            JournalStore(database),
            PromptStore(database),
            ThreadStore(database),
            ExperimentStore(database),
            DatasetStore(database, MOST_CASES),
            TodoStore(database),
            GapStore(database),
            FeedbackStore(database),
            TraceLogStore(database),
            TraceSearchStore(database),
            WorkspaceStore(database),
        )

    async def repository(self, name: str = "papers") -> int:
        return (await self.repositories.create(self.caller, name)).id

    async def add(self, repository_id: int, name: str, content: str) -> Added:
        return await self.documents.add(self.caller, repository_id, upload(name, content), None)

    def ingest(self, job_id: int, content: str) -> Publication | None:
        """Takes a job through all its steps, with one chunk for each word."""
        task = self.corpus.start(job_id)
        self.corpus.save_text(task, canonical(content), word_chunks(content), FINGERPRINT)
        return self.publish(self.corpus.task(job_id))

    def publish(self, task: Task, fingerprint: str = FINGERPRINT) -> Publication | None:
        return self.corpus.publish(task, fingerprint, lambda change: None)

    async def published(self, repository_id: int, name: str, content: str) -> Added:
        added = await self.add(repository_id, name, content)
        self.ingest(added.document.job.id, content)
        return added

    def as_user(self, user: str) -> Caller:
        return replace(self.caller, user=user)


def upload(name: str, content: str) -> Upload:
    """Bytes as if they had been saved already."""
    return Upload(name, hashlib.sha256(content.encode()).hexdigest(), len(content), "text/plain")


def canonical(content: str) -> CanonicalText:
    digest = hashlib.sha256(content.encode()).hexdigest()
    span = BlockSpan(0, len(content), BlockKind.PARAGRAPH, None, ("Heading",))
    return CanonicalText(content, digest, "text 1", (span,), ("a warning",))


def word_chunks(content: str) -> Sequence[ChunkSpan]:
    """One chunk a word: as many as a test wants, at places it can tell."""
    spans, at = [], 0
    for word in content.split():
        start = content.index(word, at)
        at = start + len(word)
        spans.append(ChunkSpan(start, at, 1, None, ("Heading",)))
    return spans


def trace(trace_id: str, created_at: float = 1.0, question: str = "What?") -> TraceRecord:
    detail = {"answer": "That."}
    return TraceRecord(trace_id, created_at, "stop", "footnote/extractive", question, 2.5, detail, root_id=trace_id)


def turn(thread_id: str, session: str | None, question: str = "What?", number: int = 1) -> NewTurn:
    return NewTurn(thread_id, session, question, "That.", "trace", number)
