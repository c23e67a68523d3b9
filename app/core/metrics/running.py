"""What an answer took."""

from __future__ import annotations

from app.core.metrics.sample import Meaning, Measured, Sample


def latency(sample: Sample, meaning: Meaning | None) -> Measured:
    """Seconds from the request to the end of the answer, retrieval included."""
    return Measured(sample.latency_s, "Seconds.")


def cost(sample: Sample, meaning: Meaning | None) -> Measured:
    """US dollars that the model's provider charges for the tokens of the answer; 0 for one from the cache.

    Does not apply where no price is known.
    """
    if sample.cost is None:
        return Measured(None, "No price of the model is known.")
    return Measured(sample.cost, f"US dollars for {sample.usage.total_tokens} tokens.")
