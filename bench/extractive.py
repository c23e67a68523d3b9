"""Does the extractive model quote the words that answer? Hit rates and lengths beside two plain baselines.

    FOOTNOTE_EVALDATA=<folder> python -m bench.extractive [--questions 300]

A hit: the quoted words contain an answer the data set marks in the paragraph. "given" hands over the marked paragraph,
"found" the three paragraphs nearest to the question by cosine, "off topic" those of another data set, where every
answer should be a refusal. Without FOOTNOTE_EVALDATA there is nothing to measure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from app.core.extractive.passages import units_of
from app.core.extractive.quoting import NOT_ANSWERED
from app.core.extractive.wording import content_terms, word_count
from app.core.types import Hit, Prompt, Quote, Source
from app.providers.extractive import ExtractiveGenerator
from ingest.chunker import chunk_text
from ingest.readers import read_file
from ingest.text import join_blocks
from ingest.types import Embedder, Vectors

_FOUND = 3  # sources of a "found" question
_LANGUAGES = ("en", "de", "es", "ru", "ar", "zh")


@dataclass(frozen=True, slots=True)
class Case:
    """A question, its sources, and the marked answers as (document id, start, end)."""

    question: str
    sources: tuple[Source, ...]
    gold: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of answering said."""

    quotes: tuple[Quote, ...]
    text: str
    seconds: float = 0.0

    @property
    def words(self) -> int:
        """Quoted ones."""
        return sum(word_count(self.text[quote.answer_start : quote.answer_end]) for quote in self.quotes)

    @property
    def refused(self) -> bool:
        return self.text.startswith(NOT_ANSWERED)


class DataSet:
    """A data set in its normal form: paragraphs, questions, and where the answers stand."""

    def __init__(self, folder: Path, *, titled: bool = True) -> None:
        documents = list(_lines(folder / "corpus.jsonl"))
        self.texts = [str(document["text"]) for document in documents]
        self.titles = [str(document["title"]) if titled else "" for document in documents]
        self.number = {document["id"]: i for i, document in enumerate(documents)}
        self.questions = {question["id"]: str(question["text"]) for question in _lines(folder / "queries.jsonl")}
        self.gold: dict[str, list[tuple[int, int, int]]] = {}
        if (folder / "references.jsonl").exists():
            for reference in _lines(folder / "references.jsonl"):
                place = (self.number[reference["doc_id"]], reference["start"], reference["end"])
                self.gold.setdefault(reference["query_id"], []).append(place)

    def hit(self, document: int, score: float) -> Hit:
        text, title = self.texts[document], self.titles[document]
        return Hit(document, document, 1, title, text, 0, len(text), "", score, None, (title,) if title else ())

    def sample(self, count: int) -> list[str]:
        """Ids of answerable questions, the same ones every time."""
        return sorted(random.Random(7).sample(sorted(self.gold), min(count, len(self.gold))))


def given(data: DataSet, count: int) -> Iterator[Case]:
    """Each question with its marked paragraph."""
    for query in data.sample(count):
        places = tuple(data.gold[query])
        yield Case(data.questions[query], (Source(1, data.hit(places[0][0], 1.0)),), places)


def found(asked: DataSet, searched: DataSet, vectors: Vectors, embedder: Embedder, count: int) -> Iterator[Case]:
    """Each question with the paragraphs nearest to it; no gold when another data set is searched."""
    for query in asked.sample(count):
        scores = vectors @ embedder.embed([asked.questions[query]])[0]
        nearest = np.argsort(-scores)[:_FOUND]
        sources = tuple(Source(n + 1, searched.hit(int(i), float(scores[i]))) for n, i in enumerate(nearest))
        yield Case(asked.questions[query], sources, tuple(asked.gold[query]) if asked is searched else ())


async def ours(generator: ExtractiveGenerator, case: Case) -> Outcome:
    """The extractive model's answer."""
    begun = time.perf_counter()
    deltas = [delta async for delta in generator.stream(Prompt("extractive", (), case.question, case.sources))]
    quotes = tuple(quote for delta in deltas for quote in delta.quotes)
    return Outcome(quotes, "".join(delta.text for delta in deltas), time.perf_counter() - begun)


