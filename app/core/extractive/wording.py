"""The content words of a text, stemmed lightly enough to serve many languages; pure and without a dictionary."""

from __future__ import annotations

import re
import unicodedata

# Marks that belong to the letter before them (Arabic vowels, Indic vowel signs) are no word characters to `re`.
_MARKS = r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0970-\u0dff"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*")
_UNSPACED = re.compile(  # scripts that put no spaces between words
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_STEM_LENGTH = 6  # of letters kept; cutting words short is the one stemmer that works for most European languages

# Words that say nothing about what a question is about; its question words and its politeness among them.
_STOP_TEXT = """
a about after all also am an and any are as at be because been before being but by can could did do does doing
for from had has have he her hers him his how i if in into is it its just many may me might much must my no not
of on one or other our out over own please s shall she should so some such t tell than that the their them then
there these they this those to under up us very was we were what when where which while who whom whose why will
with would you your aber als auch auf aus bei bin bis bitte da dann das dass dem den der des die dies diese
dieser dieses durch ein eine einem einen einer eines er es für hat hatte ich ihr im ist kann kein man mit nach
nicht noch nur oder sein sich sie sind über um und uns unter von vor war waren warum welche welchem welchen
welcher welches wem wen wenn wer werden wie wieviel viele viel wird wo wurde wurden zu zum zur al como con cual
cuales cuándo cuando cuánto cuántos cuántas cuál cuáles cómo de del desde dónde donde el ella en entre era esta
este está fue ha han la las lo los más o para pero por porque que qui qué quién quiénes se ser si sin sobre son
su sus un una uno y à au aux avec ce ces cette comment combien dans du elle est et eu il ils le les leur mais ne
où ou par pas pour pourquoi quand quel quelle quelles quels quoi sa ses sont sur une été était c d l n qu che
chi cosa di come dove è gli nel nella per perché quale quali quando quanti quanto sono ao com dos e em foi não
na nas nos onde os pelo qual quais quantos quem são seu sua uma aan dat een het hoe hoeveel met niet om op te
van voor waar waarom wat wanneer welke werd zijn а без был была были было в во где для до его ее её если же за и
из или их к как какая какие какой какое когда кого кто ли мы на не но о об он она они от по почему при с сколько
со так то тот у что чтобы это этот أن إلى التي الذي ان او أو عن على في كان كانت كم كيف لا لم ما ماذا متى من هل
هذا هذه هو هي و أين اين أي
"""
_STOP_WORDS = frozenset(_STOP_TEXT.split())


def content_terms(text: str) -> list[str]:
    """The stemmed content words of `text` in order; character pairs where a script has no spaces."""
    terms: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        position = 0
        for run in _UNSPACED.finditer(word):
            _append_word(word[position : run.start()], terms)
            characters = run.group()
            terms.extend(characters[i : i + 2] for i in range(max(1, len(characters) - 1)))
            position = run.end()
        _append_word(word[position:], terms)
    return terms


def word_count(text: str) -> int:
    """How long `text` is to a reader: its words, or half its characters where a script has no spaces."""
    unspaced = sum(len(run) for run in _UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + unspaced // 2


def _append_word(word: str, terms: list[str]) -> None:
    if word and word not in _STOP_WORDS:
        terms.append(_stem(word))


def _stem(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 5:
        for ending in ("ing", "ed"):
            if word.endswith(ending):
                word = word.removesuffix(ending)
                break
    return word[:_STEM_LENGTH].removesuffix("e") if len(word) > 3 else word
