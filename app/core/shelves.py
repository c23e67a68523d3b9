"""What the routes and commands need of the library's rows; implemented by app.store.

`caller` comes first everywhere: a method that forgets whose rows it touches does not type-check as one of these.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from app.core.conversations import ThreadPage, ThreadView, TurnView
from app.core.datasets import Case, CaseChange, Dataset, DatasetContents, NewCase
from app.core.experiments import Experiment, ExperimentFilter, ExperimentStatus, NewExperiment, TraceFigures
from app.core.feedback import Feedback, NewFeedback
from app.core.gaps import GapRules
from app.core.library import (
    Added,
    ChunkRow,
    Document,
    DocumentText,
    Job,
    Key,
    NewPromptVersion,
    Project,
    PromptVersion,
    Repository,
    SavedPrompt,
    Upload,
)
from app.core.ports import ProjectDefaults, TraceRecord
from app.core.todos import NewGap, NewTodo, OpenGap, Todo, TodoOrder
from app.core.trace_logs import LogPart
from app.core.trace_query import TracePage, TraceQuery, TraceTree
from app.core.types import Caller, Json, Scope
from app.core.workspaces import Workspace


class ProjectShelf(Protocol):
    async def defaults(self, caller: Caller) -> ProjectDefaults: ...
    async def create(self, caller: Caller, name: str) -> Project: ...
    async def all(self, caller: Caller) -> list[Project]: ...
    async def get(self, caller: Caller) -> Project: ...
    async def change(self, caller: Caller, values: dict[str, Json]) -> Project: ...


class KeyShelf(Protocol):
    async def create(self, caller: Caller, name: str, scopes: Sequence[Scope]) -> tuple[Key, str]:
        """The row and, this once, the key itself."""
        ...

    async def all(self, caller: Caller) -> list[Key]: ...
    async def revoke(self, caller: Caller, key_id: int) -> Key: ...


class RepositoryShelf(Protocol):
    async def create(
        self, caller: Caller, name: str, description: str | None = None, organization: str = ""
    ) -> Repository: ...
    async def all(self, caller: Caller) -> list[Repository]: ...
    async def get(self, caller: Caller, repository_id: int) -> Repository: ...
    async def change(self, caller: Caller, repository_id: int, values: dict[str, Json]) -> Repository: ...
    async def delete(self, caller: Caller, repository_id: int) -> tuple[list[int], list[str]]:
        """The chunk ids and blob hashes that are now nobody's."""
        ...


class DocumentShelf(Protocol):
    async def add(
        self, caller: Caller, repository_id: int, upload: Upload, attributes: Mapping[str, Json] | None
    ) -> Added: ...
    async def all(self, caller: Caller, repository_id: int, limit: int, after: int = 0) -> list[Document]: ...
    async def get(self, caller: Caller, document_id: int) -> Document: ...
    async def text(self, caller: Caller, document_id: int) -> DocumentText: ...
    async def chunks(self, caller: Caller, document_id: int, limit: int, after: int = -1) -> list[ChunkRow]: ...
    async def texts_by_hash(self, caller: Caller, hashes: Sequence[str]) -> dict[str, str]:
        """Canonical texts of the project by their sha256; unknown hashes are left out."""
        ...

    async def delete(self, caller: Caller, document_id: int) -> tuple[list[int], list[str]]:
        """The chunk ids and blob hashes that are now nobody's."""
        ...


class JobShelf(Protocol):
    async def get(self, caller: Caller, job_id: int) -> Job: ...
    async def retry(self, caller: Caller, job_id: int) -> Job: ...
    async def request_cancel(self, caller: Caller, job_id: int) -> Job: ...


class PromptShelf(Protocol):
    async def create(self, caller: Caller, name: str, version: NewPromptVersion) -> PromptVersion: ...
    async def add_version(self, caller: Caller, prompt_id: str, version: NewPromptVersion) -> PromptVersion: ...
    async def tag(self, caller: Caller, prompt_id: str, number: int, tag: str | None) -> PromptVersion: ...
    async def get(
        self, caller: Caller, prompt: str, number: int | None = None, tag: str | None = None
    ) -> PromptVersion:
        """A version of the prompt with this id, else of the newest with this name; the newest unless told which."""
        ...

    async def versions(self, caller: Caller, prompt_id: str) -> list[PromptVersion]: ...
    async def all(self, caller: Caller) -> list[SavedPrompt]: ...
    async def delete(self, caller: Caller, prompt_id: str) -> None: ...


class ThreadShelf(Protocol):
    async def all(self, caller: Caller, start: int, limit: int, newest: int) -> ThreadPage:
        """The caller's user's threads, each with its `newest` turns."""
        ...

    async def get(self, caller: Caller, thread_id: str, newest: int) -> ThreadView: ...
    async def turn(self, caller: Caller, thread_id: str, number: int) -> TurnView: ...
    async def delete(self, caller: Caller, thread_id: str) -> None:
        """With its turns, and their traces."""
        ...


class TraceShelf(Protocol):
    async def all(self, caller: Caller, limit: int, before: str | None = None) -> Sequence[TraceRecord]: ...
    async def some(self, caller: Caller, trace_ids: Collection[str]) -> dict[str, TraceRecord]:
        """Traces by their id; unknown ones are left out."""
        ...

    async def get(self, caller: Caller, trace_id: str) -> TraceRecord: ...


