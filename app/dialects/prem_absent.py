"""What Prem's clients can ask for and Footnote does not do, and why."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import NotFoundError

_TUNING = (
    "Fine-tuning is not part of Footnote: it answers from documents, and trains no model. Tune one with its provider "
    "and name it in `model`."
)
_POINTS = (
    "Data points for fine-tuning are not part of Footnote: POST /v1/set_trace_feedback keeps what an answer should "
    "have been, and GET /v1/traces/ lists it."
)


class AbsentError(NotFoundError):
    """This is not part of Footnote."""

    code = "not_offered"


@dataclass(frozen=True, slots=True)
class Absent:
    """A path that is answered with nothing but a reason."""

    path: str  # below /v1
    methods: tuple[str, ...]
    reason: str


ABSENT = (
    Absent("/data-points/", ("GET", "POST"), _POINTS),
    Absent("/data-points/{number}/", ("GET", "PUT", "PATCH", "DELETE"), _POINTS),
    Absent("/get_dataset", ("GET",), _POINTS),
    Absent("/finetuning", ("POST",), _TUNING),
    Absent("/finetuning/{job}", ("GET",), _TUNING),
    Absent("/create_finetuning_job", ("POST",), _TUNING),
    Absent("/finetuning_job_details", ("POST",), _TUNING),
    Absent("/finetuned_model_try", ("POST",), _TUNING),
    Absent("/delete_finetuning_job", ("POST",), _TUNING),
    Absent("/download_finetuned_model", ("POST",), _TUNING),
    Absent("/init_page_data", ("POST",), _TUNING),
    Absent("/ping", ("GET",), "`GET /v1/health` says how this service and its parts are."),
)
