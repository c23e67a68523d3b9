"""Runs in the peers' environment: makes ingest/embedders/golden.json anew from the texts it holds.

.peers/sentence-transformers/bin/python tests/peers/make_golden.py MODEL_FOLDER
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

GOLDEN = Path(__file__).parents[2] / "ingest/embedders/golden.json"


def main(folder: str) -> None:
    """Embeds each text alone, in float32, with the model in `folder`."""
    from sentence_transformers import SentenceTransformer

    texts = [case["text"] for case in json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]]
    vectors = SentenceTransformer(folder).encode(texts, batch_size=1, normalize_embeddings=True)
    content = {
        "made_by": f"sentence-transformers {version('sentence-transformers')}, torch {version('torch').split('+')[0]}, "
        "float32, one text a batch (tests/peers/make_golden.py)",
        "weights_sha256": hashlib.sha256((Path(folder) / "model.safetensors").read_bytes()).hexdigest(),
        "cases": [
            {"text": text, "vector": base64.b64encode(vector.astype("<f4").tobytes()).decode()}
            for text, vector in zip(texts, vectors, strict=True)
        ],
    }
    GOLDEN.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
