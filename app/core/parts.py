"""The parts of a running service, put together by app.bootstrap and handed to every route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from app.core.access import Access
from app.core.circulation import Circulation
from app.core.embedding import TextEmbeddings
from app.core.evaluating import Evaluator
from app.core.health import PartHealth
from app.core.pipeline import Pipeline
from app.core.ports import Cards, Defaults
from app.core.prompt_watch import PromptWatch
from app.core.questions import Questioner
from app.core.retrieval import Retriever
from app.core.shelves import (
    BlobShelf,
    DatasetShelf,
    DocumentShelf,
    ExperimentShelf,
    FeedbackShelf,
    JobShelf,
    KeyShelf,
    ProjectShelf,
    PromptShelf,
    RepositoryShelf,
    ThreadShelf,
    TodoShelf,
    TraceLogShelf,
    TraceSearchShelf,
    TraceShelf,
    WorkspaceShelf,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the routes refuse, so that nothing grows without bound."""

    json_depth: int  # levels of lists and objects
    files_per_upload: int
    upload_wait_s: float
    messages: int
    embedding_inputs: int
    trace_page: int
    trace_tree: int
    experiments_listed: int
    turns_listed: int  # of each thread in a list
    turns_shown: int  # of one thread
    questions: int  # proposed at once


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a route may use."""

    access: Access
    pipeline: Pipeline
    retriever: Retriever
    questioner: Questioner
    models: Cards
    embeddings: TextEmbeddings
    circulation: Circulation
    projects: ProjectShelf
    keys: KeyShelf
    repositories: RepositoryShelf
    documents: DocumentShelf
    jobs: JobShelf
    prompts: PromptShelf
    traces: TraceShelf
    threads: ThreadShelf
    trace_logs: TraceLogShelf
    trace_search: TraceSearchShelf
    workspaces: WorkspaceShelf
    feedback: FeedbackShelf
    experiments: ExperimentShelf
    datasets: DatasetShelf
    evaluator: Evaluator
    todos: TodoShelf
    blobs: BlobShelf
    defaults: Defaults
    limits: Limits
    health: Callable[[], Mapping[str, PartHealth]]  # blocking
    close_models: Callable[[], Awaitable[None]]
    sse_done_spaced: bool
    fingerprint: str  # of the code and the index: what could change an answer to the same question
    prompt_watch: PromptWatch
    started_at: float
