"""Decides what is kept of a completion: its trace, its turn, its place in the cache."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

import orjson

from app import VERSION
from app.core.ports import ThreadState
from app.core.types import Ask, Json, Logging, Message, Retrieval

TITLE_CHARS = 80


def keeps_trace(log: Logging, trace_id: str) -> bool:
    """Is the tree this trace belongs to kept? The same for all of it, whoever asks, whenever."""
    if log.sample_rate >= 1:
        return True
    digest = hashlib.sha256(root_of(log, trace_id).encode()).digest()
    return int.from_bytes(digest[:8], "big") < log.sample_rate * 2**64


def root_of(log: Logging, trace_id: str) -> str:
    """The outermost trace of the tree."""
    return log.root_id or log.parent_id or trace_id


def keeps_turn(ask: Ask, *, traced: bool) -> bool:
    """Is the turn remembered? In a conversation that somebody can come back to, unless it must not be written down."""
    if ask.log.omit_inputs or ask.log.omit_outputs:
        return False
    return ask.session is not None or ask.thread_id is not None or (ask.remember and traced)


def keeps_words(ask: Ask) -> bool:
    """May an error's message be written down? A provider's may repeat what it was sent, and the caller's own key."""
    return ask.provider_key is None and not (ask.log.omit_inputs or ask.log.omit_outputs)


def may_cache(ask: Ask) -> bool:
    """May the answer be looked up and kept? Not where it must not be written down, nor with somebody's own key."""
    return ask.cache and ask.provider_key is None and not (ask.log.omit_inputs or ask.log.omit_outputs)


def cache_key(
    ask: Ask,
    messages: tuple[Message, ...],
    thread: ThreadState,
    system_prompt: str | None,
    models: tuple[str, ...],
    retrieval: Retrieval | None,
    index_version: str,
) -> str:
    """Hex SHA-256 of everything that can change the answer."""
    parts: dict[str, Json] = {
        "code": VERSION,
        "messages": [asdict(message) for message in messages],
        "turns": [[turn.question, turn.answer] for turn in thread.turns],
        "system_prompt": system_prompt,
        "models": models,
        "retrieval": None if retrieval is None else asdict(retrieval),
        "index": index_version,
        "sampling": asdict(ask.sampling),
        "choices": ask.choices,
        "tools": ask.tools,
        "tool_choice": ask.tool_choice,
        "response_format": ask.response_format,
        "passed_on": ask.passed_on,
    }
    written = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=dict)
    return hashlib.sha256(written).hexdigest()


def title_of(question: str) -> str:
    """A conversation's title: its first question on one line, cut at a word."""
    line = " ".join(question.split())
    if len(line) <= TITLE_CHARS:
        return line
    head = line[: TITLE_CHARS - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head) + "…"
