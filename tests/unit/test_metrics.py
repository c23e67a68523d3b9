"""Known answers of every metric, on cases made by hand, in several languages."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.citing import cite
from app.core.errors import InvalidRequestError
from app.core.metrics.claims import claims_of, numbers_of, passage_of, supports
from app.core.metrics.normalising import words
from app.core.metrics.registry import METRICS, known
from app.core.metrics.sample import Meaning, Measured, Sample
from app.core.prompting import number_sources
from app.core.types import Citation, Hit, Usage, Verdict

DOG = "Sparky is the yellow robot dog of the Harbour Street library."
STAIRS = "Every night at eleven Sparky charges its battery under the front stairs."
FEES = "A late return costs 2.50 euros a day. After 30 days the card is blocked."
BY_NAME = {metric.name: metric for metric in METRICS.values()}


class SameMeaning:
    """Knows pairs of texts that mean the same."""

    def __init__(self, cosine: float) -> None:
        self.cosine = cosine

    def similarity(self, text: str, others: Sequence[str]) -> float:
        """The same for all."""
        return self.cosine if others else -1.0


def hit(content: str, number: int = 1, headings: tuple[str, ...] = ()) -> Hit:
    return Hit(number, number, 1, "a.md", content, 0, len(content), "0" * 64, 0.5, heading_path=headings)


def sample(answer: str, *contents: str, target: str | None = None, question: str = "What?") -> Sample:
    """An answer with the citations that its markers make."""
    hits = tuple(hit(content, number) for number, content in enumerate(contents, 1))
    return Sample(question, answer, hits, cite(answer, number_sources(hits)), target)


def score(name: str, of: Sample, meaning: Meaning | None = None) -> float | None:
    return BY_NAME[name].measure(of, meaning).score


@pytest.mark.parametrize(
    ("answer", "target", "exact", "f1"),
    [
        ("The front stairs.", "front stairs", 1, 1),
        ("under the front stairs [1]", "Under front stairs!", 1, 1),
        ("It is under the stairs", "under the front stairs", 0, 4 / 7),  # it is under stairs / under front stairs
        ("no", "yes", 0, 0),
        ("", "yes", 0, 0),
        ("", "the", 1, 1),  # neither has a word
        ("stairs stairs stairs", "stairs", 0, 0.5),  # each word counts as often as it stands there
        ("Überall UND nirgends", "überall und nirgends", 1, 1),
        ("STRASSE", "Straße", 1, 1),
        ("東京です。", "東京です", 1, 1),
        ("東京", "京都", 0, 0.5),  # a character is a word
        ("ＡＢＣ１２３", "abc123", 1, 1),
        ("«Война и мир»", "война и мир", 1, 1),
        ("في القاهرة؟", "في القاهرة", 1, 1),
    ],
)
def test_answers_beside_targets(answer: str, target: str, exact: float, f1: float) -> None:
    of = Sample("What?", answer, target=target)
    assert score("exact_match", of) == exact
    assert score("token_f1", of) == pytest.approx(f1)


def test_a_claim_is_a_sentence_with_something_to_check() -> None:
    found = claims_of("Yes. NASA sent Curiosity to Mars in 2,011 [1]. So it is. It cost 2,50 euros [2][3].")
    assert [claim.text for claim in found] == ["NASA sent Curiosity to Mars in 2,011 .", "It cost 2,50 euros ."]
    assert [sorted(claim.numbers) for claim in found] == [["2011"], ["2.5"]]
    assert [len(claim.names) for claim in found] == [2, 0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,000 and 1.000 and 1000 and 1’000", {"1000"}),
        ("2.50 or 2,5", {"2.5"}),
        ("007", {"7"}),
        ("0.0", {"0"}),
        ("٢٠٢٤ ist ２０２４", {"2024"}),
        ("version 1.2.3", {"1.2.3"}),
        ("none", set()),
    ],
)
def test_a_number_is_one_however_it_is_written(text: str, numbers: set[str]) -> None:
    assert numbers_of(text) == numbers


@pytest.mark.parametrize(
    ("answer", "contents", "expected"),
    [
        (f"{STAIRS} [1]", [STAIRS], 1),
        (f"{STAIRS} [1] Sparky barks at penguins on Sundays. [1]", [STAIRS], 0.5),
        ("A late return costs 3.50 euros a day. [1]", [FEES], 0),  # another number
        ("A late return costs 2,50 euros a day. [1]", [FEES], 1),  # the same, written otherwise
        ("Every night at eleven Rover charges its battery under the front stairs. [1]", [STAIRS], 0),  # another name
        ("Sparky, the yellow robot dog, charges its battery under the front stairs. [1][2]", [DOG, STAIRS], 1),
        ("Sparky, the yellow robot dog, charges its battery under the front stairs.", [DOG, STAIRS], 0),  # in neither
        ("Eine verspätete Rückgabe kostet 2,50 Euro am Tag. [1]", ["Die Rückgabe verspätet: 2,50 Euro pro Tag."], 1),
        ("充電は正面階段の下です。[1]", ["スパーキーの充電は正面階段の下です。"], 1),
        ("Собака заряжается под лестницей. [1]", ["Каждую ночь собака заряжается под парадной лестницей."], 1),
    ],
)
def test_groundedness_is_the_share_of_claims_that_a_chunk_supports(
    answer: str, contents: list[str], expected: float
) -> None:
    assert score("groundedness", sample(answer, *contents)) == pytest.approx(expected)


def test_headings_are_part_of_a_passage() -> None:
    found = hit("It charges its battery under the front stairs.", headings=("Robots", "Sparky"))
    of = Sample("Where?", "At night Sparky charges its battery under the front stairs.", (found,))
    assert score("groundedness", of) == 1


def test_the_samples_answers_are_supported_by_their_own_passages_and_hardly_by_others() -> None:
    lines = (Path(__file__).parents[2] / "data/questions.jsonl").read_text().splitlines()
    questions = [question for question in map(json.loads, lines) if question["answerable"]]
    passages = {each["passage"]: passage_of(hit(each["passage"])) for each in questions}
    own: list[bool] = []
    others: list[bool] = []
    for question in questions:
        for claim in claims_of(question["answer"]):
            for text, passage in passages.items():
                (own if text == question["passage"] else others).append(supports(claim, [passage], None))
    assert (sum(own), len(own)) == (40, 40)
    assert sum(others) <= 6
    assert len(others) > 1000


def test_the_same_meaning_stands_for_the_same_words_but_not_for_other_numbers() -> None:
    paraphrase = sample("The mechanical hound recharges below the steps. [1]", STAIRS)
    assert score("groundedness", paraphrase) == 0
    assert score("groundedness", paraphrase, SameMeaning(0.95)) == 1
    assert score("groundedness", paraphrase, SameMeaning(0.5)) == 0
    other = sample("The mechanical hound recharges below the 12 steps. [1]", STAIRS)
    assert score("groundedness", other, SameMeaning(0.95)) == 0


@pytest.mark.parametrize(
    ("answer", "contents", "precision", "recall"),
    [
        (f"{STAIRS} [1]", [STAIRS], 1, 1),
        (f"{STAIRS} [2]", [STAIRS, DOG], 0, 0),  # the wrong one
        (f"{STAIRS} [1][2]", [STAIRS, DOG], 0.5, 1),  # the second is not needed
        (f"{STAIRS} [1][1]", [STAIRS], 1, 1),  # the same twice is one
        (f"{STAIRS} [1] {DOG}", [STAIRS, DOG], 1, 0.5),  # one claim cites nothing
        (f"{STAIRS} [1][7]", [STAIRS], 0.5, 1),  # there is no seventh
        (STAIRS, [STAIRS], None, 0),
        ("Sparky, the yellow robot dog, charges its battery under the front stairs. [1][2]", [DOG, STAIRS], 1, 1),
        (f"{STAIRS} [1]", [], 0, 0),
    ],
)
def test_citations_are_precise_and_complete(
    answer: str, contents: list[str], precision: float | None, recall: float
) -> None:
    of = sample(answer, *contents)
    assert score("citation_precision", of) == precision
    assert score("citation_recall", of) == recall


def test_a_stray_marker_counts_against_precision() -> None:
    of = sample(f"{STAIRS} [1]", STAIRS)
    stray = Citation(9, Verdict.FABRICATED, 0, 0)
    assert score("citation_precision", replace(of, citations=(*of.citations, stray))) == 0.5


@pytest.mark.parametrize(
    ("target", "contents", "found", "recall", "precision"),
    [
        ("under the front stairs", [DOG, STAIRS], 1, 1, 0.5),
        ("Under front stairs!", [STAIRS, DOG], 1, 1, 1),
        ("stairs front", [STAIRS], 0, 1, 1),  # other order: no hit, yet its words are there
        ("in the penguin house", [STAIRS, DOG], 0, 0, 0),
        (f"{STAIRS} Penguins live there.", [STAIRS], 0, 0.5, 1),
        (STAIRS, [DOG, STAIRS, DOG, STAIRS], 1, 1, 0.5),
        ("2,50 Euro", ["Es kostet 2,50 Euro am Tag."], 1, 1, 1),
        ("正面階段", ["充電は正面階段の下です。"], 1, 1, 1),
    ],
)
def test_what_was_retrieved_beside_the_target(
    target: str, contents: list[str], found: float, recall: float, precision: float
) -> None:
    of = sample("I do not know.", *contents, target=target)
    assert score("context_hit", of) == found
    assert score("context_recall", of) == recall
    assert score("context_precision", of) == pytest.approx(precision)


def test_relevancy_is_the_cosine_of_question_and_answer() -> None:
    of = sample(f"{STAIRS} [1]", STAIRS)
    assert score("answer_relevancy", of, SameMeaning(0.75)) == 0.75
    assert score("answer_relevancy", of, SameMeaning(-0.2)) == 0
    assert score("answer_relevancy", of) is None
    assert score("answer_relevancy", sample("[1]", STAIRS), SameMeaning(0.75)) is None


def test_time_and_money_are_what_they_are() -> None:
    of = Sample("What?", "That.", usage=Usage(10, 5), latency_s=1.25, cost=0.002)
    assert score("latency", of) == 1.25
    assert BY_NAME["cost"].measure(of, None) == Measured(0.002, "US dollars for 15 tokens.")
    assert score("cost", replace(of, cost=None)) is None


def test_what_does_not_apply_says_why() -> None:
    refused = Sample("What?", "I do not know.", target="Under the stairs.", refused=True)
    for name in ("answer_relevancy", "groundedness", "citation_precision", "citation_recall"):
        assert BY_NAME[name].measure(refused, SameMeaning(1)) == Measured(None, "The question was refused.")
    assert score("exact_match", refused) == 0  # a refusal is an answer, and a wrong one where there is a target
    assert score("context_hit", refused) == 0
    assert score("context_recall", refused) == 0
    assert score("context_precision", refused) is None
    alone = Sample("What?", "That is so.", target="That.", searched=False)
    for name in ("groundedness", "citation_recall", "context_hit", "context_recall", "context_precision"):
        assert BY_NAME[name].measure(alone, None) == Measured(None, "No documents were searched.")
    for name in ("exact_match", "token_f1", "context_hit", "context_recall", "context_precision"):
        assert BY_NAME[name].measure(sample("That."), None) == Measured(None, "No target was given.")
    assert score("context_hit", sample("That.", STAIRS, target="...")) is None
    assert score("groundedness", sample("So it is.", STAIRS)) is None


def test_ids_and_names_are_for_good() -> None:
    assert {each.id: each.name for each in METRICS.values()} == {
        1: "exact_match",
        2: "token_f1",
        3: "answer_relevancy",
        4: "groundedness",
        5: "citation_precision",
        6: "citation_recall",
        7: "context_hit",
        8: "context_recall",
        9: "context_precision",
        10: "latency",
        11: "cost",
    }
    assert known([4, 1, 4]) == (4, 1)
    with pytest.raises(InvalidRequestError, match="no metric 99, -1") as refused:
        known([4, 99, -1])
    assert refused.value.field == "eval_metric_ids"


def test_the_page_has_every_metric() -> None:
    page = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)
    assert rows == [(str(metric.id), metric.name) for metric in METRICS.values()]


def test_words_are_without_case_punctuation_and_articles() -> None:
    assert words("The $5 “check-in” — an EXAMPLE.") == ["5", "checkin", "example"]
