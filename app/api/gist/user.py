"""The user on whose behalf Gist's clients ask, as a route's parameter."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header

from app.api.caller import Reader
from app.core.types import Caller
from app.dialects.gist.completions import check_user


async def _user(
    caller: Reader,
    x_user_id: Annotated[str | None, Header(description="Your own end user: threads are theirs.")] = None,
) -> Caller:
    return replace(caller, user=check_user(x_user_id or ""))


GistUser = Annotated[Caller, Depends(_user)]