def first_sentence(case: Case) -> Outcome:
    """Baseline: the first sentence of the first source."""
    unit = units_of(case.sources[0])[0]
    return Outcome((Quote(1, unit.start, unit.end, 0, len(unit.text)),), unit.text)


def nearest_sentence(case: Case, embedder: Embedder) -> Outcome:
    """Baseline: the sentence with the best cosine."""
    units = [unit for source in case.sources for unit in units_of(source)]
    vectors = embedder.embed([window(embedder, text) for text in (case.question, *(unit.text for unit in units))])
    unit = units[int(np.argmax(vectors[1:] @ vectors[0]))]
    return Outcome((Quote(unit.source.marker, unit.start, unit.end, 0, len(unit.text)),), unit.text)


def is_hit(case: Case, outcome: Outcome) -> bool:
    """Whether a quotation contains a marked answer."""
    documents = {source.marker: source.hit.document_id for source in case.sources}
    return any(
        documents[quote.marker] == document and quote.start <= start and end <= quote.end
        for quote in outcome.quotes
        for document, start, end in case.gold
    )


def window(embedder: Embedder, text: str) -> str:
    """As much of `text` as the embedder reads."""
    while len(tokens := embedder.tokenizer.offsets(text)) > embedder.max_tokens:
        text = text[: tokens[embedder.max_tokens - 1][1]]
    return text


async def report(name: str, cases: Sequence[Case], embedder: Embedder) -> None:
    """Prints one line: hits, refusals, words and milliseconds."""
    generator = ExtractiveGenerator(embedder)
    outcomes = [await ours(generator, case) for case in cases]
    refused = mean(outcome.refused for outcome in outcomes)
    line = f"{name:24} {len(cases):5} refused {refused:5.1%}  words {mean(outcome.words for outcome in outcomes):5.1f}"
    line += f"  {median(outcome.seconds for outcome in outcomes) * 1000:5.0f} ms"
    reachable = [(case, outcome) for case, outcome in zip(cases, outcomes, strict=True) if _reachable(case)]
    if reachable:
        rates = {
            "hit": mean(is_hit(case, outcome) and not outcome.refused for case, outcome in reachable),
            "first sentence": mean(is_hit(case, first_sentence(case)) for case, _ in reachable),
            "nearest sentence": mean(is_hit(case, nearest_sentence(case, embedder)) for case, _ in reachable),
        }
        line += f"  of {len(reachable)} in reach: " + "  ".join(f"{label} {rate:5.1%}" for label, rate in rates.items())
    print(line, flush=True)


async def report_recall(name: str, folder: Path, embedder: Embedder) -> None:
    """Prints how many of the content words of the reference answers are quoted, given the right sections."""
    data = DataSet(folder)
    answers = {answer["query_id"]: " ".join(answer["answers"]) for answer in _lines(folder / "answers.jsonl")}
    relevant: dict[str, list[int]] = {}
    for row in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        query, document, *_ = row.split("\t")
        if document in data.number:
            relevant.setdefault(query, []).append(data.number[document])
    generator = ExtractiveGenerator(embedder)
    recalls, baseline, words, refused = [], [], [], []
    for query, documents in relevant.items():
        hits = [hit for document in documents for hit in _chunks(data.hit(document, 1.0))]
        case = Case(data.questions[query], tuple(Source(n + 1, hit) for n, hit in enumerate(hits)), ())
        outcome = await ours(generator, case)
        wanted = set(content_terms(answers[query]))
        recalls.append(len(wanted & set(content_terms(outcome.text))) / len(wanted))
        baseline.append(len(wanted & set(content_terms(nearest_sentence(case, embedder).text))) / len(wanted))
        words.append(word_count(outcome.text))
        refused.append(outcome.refused)
    print(
        f"{name:24} {len(recalls):5} refused {mean(refused):5.1%}  words {mean(words):5.1f}  "
        f"recall of the reference's words {mean(recalls):5.1%}  nearest sentence {mean(baseline):5.1%}",
        flush=True,
    )


def sample_hits(folder: Path, embedder: Embedder) -> list[Hit]:
    """The chunks of the sample repository, as the service would cut them."""
    hits: list[Hit] = []
    for number, path in enumerate(sorted(folder.iterdir())):
        reading = read_file(path, path.name)
        text = join_blocks(reading.blocks, reading.extractor)
        for span in chunk_text(text, embedder.tokenizer, embedder.max_tokens):
            content = text.text[span.start : span.end]
            hits.append(
                Hit(len(hits), number, 1, path.name, content, span.start, span.end, "", 0.0, None, span.heading_path)
            )
    return hits


