"""What vendors' clients can ask for and Footnote is not made for: each says so, and what to do instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from app.api.caller import Reader
from app.dialects.absent import ABSENT, Absent, AbsentError


def _router() -> APIRouter:
    made = APIRouter(include_in_schema=False)
    for each in ABSENT:
        made.add_api_route(each.path, _refusing(each), methods=list(each.methods), name=each.path)
    return made


def _refusing(absent: Absent) -> Callable[[Reader], Awaitable[None]]:
    async def refuse(caller: Reader) -> None:
        raise AbsentError(absent.reason)

    return refuse


router = _router()
