"""Questions to ask: to begin with, or to go on with."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow
from app.api.gist.user import GistUser
from app.core.errors import InvalidRequestError
from app.core.parts import Parts
from app.core.questions import Proposed
from app.core.recall import recall
from app.dialects.gist.completions import turn_number

router = APIRouter(prefix="/questions", tags=["gist"], route_class=JsonRoute)
MAX_WORDS = 14


class RelatedRequest(BaseModel):
    """What the reader has just asked, and where the answer stands."""

    model_config = ConfigDict(extra="ignore")

    thread_id: str
    turn_id: StrictStr | StrictInt
    question: str = Field(min_length=1)
    num_recommended_queries: int = Field(3, ge=1)
    max_words_question: int = Field(MAX_WORDS, ge=3, le=100)


@router.get("/recommended", summary="Questions to begin with, which the documents answer")
async def recommended(caller: GistUser, parts: PartsNow, count: Annotated[int, Query(ge=1)] = 5) -> Response:
    """Each was found to bring the text that answers it; fewer where the documents do not give as many."""
    _check_count(count, "count", parts)
    return _shown(await parts.questioner.recommended(caller, count, MAX_WORDS))


@router.post("/related", summary="Questions to go on with, which the documents answer")
async def related(asked: RelatedRequest, caller: GistUser, parts: PartsNow) -> Response:
    """Of the same repositories as the answer; none that was asked in the thread before."""
    _check_count(asked.num_recommended_queries, "num_recommended_queries", parts)
    if len(asked.question) > parts.defaults.max_question_chars:
        raise InvalidRequestError(
            f"A question may have {parts.defaults.max_question_chars} characters.", field="question"
        )
    found = await recall(parts.threads, parts.traces, caller, asked.thread_id, turn_number(asked.turn_id))
    thread = await parts.threads.get(caller, asked.thread_id, parts.limits.turns_shown)
    before = [turn.question for turn in thread.turns]
    count, max_words = asked.num_recommended_queries, asked.max_words_question
    return _shown(await parts.questioner.related(caller, found, asked.question, before, count, max_words))


def _check_count(count: int, field: str, parts: Parts) -> None:
    if count > parts.limits.questions:
        raise InvalidRequestError(f"At most {parts.limits.questions} questions are proposed.", field=field)


def _shown(proposed: Proposed) -> Response:
    """`source` tells who wrote them: `model`, `content` (the documents' own words) or `mixed`."""
    queries = {
        "questions": list(proposed.questions),
        "related_or_synthetic": "related" if proposed.source == "content" else "synthetic",
        "source": proposed.source,
    }
    return Response(orjson.dumps({"questions": {"recommended_queries": queries}}), media_type="application/json")
