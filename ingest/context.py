"""What of a chunk is embedded and indexed: its text under the headings it stands beneath.

"How much is the deposit?" finds "It is £35" only when the vector also knows of "Pressure washers > Fees". The chunk
itself stays the bare slice: the context helps to find it and is never shown, quoted or cited.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.types import Passage, Tokenizer

VERSION = 1  # raise it whenever the same passage would be embedded differently


def contextual(passage: Passage, tokenizer: Tokenizer, max_tokens: int) -> str:
    """The headings on a line of their own, then the text; without headings where both do not fit the window."""
    if not passage.heading_path:
        return passage.content
    text = " > ".join(passage.heading_path) + "\n" + passage.content
    return text if len(tokenizer.offsets(text)) <= max_tokens else passage.content


def contextual_texts(passages: Sequence[Passage], tokenizer: Tokenizer, max_tokens: int) -> list[str]:
    """`contextual` of each."""
    return [contextual(passage, tokenizer, max_tokens) for passage in passages]
