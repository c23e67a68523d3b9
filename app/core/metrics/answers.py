"""The answer beside what should be answered, and beside the question."""

from __future__ import annotations

from collections import Counter

from app.core.metrics.normalising import spoken, words
from app.core.metrics.sample import Meaning, Measured, Sample

NO_TARGET = Measured(None, "No target was given.")
REFUSED = "The question was refused."


def exact_match(sample: Sample, meaning: Meaning | None) -> Measured:
    """1 if answer and target have the same words in the same order, else 0; a refusal is an answer like any other.

    SQuAD's exact match (Rajpurkar et al. 2016): without case, punctuation and the articles a, an, the.
    """
    if sample.target is None:
        return NO_TARGET
    same = words(spoken(sample.answer)) == words(sample.target)
    return Measured(float(same), "The same words." if same else "Other words.")


def token_f1(sample: Sample, meaning: Meaning | None) -> Measured:
    """The harmonic mean of the shares of answer's and of target's words that the other has too.

    SQuAD's F1 (Rajpurkar et al. 2016): each word counts as often as it stands there. Where one of both has no words,
    1 if the other has none either, else 0.
    """
    if sample.target is None:
        return NO_TARGET
    said, wanted = words(spoken(sample.answer)), words(sample.target)
    shared = (Counter(said) & Counter(wanted)).total()
    reason = f"{shared} words shared; {len(said)} in the answer, {len(wanted)} in the target."
    if not said or not wanted:
        return Measured(float(said == wanted), reason)
    return Measured(2 * shared / (len(said) + len(wanted)), reason)


def answer_relevancy(sample: Sample, meaning: Meaning | None) -> Measured:
    """The cosine of the question's and the answer's vectors, by the model that embeds the documents; below 0 is 0.

    RAGAS (Es et al. 2023, §3) has a language model write questions that the answer would fit, and takes the cosine of
    those and the question. Without a model to ask, the answer itself stands for them. Not for a refusal.
    """
    if sample.refused:
        return Measured(None, REFUSED)
    said = spoken(sample.answer).strip()
    if not sample.question.strip() or not said:
        return Measured(None, "There is no question." if said else "There is no answer in words.")
    if meaning is None:
        return Measured(None, "There is no embedding model.")
    cosine = meaning.similarity(sample.question, [said])
    return Measured(min(1.0, max(0.0, cosine)), f"Cosine {cosine:.3f}.")
