"""A completion as its trace keeps it: plain JSON, without secrets, complete enough to be looked at later."""

from __future__ import annotations

from dataclasses import asdict

from app.core.types import Ask, Citation, Finished, Funnel, Hit, Json, Message, Retrieval, Retrieved


def describe(
    ask: Ask, retrieval: Retrieval | None, retrieved: Retrieved | None, finished: Finished | None, text: str
) -> dict[str, Json]:
    """What was asked, found and said; the parts that were never reached are None."""
    return {
        "dialect": ask.dialect,
        "user": ask.caller.user,
        "key_id": ask.caller.key_id,
        "session": ask.session,
        "messages": [_message(message) for message in ask.messages],
        "system_prompt": ask.system_prompt,
        "sampling": {name: value for name, value in asdict(ask.sampling).items() if value not in (None, ())},
        "tools": [dict(tool) for tool in ask.tools],
        "retrieval": None
        if retrieval is None
        else asdict(retrieval) | {"repository_ids": list(retrieval.repository_ids)},
        "funnel": None if retrieved is None or not retrieved.asked else describe_funnel(retrieved.funnel),
        "document_chunks": None if retrieved is None else [_source(n, hit) for n, hit in enumerate(retrieved.hits, 1)],
        "answer": text,
        "tool_calls": [asdict(call) for call in finished.tool_calls] if finished else [],
        "citations": [describe_citation(citation) for citation in finished.citations] if finished else [],
        "usage": None
        if finished is None
        else {
            "prompt_tokens": finished.usage.prompt_tokens,
            "completion_tokens": finished.usage.completion_tokens,
            "total_tokens": finished.usage.total_tokens,
        },
    }


def describe_funnel(funnel: Funnel) -> dict[str, Json]:
    """How many candidates each stage dropped."""
    return asdict(funnel)


def describe_citation(citation: Citation) -> dict[str, Json]:
    """A citation as every dialect shows it."""
    return asdict(citation) | {"verdict": str(citation.verdict)}


def _message(message: Message) -> dict[str, Json]:
    shown: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.template_id is not None:
        shown |= {"template_id": message.template_id, "params": dict(message.params)}
    if message.tool_calls:
        shown["tool_calls"] = [asdict(call) for call in message.tool_calls]
    return shown


def _source(marker: int, hit: Hit) -> dict[str, Json]:
    return {
        "marker": marker,
        "chunk_id": hit.chunk_id,
        "document_id": hit.document_id,
        "repository_id": hit.repository_id,
        "document_name": hit.document_name,
        "start": hit.start,
        "end": hit.end,
        "page": hit.page,
        "text_sha256": hit.text_sha256,
        "similarity_score": hit.score,
        "raw_scores": dict(hit.raw_scores),
        "content": hit.content,
    }