class FeedbackShelf(Protocol):
    async def add(self, caller: Caller, new: NewFeedback) -> Feedback:
        """Keeps it, without what its trace was told not to keep; raises NotFoundError for an unknown trace."""
        ...

    async def of(self, caller: Caller, trace_id: str) -> list[Feedback]:
        """All feedback on a trace, oldest first."""
        ...

    async def thumbs(self, caller: Caller, trace_ids: Collection[str]) -> dict[str, Feedback]:
        """The newest thumb on each of these traces; traces without one are left out."""
        ...

    async def withdraw(self, caller: Caller, trace_id: str) -> None:
        """Takes back every thumb on a trace; raises NotFoundError for an unknown trace."""
        ...


class WorkspaceShelf(Protocol):
    async def create_or_get(self, caller: Caller, name: str) -> tuple[Workspace, bool]:
        """The workspace of this name, and whether it is new."""
        ...

    async def find(self, caller: Caller, name: str) -> Workspace | None: ...
    async def get(self, caller: Caller, workspace_id: str) -> Workspace: ...


class TraceLogShelf(Protocol):
    async def write(self, caller: Caller, parts: Sequence[LogPart]) -> None:
        """Merges each part into its log in one transaction, making those that are not there."""
        ...

    async def change(self, caller: Caller, part: LogPart) -> None:
        """Merges a part into a log that is there; raises NotFoundError."""
        ...

    async def drop_tree(self, caller: Caller, root_id: str) -> int:
        """Deletes what is kept of a tree of traces; returns how many rows."""
        ...


class TraceSearchShelf(Protocol):
    async def search(self, caller: Caller, query: TraceQuery) -> TracePage: ...
    async def tree(self, caller: Caller, trace_id: str, most: int) -> TraceTree:
        """A trace with those that are parts of it, the `most` that began first; raises NotFoundError."""
        ...

    async def trees(self, caller: Caller, tops: Sequence[TraceRecord], most: int) -> list[TraceTree]:
        """Each of these traces with those that are parts of it, the `most` that began first over all."""
        ...


class ExperimentShelf(Protocol):
    async def create(self, caller: Caller, new: NewExperiment) -> Experiment: ...
    async def get(self, caller: Caller, experiment_id: str) -> Experiment: ...
    async def finish(
        self, caller: Caller, experiment_id: str, status: ExperimentStatus, stats: Sequence[Mapping[str, Json]]
    ) -> Experiment: ...
    async def find(
        self, caller: Caller, wanted: ExperimentFilter, limit: int, before: str | None = None
    ) -> list[Experiment]:
        """The newest first."""
        ...

    async def figures(self, caller: Caller, experiment_ids: Sequence[str]) -> dict[str, list[TraceFigures]]:
        """The traces of each of these experiments, oldest first."""
        ...


class DatasetShelf(Protocol):
    async def create(self, caller: Caller, name: str, columns: Sequence[str], cases: Sequence[NewCase]) -> Dataset: ...
    async def add(self, caller: Caller, key: int | str, cases: Sequence[NewCase]) -> Dataset: ...
    async def change_case(self, caller: Caller, dataset_id: int, case_id: int, change: CaseChange) -> Case: ...
    async def contents(self, caller: Caller, key: int | str) -> DatasetContents:
        """The dataset with this id, or this name."""
        ...

    async def all(self, caller: Caller, limit: int, after: int = 0) -> list[Dataset]: ...


class TodoShelf(Protocol):
    async def create(self, caller: Caller, new: NewTodo) -> Todo: ...
    async def all(
        self, caller: Caller, completed: bool | None, order: TodoOrder, limit: int, skip: int = 0
    ) -> list[Todo]: ...
    async def get(self, caller: Caller, todo_id: int) -> Todo: ...
    async def toggle(self, caller: Caller, todo_id: int) -> Todo: ...
    async def change(self, caller: Caller, todo_id: int, values: Mapping[str, Json]) -> Todo:
        """Raises InvalidRequestError for a parent that is the todo itself or below it."""
        ...

    async def delete(self, caller: Caller, todo_id: int) -> None:
        """With all below it."""
        ...


class GapShelf(Protocol):
    async def count(
        self,
        caller: Caller,
        question: str,
        repository_ids: tuple[int, ...],
        vector: bytes,
        asked_at: float,
        rules: GapRules,
    ) -> bool:
        """Counts a question in the gap that asks the same; False when there is none."""
        ...

    async def note(self, caller: Caller, gap: NewGap, rules: GapRules) -> bool:
        """Makes a todo of a gap, or counts it in one made meanwhile; False when no more can be kept."""
        ...

    async def waiting(self, caller: Caller, repository_id: int) -> list[OpenGap]:
        """The open gaps of a repository, those asked most first."""
        ...

    async def overdue(self, caller: Caller | None = None) -> list[OpenGap]:
        """Open gaps in whose project something was published since they were asked; of all projects for None."""
        ...

    async def complete(
        self, caller: Caller, todo_id: int, document_ids: Sequence[int], just_published: Collection[int] = ()
    ) -> int | None:
        """Completes an open gap by the first of these documents that is newer than the question; returns which."""
        ...


class BlobShelf(Protocol):
    async def save(self, caller: Caller, name: str, media_type: str, pieces: AsyncIterator[bytes]) -> Upload: ...
    def path(self, caller: Caller, sha256: str) -> Path: ...
    def delete(self, caller: Caller, hashes: Sequence[str]) -> None: ...
