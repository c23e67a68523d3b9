"""Parea's completions, deployed prompts, projects and feedback."""

from __future__ import annotations

import time
from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from app.api.answering import streamed, whole
from app.api.bodies import JsonRoute, json_object
from app.api.caller import PartsNow
from app.api.parea.caller import PareaReader, workspace_id
from app.core.access import require
from app.core.errors import ForbiddenError, InvalidRequestError
from app.core.feedback import NewFeedback
from app.core.parts import Parts
from app.core.trace_logs import LogPart
from app.core.types import Ask, Caller, Scope
from app.dialects.parea import completions as parea
from app.dialects.parea.deployments import show_deployment
from app.dialects.parea.stream import PareaFramer
from app.dialects.parea.wire import (
    CompletionResponse,
    CreateProject,
    DeployedPrompt,
    FeedbackShape,
    PareaCompletion,
    PareaFeedback,
    ProjectShape,
    UseDeployedPrompt,
)

router = APIRouter(tags=["parea"], route_class=JsonRoute)
_TAKES = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PareaCompletion"}}},
    }
}
SCHEMAS = {"PareaCompletion": PareaCompletion}  # read by hand, so that the key is checked before the body


@router.post("/completion", summary="Answer in Parea's format", openapi_extra=_TAKES, response_model=CompletionResponse)
async def complete(request: Request, parts: PartsNow) -> Response:
    """The answer stands beside `document_chunks`, `citations` and `retrieval`, as in every other format."""
    renderer = parea.PareaRenderer(time.time)
    return await whole(renderer, await _ask(request, parts, streams=False), request, parts)


@router.post(
    "/completion/stream",
    summary="Answer in Parea's format, as it is written",
    openapi_extra=_TAKES,
    response_class=StreamingResponse,
    responses={
        200: {"description": "Server-sent events, each an object with a `chunk`.", "content": {"text/event-stream": {}}}
    },
)
async def complete_streamed(request: Request, parts: PartsNow) -> Response:
    """The first event says `ID_START` and the id; the last one has an empty `chunk` and what the answer rests on.

    Where the answer breaks off, the last event has an `error`, and the connection is broken off.
    """
    framer = PareaFramer(for_sdk="x-sdk-version" in request.headers)
    return await streamed(framer, await _ask(request, parts, streams=True), request, parts)


@router.post("/deployed-prompt", summary="Look at a deployment, its placeholders filled in")
async def deployed_prompt(body: UseDeployedPrompt, caller: PareaReader, parts: PartsNow) -> DeployedPrompt:
    """A deployment is a saved prompt (`/v1/prompts`), by id or name, in its newest version."""
    return show_deployment(await parts.prompts.get(caller, body.deployment_id), body.llm_inputs)


@router.post("/project", summary="Make a project, or find it by its name")
async def project(body: CreateProject, caller: PareaReader, parts: PartsNow) -> ProjectShape:
    """A group of traces and experiments inside the project of the key."""
    found, created = await parts.workspaces.create_or_get(caller, body.name)
    made = parea.timestamp(found.created_at)
    return ProjectShape(name=found.name, uuid=found.id, created_at=made, was_created=created)


@router.post("/feedback", summary="Say how good an answer was")
async def feedback(body: PareaFeedback, caller: PareaReader, parts: PartsNow) -> FeedbackShape:
    """0 is bad and 1 is good. A trace that was not kept (`log_sample_rate`) takes no feedback."""
    trace_id = body.trace_id or body.inference_id
    if trace_id is None:
        raise InvalidRequestError("`trace_id` must say which answer is meant.", field="trace_id")
    if body.inference_id not in (None, trace_id):
        raise InvalidRequestError("`trace_id` and `inference_id` are the same and must not differ.", field="trace_id")
    new = NewFeedback(trace_id, None, body.score, body.name, body.target, body.comment)
    kept = await parts.feedback.add(caller, new)
    await parts.trace_logs.change(caller, LogPart(trace_id, {}, {"feedback_score": body.score}))
    return FeedbackShape(
        id=kept.id,
        trace_id=trace_id,
        score=body.score,
        name=kept.given.name,
        target=kept.given.target,
        comment=kept.given.comment,
    )


async def _ask(request: Request, parts: Parts, *, streams: bool) -> Ask:
    """The ask of a body, over the deployment it names, in the workspace it names."""
    body = await json_object(request)
    credentials = parea.credentials(body, request.headers)
    caller = require(await parts.access.caller(credentials.key, user=credentials.user), Scope.READ)
    asked = parea.read(body, streams=streams)
    deployed = None if asked.deployment_id is None else await parts.prompts.get(caller, asked.deployment_id)
    ask = parea.to_ask(asked, caller, deployed)  # before the workspace: what cannot be answered makes none
    await _check_place(caller, parts, ask.log.trace_id)
    if ask.log.experiment_id is not None:
        await parts.experiments.get(caller, ask.log.experiment_id)
    where = await workspace_id(caller, parts, asked.project_uuid, asked.project_name)
    return replace(ask, log=replace(ask.log, workspace_id=where))


async def _check_place(caller: Caller, parts: Parts, trace_id: str | None) -> None:
    """A trace takes the place of an earlier one with its id: of another's, only where the key may write.

    Raises ForbiddenError.
    """
    if trace_id is None or Scope.WRITE in caller.scopes:
        return
    held = (await parts.traces.some(caller, [trace_id])).get(trace_id)
    if held is not None and held.detail.get("key_id") != caller.key_id:
        raise ForbiddenError(
            f"The trace {trace_id} is another key's, and this one lacks the scope `write`: choose another `trace_id`.",
            field="trace_id",
        )
