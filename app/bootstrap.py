"""Settings → a running service. The only file that names concrete classes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from app import VERSION
from app.core.access import Access
from app.core.circulation import Circulation
from app.core.dispatch import Dispatcher
from app.core.embedding import TextEmbeddings
from app.core.evaluating import Evaluator
from app.core.gap_closing import GapCloser
from app.core.gap_list import GapList
from app.core.gaps import GapRules
from app.core.health import examine
from app.core.ingesting import IngestRun
from app.core.jobs import JobEngine
from app.core.parts import Limits, Parts
from app.core.pipeline import Pipeline
from app.core.ports import Defaults
from app.core.prompt_watch import PromptWatch
from app.core.questions import Questioner
from app.core.rate_limits import Turnstile
from app.core.retrieval import Retriever
from app.core.snapshots import SnapshotLoader
from app.core.types import Caller, Scope
from app.providers.catalogue import Catalogue
from app.providers.dbos_jobs import DbosJobEngine, DbosJobSettings
from app.providers.extractive import ExtractiveGenerator
from app.providers.model_cards import ModelCards, embedding_card
from app.providers.prices import Price, PriceBook
from app.providers.rate_limits import Counters, WindowLimiter
from app.providers.retry import ModelLimits
from app.providers.rows_only_jobs import RowsOnlyJobEngine
from app.settings import Settings, vendor_environment
from app.store.admin_key import find_admin_key
from app.store.blobs import BlobFolder
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
from app.store.lock import FolderLock
from app.store.migrate import migrate
from app.store.projects import ProjectStore
from app.store.prompts import PromptStore
from app.store.repositories import RepositoryStore
from app.store.threads import ThreadStore
from app.store.todos import TodoStore
from app.store.trace_logs import TraceLogStore
from app.store.trace_search import TraceSearchStore
from app.store.workspaces import WorkspaceStore
from ingest.chunker import VERSION as CHUNKER_VERSION
from ingest.chunker import chunk_text
from ingest.context import VERSION as CONTEXT_VERSION
from ingest.context import contextual_texts
from ingest.embedders.load import load_embedder
from ingest.indexes.chroma import ChromaVectorStore
from ingest.indexes.exact import ExactIndex
from ingest.indexes.no_words import NoWords
from ingest.indexes.snapshot_files import SnapshotFiles
from ingest.indexes.tantivy_words import VERSION as WORDS_VERSION
from ingest.indexes.tantivy_words import TantivyIndex
from ingest.parsing import ParseLimits, ParserPool

SYSTEM = Caller(1, scopes=frozenset(Scope))  # who acts at start, before anybody has asked for anything
RETRIEVAL_THREADS = 2
EMBEDDING_THREADS = 2
DRAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """A built service: its parts, and what it takes to start and stop it."""

    parts: Parts
    admin_key: str
    admin_key_is_new: bool
    start: Callable[[], None]  # blocking: takes up unfinished jobs
    stop: Callable[[], None]  # blocking: leaves nothing half-done


def open_database(settings: Settings) -> Database:
    """The database at the present schema, with its first project."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    migrate(database)
    ProjectStore(database).ensure_default(SYSTEM)
    return database


@contextlib.contextmanager
def open_keys(settings: Settings) -> Iterator[KeyStore]:
    """The keys alone, beside a running service or without one."""
    database = open_database(settings)
    try:
        yield KeyStore(database)
    finally:
        database.close()


@contextlib.contextmanager
def open_projects(settings: Settings) -> Iterator[ProjectStore]:
    """The projects alone."""
    database = open_database(settings)
    try:
        yield ProjectStore(database)
    finally:
        database.close()


def texts_by_hash(settings: Settings, caller: Caller, hashes: Sequence[str]) -> dict[str, str]:
    """Canonical texts of a project by their sha256."""
    database = open_database(settings)
    try:
        return asyncio.run(DocumentStore(database).texts_by_hash(caller, hashes))
    finally:
        database.close()


def build(settings: Settings, role: str = "serve") -> Service:
    """Puts the parts together; raises FolderLockedError or EmbedderUnavailableError, and then holds nothing.

    `role` tells processes of one machine apart that share a database.
    """
    closing: list[Callable[[], None]] = []
    try:
        return _build(settings, role, closing)
    except BaseException:
        _close(closing)
        raise


