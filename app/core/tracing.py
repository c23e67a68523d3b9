"""A completion as its trace keeps it: plain JSON, without secrets; and read back, for whoever asks again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from app.core.keeping import keeps_words
from app.core.types import (
    Ask,
    Attempt,
    Choice,
    Citation,
    Finished,
    FinishReason,
    Funnel,
    Hit,
    Json,
    Message,
    Retrieval,
    Retrieved,
    ToolCall,
    Usage,
    Verdict,
)


def describe(
    ask: Ask, retrieval: Retrieval | None, retrieved: Retrieved | None, finished: Finished | None, text: str
) -> dict[str, Json]:
    """What was asked, found and said; the parts that were never reached are None, those to be omitted are left out."""
    kept = {
        "dialect": ask.dialect,
        "user": ask.caller.user,
        "key_id": ask.caller.key_id,
        "session": ask.session,
        "prompt_id": ask.prompt_id,
        "prompt_version": ask.prompt_version,
        "retrieval": None
        if retrieval is None
        else asdict(retrieval) | {"repository_ids": list(retrieval.repository_ids)},
        "funnel": None if retrieved is None or not retrieved.asked else describe_funnel(retrieved.funnel),
        "document_chunks": None
        if retrieved is None
        else [_source(n, hit, ask.log.omit_inputs) for n, hit in enumerate(retrieved.hits, 1)],
        "usage": None if finished is None else describe_usage(finished.usage),
        "attempts": [
            {"model": attempt.model, "error": attempt.error if keeps_words(ask) else ""}
            for attempt in (finished.attempts if finished else ())
        ],
        "tags": list(ask.log.tags),
        "metadata": dict(ask.log.metadata),
        "omitted": [
            name
            for name, omitted in (("inputs", ask.log.omit_inputs), ("outputs", ask.log.omit_outputs))
            if omitted
        ],
    }  # fmt: skip
    if not ask.log.omit_inputs:
        kept |= _inputs(ask)
    if not ask.log.omit_outputs:
        kept |= _outputs(finished, text)
    return kept


def revive(detail: Mapping[str, Json], model: str, cost: float | None) -> tuple[Retrieved, Finished]:
    """What `describe` wrote of a finished completion that omitted nothing, as it was.

    Traces of the first release lack some fields; those have one value then.
    """
    first, *others = (_choice(each) for each in (detail, *detail.get("choices", ())))
    usage = detail["usage"]
    asked = detail["funnel"] is not None
    retrieved = Retrieved(
        tuple(_hit(source) for source in detail["document_chunks"]),
        Funnel(**detail["funnel"]) if asked else Funnel(),
        asked,
    )
    finished = Finished(
        text=first.text,
        tool_calls=first.tool_calls,
        citations=first.citations,
        usage=Usage(usage["prompt_tokens"], usage["completion_tokens"]),
        finish_reason=first.finish_reason,
        refused=detail.get("refused", False),
        others=tuple(others),
        model=model,
        cost=cost,
        attempts=tuple(Attempt(**attempt) for attempt in detail.get("attempts", ())),
        refusal=first.refusal,
    )
    return retrieved, finished


def describe_funnel(funnel: Funnel) -> dict[str, Json]:
    """How many candidates each stage dropped."""
    return asdict(funnel)


def describe_citation(citation: Citation) -> dict[str, Json]:
    """A citation as every dialect shows it."""
    return asdict(citation) | {"verdict": str(citation.verdict)}


def describe_usage(usage: Usage) -> dict[str, Json]:
    """Token counts under the names Prem and OpenAI share."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def _inputs(ask: Ask) -> dict[str, Json]:
    return {
        "messages": [_message(message) for message in ask.messages],
        "inputs": dict(ask.inputs),
        "target": ask.log.target,
        "system_prompt": ask.system_prompt,
        "sampling": {name: value for name, value in asdict(ask.sampling).items() if value not in (None, ())},
        "passed_on": dict(ask.passed_on),
        "tools": [dict(tool) for tool in ask.tools],
        "tool_choice": ask.tool_choice,
        "response_format": None if ask.response_format is None else dict(ask.response_format),
    }


def _outputs(finished: Finished | None, text: str) -> dict[str, Json]:
    if finished is None:
        return {"answer": text, "tool_calls": [], "citations": []}
    first, *others = (describe_choice(choice) for choice in finished.choices)
    return first | {"choices": others, "refused": finished.refused}


def describe_choice(choice: Choice) -> dict[str, Json]:
    """One answer, as a trace keeps it."""
    return {
        "answer": choice.text,
        "tool_calls": [asdict(call) for call in choice.tool_calls],
        "citations": [describe_citation(citation) for citation in choice.citations],
        "finish_reason": str(choice.finish_reason),
        "refusal": choice.refusal,
    }


def _choice(detail: Mapping[str, Json]) -> Choice:
    return Choice(
        detail["answer"],
        tuple(ToolCall(**call) for call in detail["tool_calls"]),
        tuple(Citation(**{**each, "verdict": Verdict(each["verdict"])}) for each in detail["citations"]),
        FinishReason(detail.get("finish_reason", FinishReason.STOP)),
        detail.get("refusal", False),
    )


def _message(message: Message) -> dict[str, Json]:
    shown: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.template_id is not None:
        shown |= {"template_id": message.template_id, "params": dict(message.params)}
    if message.tool_calls:
        shown["tool_calls"] = [asdict(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        shown["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        shown["name"] = message.name
    return shown


def _source(marker: int, hit: Hit, without_content: bool) -> dict[str, Json]:
    kept: dict[str, Json] = {
        "marker": marker,
        "chunk_id": hit.chunk_id,
        "document_id": hit.document_id,
        "repository_id": hit.repository_id,
        "document_name": hit.document_name,
        "start": hit.start,
        "end": hit.end,
        "page": hit.page,
        "heading_path": list(hit.heading_path),
        "text_sha256": hit.text_sha256,
        "similarity_score": hit.score,
        "raw_scores": dict(hit.raw_scores),
    }
    return kept if without_content else kept | {"content": hit.content, "attributes": dict(hit.attributes)}


def _hit(source: Mapping[str, Json]) -> Hit:
    return Hit(
        chunk_id=source["chunk_id"],
        document_id=source["document_id"],
        repository_id=source["repository_id"],
        document_name=source["document_name"],
        content=source["content"],
        start=source["start"],
        end=source["end"],
        text_sha256=source["text_sha256"],
        score=source["similarity_score"],
        page=source["page"],
        heading_path=tuple(source.get("heading_path", ())),
        raw_scores=source["raw_scores"],
        attributes=source.get("attributes", {}),
    )