async def report_sample(folder: Path, embedder: Embedder) -> None:
    """Prints the sample's questions: is the passage that answers among the quoted words?"""
    hits = sample_hits(folder / "sample", embedder)
    vectors = np.concatenate([embedder.embed([hit.content]) for hit in hits])
    generator = ExtractiveGenerator(embedder)
    reach = right = refused = rejected = unanswerable = 0
    for row in _lines(folder / "questions.jsonl"):
        scores = vectors @ embedder.embed([row["question"]])[0]
        nearest = np.argsort(-scores)[:_FOUND]
        sources = tuple(Source(n + 1, replace(hits[i], score=float(scores[i]))) for n, i in enumerate(nearest))
        outcome = await ours(generator, Case(row["question"], sources, ()))
        if not row["answerable"]:
            unanswerable += 1
            rejected += outcome.refused
            continue
        passage = " ".join(row["passage"].split())
        if not any(passage in " ".join(source.hit.content.split()) for source in sources):
            continue
        reach += 1
        refused += outcome.refused
        quoted = [" ".join(outcome.text[quote.answer_start : quote.answer_end].split()) for quote in outcome.quotes]
        right += not outcome.refused and any(each in passage or passage in each for each in quoted)
    print(
        f"sample: {reach} in reach, {right} right, {refused} refused; {rejected} of {unanswerable} unanswerable refused"
    )


def _chunks(hit: Hit, size: int = 900) -> Iterator[Hit]:
    """A long section in the pieces a chunker would make of it: whole lines, some 200 tokens."""
    start = 0
    while start < len(hit.content):
        cut = hit.content.rfind("\n", start, start + size) if start + size < len(hit.content) else len(hit.content)
        end = cut if cut > start else min(start + size, len(hit.content))
        piece = hit.content[start:end]
        if piece.strip():
            yield Hit(
                start, hit.document_id, 1, hit.document_name, piece, start, end, "", hit.score, None, hit.heading_path
            )
        start = end


def _reachable(case: Case) -> bool:
    documents = {source.hit.document_id for source in case.sources}
    return any(document in documents for document, _, _ in case.gold)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


async def measure(folder: Path, embedder: Embedder, count: int) -> None:
    """Prints every figure."""
    nq, squad = DataSet(folder / "nq_oracle"), DataSet(folder / "squad2")
    vectors = {
        data: np.concatenate([embedder.embed([window(embedder, text)]) for text in data.texts]) for data in (nq, squad)
    }
    await report("nq, given", list(given(nq, count)), embedder)
    await report("squad2, given", list(given(squad, count)), embedder)
    await report("nq, found", list(found(nq, nq, vectors[nq], embedder, count)), embedder)
    await report("squad2, found", list(found(squad, squad, vectors[squad], embedder, count)), embedder)
    await report("nq in squad2, off topic", list(found(nq, squad, vectors[squad], embedder, count)), embedder)
    await report("squad2 in nq, off topic", list(found(squad, nq, vectors[nq], embedder, count)), embedder)
    for language in _LANGUAGES:
        data = DataSet(folder / "xquad" / language, titled=False)  # its titles are English in every language
        await report(f"xquad {language}, given", list(given(data, count // 3)), embedder)
    await report_sample(Path("data"), embedder)
    await report_recall("anthropic_docs, given", folder / "anthropic_docs", embedder)


def main() -> None:
    """Loads the default embedder and measures."""
    from ingest.embedders.load import load_embedder

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=300, help="of each data set")
    parser.add_argument("--cache", type=Path, default=Path("data/runtime/models"))
    arguments = parser.parse_args()
    folder = os.environ.get("FOOTNOTE_EVALDATA")
    if not folder:
        raise SystemExit("Set FOOTNOTE_EVALDATA to the folder of the evaluation data.")
    embedder = load_embedder("all-MiniLM-L6-v2", cache_dir=arguments.cache)
    asyncio.run(measure(Path(folder), embedder, arguments.questions))


if __name__ == "__main__":
    main()
