"""How onnxruntime is set up here: one thread a run, so that runs in several threads are the parallelism."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest.types import EmbedderUnavailableError

# On the CPU these fusions are slower than what they replace: SkipLayerNormalization 6x, BiasGelu 2x.
_SLOWER_FUSED = ["SkipLayerNormFusion", "BiasGeluFusion", "GeluFusion"]


def open_session(path: Path) -> Any:
    """A session over a graph file; it may be run from many threads at once. Raises EmbedderUnavailableError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # every length is another shape
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors
    try:
        return onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER_FUSED
        )
    except Exception as error:  # the runtime's errors have no common base of their own
        raise EmbedderUnavailableError(
            f"The graph {path} does not load ({error}). Delete its folder: it will be rebuilt."
        ) from error
