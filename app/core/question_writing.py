"""Writes questions that a text answers, from its own words: pure, the same for the same text, by rules alone.

A question is made of a sentence only where a rule is sure of its grammar, which is English; a heading gives one in any
language. Whether the text is found by the question is for others to check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from app.core.extractive.passages import Unit, UnitKind, is_dangling, units_of
from app.core.types import Hit, Source

SUBJECT_WORDS = 8
HEADING_WORDS = 8
_NUMBER = r"(?:[$€£]?\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirty|sixty|ninety)"
_SPAN = rf"(?:up to |at most |about )?{_NUMBER} (?:working |calendar )?(?:second|minute|hour|day|week|month|year)s?"
_TIME = rf"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|noon|midnight|night|\d{{4}}|{_NUMBER}"
_NO_SUBJECT = re.compile(
    r"(?:it|he|she|they|we|you|i|this|that|these|those|there|here|who|which|what|both|such|on|in|at|by|for|from|if|"
    r"when|while|after|before|during|as|but|and|or|so|then|because|although|unless|until|with|without|to|please|note|"
    r"each of|one of|some of|most of|all of)\b",
    re.IGNORECASE,
)
_DETERMINER = re.compile(r"The|An?|Every|Each|All|Any|Some|Most|No|Our|Your|Its|Their|His|Her|Many|Several|Few")
_STEMS = {"opens": "open", "closes": "close", "starts": "start", "begins": "begin", "ends": "end", "expires": "expire"}
_ENGLISH = re.compile(r"\b(?:the|of|and|is|are|to)\b", re.IGNORECASE)
_MARKUP = re.compile(r"[*_`#]+")

_Rule = tuple[re.Pattern[str], Callable[[re.Match[str], str], str]]


def _rule(pattern: str, write: Callable[[re.Match[str], str], str]) -> _Rule:
    return re.compile(rf"(?P<s>[^\W\d_][^,;:()?!]*?) {pattern}", re.IGNORECASE), write


# The first that fits writes the question; `s` is the sentence's subject, as it reads in mid-sentence.
_RULES: tuple[_Rule, ...] = (
    _rule(
        r"(?P<m>may|must|can|should) (?P<v>(?:not )?(?:be )?\w+) for " + _SPAN + r"\b",
        lambda found, s: f"How long {found['m']} {s} {found['v']}",
    ),
    _rule(
        r"(?P<m>may|must|can|should) (?P<v>(?:be )?\w+(?: \w+){0,4}?) (?:within|before|by|until) (?:the )?(?:"
        + _SPAN + "|" + _TIME + r")\b",
        lambda found, s: f"When {found['m']} {s} {found['v']}",
    ),
    _rule(r"(?P<v>opens|closes|starts|begins|ends|expires) (?:at|on|in|from|after) (?:the )?(?:" + _TIME + r")\b",
          lambda found, s: f"When does {s} {_STEMS[found['v'].lower()]}"),
    _rule(r"(?P<b>is|are) (?P<v>open|closed|due|held|available|\w+ed) (?:on|at|from|until|between|every) (?:the )?(?:"
          + _TIME + r")\b", lambda found, s: f"When {found['b']} {s} {found['v']}"),
    _rule(r"(?P<b>was|were) (?P<v>\w+ed|built|born|written|made|won) (?:.{0,60} )?(?:in|on) "
          r"(?:\w+ )?(?:\d{1,2},? )?\d{4}\b", lambda found, s: f"When {found['b']} {s} {found['v']}"),
    _rule(r"costs? " + _NUMBER + r"\b", lambda found, s: f"How much {_does(found)} {s} cost"),
    _rule(r"(?P<v>takes?|lasts?) " + _SPAN + r"\b",
          lambda found, s: f"How long {_does(found)} {s} {found['v'].lower().rstrip('s')}"),
    _rule(r"(?P<v>has|have) " + _NUMBER + r" (?P<o>\w+s)\b",
          lambda found, s: f"How many {found['o']} {'does' if found['v'].lower() == 'has' else 'do'} {s} have"),
    _rule(r"(?:means|refers to|stands for) ", lambda found, s: f"What does {s} mean"),
    _rule(r"(?P<b>is|are|was|were) (?:an? |the |one of |called |named |" + _NUMBER + r"\b)",
          lambda found, s: f"What {found['b']} {s}"),
)  # fmt: skip
_ONLY = re.compile(r"Only (?P<who>[^,;:()?!]+?) (?P<m>may|can|must|should) (?P<rest>[^,;:()?!]+)[.!]?\Z")
_MODAL = re.compile(
    r"(?P<s>[^\W\d_][^,;:()?!]*?) (?P<m>may|must|can|should) (?P<rest>[^,;:()?!]+)[.!]?\Z", re.IGNORECASE
)


def questions_in(hit: Hit) -> list[str]:
    """Questions that this chunk answers, those that ask for most first; none for a text that states nothing plainly."""
    units = units_of(Source(1, hit))
    own = [_plain(unit.text) for unit in units if unit.kind is UnitKind.HEADING]
    headings = list(dict.fromkeys((*map(_plain, hit.heading_path[-1:]), *own)))
    asked = [heading for heading in headings if heading.endswith(("?", "？", "؟"))]
    stated = [each for unit in units for each in _of_sentence(unit)]
    named = [_of_heading(each, hit.content) for each in headings if each not in asked]
    sentences = [question for sure, question in sorted(stated, key=lambda each: not each[0])]
    return list(dict.fromkeys((*asked, *sentences, *(each for each in named if each))))


def spread(by_document: Iterable[Sequence[str]]) -> Iterator[str]:
    """The first question of each document, then the second of each, and so on."""
    rest = [list(questions) for questions in by_document]
    while rest:
        for questions in rest:
            if questions:
                yield questions.pop(0)
        rest = [questions for questions in rest if questions]


def folded(question: str) -> str:
    """A question as it is told from others: its words, in lower case."""
    return " ".join(re.findall(r"\w+", question.casefold()))


def word_count(question: str) -> int:
    """Words between white space."""
    return len(question.split())


def _of_sentence(unit: Unit) -> Iterator[tuple[bool, str]]:
    """(asks for something rather than yes or no, question)."""
    sentence = " ".join(_plain(unit.text).split())
    if unit.kind is not UnitKind.SENTENCE or is_dangling(unit):
        return
    only = _ONLY.match(sentence)
    if only:
        yield True, f"Who {only['m']} {only['rest'].rstrip('.!')}?"
        return
    if _NO_SUBJECT.match(sentence):
        return
    text = unit.source.hit.content
    for pattern, write in _RULES:
        found = pattern.match(sentence)
        if found and len(found["s"].split()) <= SUBJECT_WORDS and not _has_verb(found["s"]):
            yield True, f"{write(found, _in_mid_sentence(found['s'], text))}?"
            return
    modal = _MODAL.match(sentence)
    if modal and len(modal["s"].split()) <= SUBJECT_WORDS and not _has_verb(modal["s"]):
        yield False, f"{modal['m'].capitalize()} {_in_mid_sentence(modal['s'], text)} {modal['rest'].rstrip('.!')}?"


def _of_heading(heading: str, content: str) -> str:
    """A question about what a heading names; "" for a heading that is a sentence or a number."""
    if not 1 <= len(heading.split()) <= HEADING_WORDS or heading.endswith((".", "!", ":")):
        return ""
    if not any(character.isalpha() for character in heading):
        return ""
    english = len(_ENGLISH.findall(content)) >= 3
    return f"What is said about “{heading}”?" if english else f"{heading}?"


def _has_verb(subject: str) -> bool:
    """Is this more than a subject: a clause with a verb of its own?"""
    return re.search(r"\b(?:is|are|was|were|may|must|can|should|will|has|have|if|when)\b", subject, re.I) is not None


def _does(found: re.Match[str]) -> str:
    return "does" if found[0].split(found["s"], 1)[1].split()[0].lower().endswith("s") else "do"


def _in_mid_sentence(subject: str, text: str) -> str:
    """A sentence's beginning without its capital, unless that is a name's."""
    first, _, rest = subject.partition(" ")
    small = first[0].lower() + first[1:]
    if _DETERMINER.fullmatch(first) or re.search(rf"(?<!\w){re.escape(small)}(?!\w)", text):
        return f"{small} {rest}".rstrip()
    return subject


def _plain(text: str) -> str:
    return _MARKUP.sub("", text).strip()