def _build(settings: Settings, role: str, closing: list[Callable[[], None]]) -> Service:
    # A question is one product of a matrix and a vector: BLAS's other threads only spin (10 ms of processor each time).
    threadpool_limits(limits=1, user_api="blas")
    embedded = settings.vector_url is None
    if embedded:
        closing.append(FolderLock(settings.data_dir).release)
    database = open_database(settings)
    closing.append(database.close)
    admin_key, is_new = find_admin_key(
        settings.data_dir, settings.admin_key.get_secret_value() if settings.admin_key else None
    )
    embedder = load_embedder(
        settings.embedder,
        cache_dir=settings.data_dir / "models",
        threads=settings.embed_threads,
        allow_download=settings.allow_download,
    )
    closing.append(embedder.close)
    fingerprint = hashlib.sha256(f"{embedder.fingerprint}|{CHUNKER_VERSION}|{CONTEXT_VERSION}".encode()).hexdigest()[
        :16
    ]

    vectors = ChromaVectorStore(
        fingerprint,
        folder=settings.data_dir / "chroma" if embedded else None,
        url=settings.vector_url,
    )
    closing.append(vectors.close)
    # A word index on disk has one writer; where several processes share the work there is none yet (ADR 5).
    words = TantivyIndex(settings.data_dir / "words" / f"{fingerprint}-{WORDS_VERSION}") if embedded else NoWords()
    closing.append(words.close)
    snapshots = ExactIndex(embedder.dimensions)
    searching = ThreadPoolExecutor(RETRIEVAL_THREADS, thread_name_prefix="retrieval")
    closing.append(searching.shutdown)
    embedding = ThreadPoolExecutor(EMBEDDING_THREADS, thread_name_prefix="embedding")  # questions do not wait for it
    closing.append(embedding.shutdown)
    parser = ParserPool(
        settings.job_concurrency,
        ParseLimits(settings.parse_seconds, settings.parse_memory_bytes, settings.parse_output_chars),
    )
    closing.append(parser.close)

    projects, keys, prompts = ProjectStore(database), KeyStore(database), PromptStore(database)
    repositories, documents, chunks = RepositoryStore(database), DocumentStore(database), ChunkStore(database)
    jobs, journal, corpus = JobStore(database), JournalStore(database), CorpusStore(database)
    blobs = BlobFolder(settings.data_dir / "blobs", settings.max_upload_bytes)

    chunk = functools.partial(
        chunk_text,
        tokenizer=embedder.tokenizer,
        max_tokens=embedder.max_tokens,
        target_tokens=min(settings.chunk_tokens, embedder.max_tokens),
    )
    texts_of = functools.partial(contextual_texts, tokenizer=embedder.tokenizer, max_tokens=embedder.max_tokens)
    files = SnapshotFiles(settings.data_dir / "snapshots" / fingerprint)
    rules = GapRules(settings.gap_similarity, settings.max_gaps, settings.gap_checks)
    gaps, closing_gaps = GapStore(database), ThreadPoolExecutor(1, thread_name_prefix="gap-retrieval")
    closing.append(closing_gaps.shutdown)
    gap_closer = GapCloser(
        gaps,
        projects,
        # A retriever of its own: a loader's locks belong to one event loop, and questions do not wait for gaps.
        Retriever(
            repositories,
            chunks,
            SnapshotLoader(chunks, snapshots, vectors, files, embedder, closing_gaps),
            snapshots,
            words,
            embedder,
            closing_gaps,
        ),
        vectors,
        rules,
        settings.retrieval_limit,
    )
    steps = IngestRun(
        corpus,
        blobs,
        parser.parse,
        chunk,
        embedder,
        fingerprint,
        vectors,
        words,
        snapshots,
        gap_closer.published,
    )
    runner: JobEngine = RowsOnlyJobEngine()
    if settings.run_jobs:
        executor_id = "local" if embedded else f"{socket.gethostname()}-{role}"
        runner = DbosJobEngine(DbosJobSettings(settings.jobs_database, executor_id, settings.job_concurrency))
    engine = Dispatcher(runner, jobs.unfinished, sweep=settings.run_jobs and not embedded)
    loader = SnapshotLoader(chunks, snapshots, vectors, files, embedder, searching)
    retriever = Retriever(repositories, chunks, loader, snapshots, words, embedder, searching)
    gap_list = GapList(gaps, repositories, retriever, embedder, searching, rules)
    scoring = ThreadPoolExecutor(1, thread_name_prefix="scores")
    closing.append(scoring.shutdown)
    evaluator = Evaluator(journal, embedder, scoring, settings.max_waiting_scores)
    followers = (gap_list.follow, evaluator.follow)
    threads = ThreadStore(database)
    prices = PriceBook(
        {model: Price(each.input, each.output, each.context_length) for model, each in settings.prices.items()}
    )
    models = Catalogue(
        extractive=ExtractiveGenerator(embedder),
        environment=vendor_environment(),
        limits=ModelLimits(settings.model_timeout_s, settings.model_retries),
        default_provider=settings.default_provider,
    )
    cards = ModelCards(
        models,
        prices,
        embedding_card(embedder.name, dimensions=embedder.dimensions, max_tokens=embedder.max_tokens),
        vendor_environment(),
        settings.models,
    )
    defaults = Defaults(
        settings.default_model,
        settings.retrieval_limit,
        settings.retrieval_max_limit,
        settings.similarity_threshold,
        settings.refusal_text,
        settings.max_question_chars,
        settings.max_choices,
        settings.cache_seconds,
    )

    def start() -> None:
        blobs.sweep()
        if embedded:
            corpus.refill(words, texts_of)
        engine.start(steps)
        gap_closer.start()

    def stop() -> None:
        engine.stop(DRAIN_S)
        gap_closer.stop()
        for scope, ids, matrix in snapshots.newest():
            if files.generation(scope.repository_id) != scope.generation:
                files.save(scope, ids, matrix)
        _close(closing)

    pipeline = Pipeline(projects, prompts, threads, models, retriever, journal, defaults, prices, followers)
    counters = Counters(settings.rate_limit_url)
    turnstile = Turnstile(
        WindowLimiter(counters, settings.rate_limit, "key") if settings.rate_limit else None,
        WindowLimiter(counters, settings.failed_key_limit, "address") if settings.failed_key_limit else None,
    )

    async def close_connections() -> None:
        await models.aclose()
        await counters.aclose()

    checks = {
        "database": lambda: f"{database.engine.dialect.name}, schema {migrate(database)}",
        "vectors": lambda: f"{vectors.count()} in {settings.vector_url or 'embedded Chroma'}",
        "words": lambda: f"{words.count()} chunks" if embedded else "off: not shared between processes yet",
        "embedder": lambda: f"{embedder.name}, {len(embedder.embed(['health'])[0])} dimensions",
        "jobs": engine.check,
    }
    if settings.rate_limit_url is not None:
        checks["rate limits"] = counters.check
    parts = Parts(
        access=Access(keys, admin_key, turnstile),
        pipeline=pipeline,
        retriever=retriever,
        questioner=Questioner(projects, chunks, retriever, models, pipeline, defaults, searching),
        models=cards,
        embeddings=TextEmbeddings(embedder, embedding, settings.max_embedding_tokens),
        circulation=Circulation(repositories, documents, jobs, blobs, engine, vectors, words, snapshots),
        projects=projects,
        keys=keys,
        repositories=repositories,
        documents=documents,
        jobs=jobs,
        prompts=prompts,
        traces=journal,
        threads=threads,
        trace_logs=TraceLogStore(database),
        trace_search=TraceSearchStore(database),
        workspaces=WorkspaceStore(database),
        feedback=FeedbackStore(database),
        experiments=ExperimentStore(database),
        datasets=DatasetStore(database, settings.max_test_cases),
        evaluator=evaluator,
        todos=TodoStore(database),
        blobs=blobs,
        defaults=defaults,
        limits=Limits(
            settings.max_json_depth,
            settings.max_files_per_upload,
            settings.upload_wait_s,
            settings.max_messages,
            settings.max_embedding_inputs,
            settings.max_trace_page,
            settings.max_trace_tree,
            settings.max_experiments_listed,
            settings.max_turns_listed,
            settings.max_turns_shown,
            settings.max_proposed_questions,
        ),
        health=functools.partial(examine, checks),
        close_models=close_connections,
        sse_done_spaced=settings.sse_done_spaced,
        fingerprint=hashlib.sha256(f"{VERSION}|{fingerprint}|{WORDS_VERSION}".encode()).hexdigest()[:10],
        prompt_watch=PromptWatch(prompts, asyncio.Event()),
        started_at=time.time(),
    )
    return Service(parts, admin_key, is_new, start, stop)


def _close(closing: list[Callable[[], None]]) -> None:
    while closing:
        closing.pop()()
