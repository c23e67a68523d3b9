"""What vendors' clients can ask for and Footnote does not do, and why."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import NotFoundError

_ALL = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TUNING = (
    "Fine-tuning is not part of Footnote: it answers from documents, and trains no model. Tune one with its provider "
    "and name it in `model`."
)
_POINTS = (
    "Data points for fine-tuning are not part of Footnote: POST /v1/set_trace_feedback keeps what an answer should "
    "have been, and GET /v1/traces/ lists it."
)
_PUBLISHERS = (
    "Publishers are not part of Footnote: the sources are your own repositories (GET /v1/repositories), and "
    "attributions credit documents and repositories."
)
_SUMMARIES = "Summaries of articles are not part of Footnote: ask for one in POST /v1/chat."
_INGEST = "Articles by address are not part of Footnote: upload the text to POST /v1/repositories/{id}/documents."
_STARTING = "Starting models is not part of Footnote: each that GET /api/v1/models lists can be called at once."
_STUDIO = (
    "Projects, snapshots and synthetic data for training are not part of Footnote, which trains no model: test cases "
    "are kept by POST /api/parea/v1/collection."
)
_STUDIO_TRACES = "Traces to train from are not part of Footnote: it writes its own, which GET /v1/traces lists."
_FILES = (
    "OpenAI's files and vector stores are not part of Footnote: POST /v1/repositories makes what `repositories` "
    "searches, and POST /v1/repositories/{id}/documents fills it."
)
_RESPONSES = "OpenAI's responses are not part of Footnote: POST /v1/chat/completions answers from `repositories`."


class AbsentError(NotFoundError):
    """This is not part of Footnote."""

    code = "not_offered"


@dataclass(frozen=True, slots=True)
class Absent:
    """A path that is answered with nothing but a reason."""

    path: str
    methods: tuple[str, ...]
    reason: str


PREM = (
    Absent("/v1/data-points/", ("GET", "POST"), _POINTS),
    Absent("/v1/data-points/{number}/", ("GET", "PUT", "PATCH", "DELETE"), _POINTS),
    Absent("/v1/get_dataset", ("GET",), _POINTS),
    Absent("/v1/finetuning", ("POST",), _TUNING),
    Absent("/v1/finetuning/{job}", ("GET",), _TUNING),
    Absent("/v1/create_finetuning_job", ("POST",), _TUNING),
    Absent("/v1/finetuning_job_details", ("POST",), _TUNING),
    Absent("/v1/finetuned_model_try", ("POST",), _TUNING),
    Absent("/v1/delete_finetuning_job", ("POST",), _TUNING),
    Absent("/v1/download_finetuned_model", ("POST",), _TUNING),
    Absent("/v1/init_page_data", ("POST",), _TUNING),
    Absent("/v1/ping", ("GET",), "`GET /v1/health` says how this service and its parts are."),
)
STUDIO = (
    Absent("/api/v1/models/running", ("GET",), _STARTING),
    Absent("/api/v1/models/up", ("POST",), _STARTING),
    Absent("/api/v1/models/down", ("POST",), _STARTING),
    Absent("/api/v1/public/{rest:path}", ("GET", "POST"), _STUDIO),
    Absent("/api/v1/datasets/{number}/addDatapoint", ("POST",), _STUDIO),
    Absent("/api/v1/traces", ("GET", "POST"), _STUDIO_TRACES),
    Absent("/api/v1/traces/{rest:path}", ("POST", "PUT", "DELETE"), _STUDIO_TRACES),
)
GIST = (
    Absent("/v1/publishers", ("GET",), _PUBLISHERS),
    Absent("/v1/publishers/{publisher}", ("GET",), _PUBLISHERS),
    Absent("/v1/summaries", ("GET", "POST"), _SUMMARIES),
    Absent("/v1/summaries/{summary}", ("GET",), _SUMMARIES),
    Absent("/ingest/{rest:path}", ("POST",), _INGEST),
)
OPENAI = tuple(
    Absent(prefix + path, _ALL, reason)
    for prefix in ("/v1", "/openai/v1", "/api/v1")
    for path, reason in (
        ("/files", _FILES),
        ("/files/{rest:path}", _FILES),
        ("/vector_stores", _FILES),
        ("/vector_stores/{rest:path}", _FILES),
        ("/responses", _RESPONSES),
        ("/responses/{rest:path}", _RESPONSES),
    )
)
ABSENT = (*PREM, *STUDIO, *GIST, *OPENAI)
