"""Which words of the sources answer a question: a few whole sentences, a list, or a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.extractive.evidence import SUPPORT_BAR, Evidence, support
from app.core.extractive.passages import Unit, UnitKind, is_dangling
from app.core.extractive.questions import Sought, sought
from app.core.extractive.wording import content_terms, word_count
from app.core.types import Source

MAX_PICKS = 3  # pieces of evidence in one answer
MAX_WORDS = 90  # of all but the first, which is quoted whole however long it is
_NEAR_BEST = 0.80  # a further pick has at least this share of the best one's score
_NEAR_BEST_ROW = 0.95  # rows of one table share most of their words
_SAME_WORDS = 0.80  # units that share this much of their words say the same


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring units of one source, to be quoted as one slice of it."""

    units: tuple[Unit, ...]

    @property
    def source(self) -> Source:
        return self.units[0].source

    @property
    def start(self) -> int:
        """Offset in the content of the source, like `end`."""
        return self.units[0].start

    @property
    def end(self) -> int:
        return self.units[-1].end


@dataclass(frozen=True, slots=True)
class Extract:
    """What to quote, the best source first, in each source in reading order."""

    excerpts: tuple[Excerpt, ...]
    answers: bool  # False: only the closest words, since nothing supports an answer


def extract(question: str, units: Sequence[Unit], evidence: Sequence[Evidence]) -> Extract:
    """Picks from `evidence` (best first, not empty) and brings along what a pick needs to be understood."""
    of_source: dict[int, list[Unit]] = {}
    for unit in units:
        of_source.setdefault(unit.source.marker, []).append(unit)
    kind = sought(question)
    answers = support(evidence) >= SUPPORT_BAR
    picked: list[tuple[Unit, ...]] = []
    words = 0
    for item in evidence[: None if answers else 1]:
        unit = item.candidate.unit
        if picked and not _adds(item, evidence[0]):
            continue
        run = _fresh(_with_company(unit, of_source[unit.source.marker], kind), picked)
        length = sum(word_count(each.text) for each in run)
        if not run or (picked and words + length > MAX_WORDS):
            continue
        picked.append(run)
        words += length
        if len(picked) == MAX_PICKS:
            break
    return Extract(tuple(_merged(picked, of_source)), answers)


def _adds(item: Evidence, best: Evidence) -> bool:
    """Whether it is good enough to stand beside the best; rows of one table are alike, so they must be better."""
    if item.candidate.unit.kind is UnitKind.ROW:
        return item.candidate.coverage > 0 and item.score >= _NEAR_BEST_ROW * best.score
    return item.score >= _NEAR_BEST * best.score


def _with_company(unit: Unit, siblings: Sequence[Unit], kind: Sought) -> tuple[Unit, ...]:
    """`unit` with the list it belongs to, or with the sentences it leans on."""
    first = last = unit.index
    if _leads_in(unit, siblings) or (unit.kind is UnitKind.ITEM and kind in {Sought.STEPS, Sought.LIST}):
        while siblings[first].kind is UnitKind.ITEM and first > 0 and _in_list(siblings[first - 1], siblings):
            first -= 1
        while last + 1 < len(siblings) and siblings[last + 1].kind is UnitKind.ITEM:
            last += 1
    while is_dangling(siblings[first]) and _continues(siblings[first - 1], siblings[first]) and unit.index - first < 2:
        first -= 1
    return tuple(siblings[first : last + 1])


def _in_list(unit: Unit, siblings: Sequence[Unit]) -> bool:
    return unit.kind is UnitKind.ITEM or _leads_in(unit, siblings)


def _leads_in(unit: Unit, siblings: Sequence[Unit]) -> bool:
    following = siblings[unit.index + 1] if unit.index + 1 < len(siblings) else None
    return (
        unit.kind is UnitKind.SENTENCE
        and unit.text.endswith((":", "："))
        and following is not None
        and following.kind is UnitKind.ITEM
    )


def _continues(before: Unit, unit: Unit) -> bool:
    return before.kind is UnitKind.SENTENCE and before.paragraph == unit.paragraph


def _fresh(run: tuple[Unit, ...], picked: Sequence[tuple[Unit, ...]]) -> tuple[Unit, ...]:
    """`run` from its first unit on that says something new; nothing if a later one is said already."""
    said = [unit for earlier in picked for unit in earlier]
    while len(run) > 1 and any(_says_the_same(run[0], unit) for unit in said):
        run = run[1:]
    return () if any(_says_the_same(mine, unit) for mine in run for unit in said) else run


def _says_the_same(one: Unit, other: Unit) -> bool:
    if one.text.split() == other.text.split():
        return True
    mine, theirs = set(content_terms(one.text)), set(content_terms(other.text))
    shared = len(mine & theirs)
    return shared > 2 and shared >= _SAME_WORDS * max(len(mine), len(theirs))


def _merged(picked: Sequence[tuple[Unit, ...]], of_source: dict[int, list[Unit]]) -> list[Excerpt]:
    excerpts: list[Excerpt] = []
    for marker in dict.fromkeys(run[0].source.marker for run in picked):
        runs = sorted((run[0].index, run[-1].index) for run in picked if run[0].source.marker == marker)
        siblings = of_source[marker]
        joined = [runs[0]]
        for first, last in runs[1:]:
            if first == joined[-1][1] + 1 and siblings[first].paragraph == siblings[first - 1].paragraph:
                joined[-1] = (joined[-1][0], last)
            else:
                joined.append((first, last))
        excerpts.extend(Excerpt(tuple(siblings[first : last + 1])) for first, last in joined)
    return excerpts
