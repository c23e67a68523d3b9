"""Runs in the peers' environment: what the real sentence-transformers, and our adapter over it, say about texts.

python sentence_transformers_reference.py MODEL_FOLDER OUT.npz < texts.json
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from ingest.embedders.load import load_embedder
from ingest.types import TextTooLongError

EVERY = 8  # the adapter embeds each eighth text: it runs the same model


def main(folder: str, out: str) -> None:
    """Writes the reference's vectors, and the adapter's vectors, window, fingerprint and token offsets."""
    from sentence_transformers import SentenceTransformer

    texts: list[str] = json.load(sys.stdin)
    reference = SentenceTransformer(folder).encode(texts, batch_size=1, normalize_embeddings=True)
    with tempfile.TemporaryDirectory() as cache:
        adapter = load_embedder(f"sentence-transformers/{folder}", cache_dir=Path(cache), allow_download=False)
    try:
        adapter.embed(["word " * (adapter.max_tokens + 1)])
        refusal = ""
    except TextTooLongError as error:
        refusal = str(error)
    np.savez(
        out,
        reference=reference,
        foreground=adapter.embed(texts[::EVERY]),
        background=adapter.embed(texts[::EVERY], background=True),
        every=EVERY,
        max_tokens=adapter.max_tokens,
        dimensions=adapter.dimensions,
        fingerprint=adapter.fingerprint,
        offsets=json.dumps([adapter.tokenizer.offsets(text) for text in texts]),
        refusal=refusal,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
