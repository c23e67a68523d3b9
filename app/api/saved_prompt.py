"""Which saved prompt a completion comes from: what Promptrun's SDK says in a header."""

from __future__ import annotations

from fastapi import Request

from app.core.errors import NotFoundError
from app.core.library import PromptVersion
from app.core.parts import Parts
from app.core.types import Caller
from app.dialects.openai.promptrun import PROMPT_HEADER, prompt_named


async def saved_prompt(request: Request, caller: Caller, parts: Parts) -> PromptVersion | None:
    """The version that `HTTP-Prompt-Id` names, None without the header; raises NotFoundError."""
    header = request.headers.get(PROMPT_HEADER)
    if not header:
        return None
    named = prompt_named(header)
    try:
        return await parts.prompts.get(caller, named.prompt, named.number)
    except NotFoundError as error:
        raise NotFoundError(error.message, field=PROMPT_HEADER) from None
