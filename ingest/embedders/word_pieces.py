"""A model's own tokenizer, with the limits that its file bakes in taken out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.types import EmbedderUnavailableError, TextTooLongError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class WordPieces:
    """Splits text as the model was trained to. Thread-safe."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Takes the tokenizer over: nobody else may change its settings."""
        # MiniLM's file truncates at 128 tokens and pads to 128: used as it is, it drops text without a word.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.special_tokens: int = tokenizer.num_special_tokens_to_add(False)

    def ids(self, text: str, *, max_tokens: int | None = None) -> NDArray[np.int64]:
        """The model's input, special tokens included. Raises TextTooLongError if the text is over the limit, if any."""
        ids = self._tokenizer.encode(text).ids
        tokens = len(ids) - self.special_tokens
        if max_tokens is not None and tokens > max_tokens:
            raise text_too_long(text, tokens, max_tokens)
        return np.array(ids, np.int64)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token in `text`, in code points, ascending; special tokens are not among them."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)


def read_word_pieces(file: Path) -> WordPieces:
    """The tokenizer of a tokenizer.json; raises EmbedderUnavailableError if it is none."""
    from tokenizers import Tokenizer

    try:
        return WordPieces(Tokenizer.from_file(str(file)))
    except Exception as error:  # the library raises nothing narrower
        raise EmbedderUnavailableError(f"{file} is not a tokenizer: {error}") from error


def text_too_long(text: str, tokens: int, max_tokens: int) -> TextTooLongError:
    """The error that says which text, how long it is, and how long it may be."""
    return TextTooLongError(f"A text of {tokens} tokens, at most {max_tokens} are embedded: {text[:60]!r}...")
