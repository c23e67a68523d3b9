"""What the parser pool and its worker processes say to each other: JSON, each message after its length."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

from ingest.types import BlockKind, BlockSpan, CanonicalText

Message = dict[str, Any]
_LENGTH = struct.Struct(">Q")  # bytes


class MessageTooLongError(Exception):
    """The other side announces more bytes than it may send."""


def send(stream: BinaryIO, message: Message) -> None:
    """Writes one message."""
    data = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO, max_bytes: int) -> Message | None:
    """Reads one message; None when the other side has gone. Raises MessageTooLongError before reading more."""
    prefix = stream.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(prefix)
    if length > max_bytes:
        raise MessageTooLongError(f"{length} bytes")
    data = stream.read(length)
    if len(data) < length:
        return None
    message: Message = json.loads(data)
    return message


def text_to_message(text: CanonicalText) -> Message:
    """The text as a message; heading paths, which repeat, are written once."""
    paths = {path: number for number, path in enumerate(dict.fromkeys(span.heading_path for span in text.spans))}
    return {
        "text": text.text,
        "sha256": text.sha256,
        "extractor": text.extractor,
        "warnings": text.warnings,
        "paths": list(paths),
        "spans": [(span.start, span.end, span.kind, span.page, paths[span.heading_path]) for span in text.spans],
    }


def text_from_message(message: Message) -> CanonicalText:
    """The text that `text_to_message` was given."""
    paths = [tuple(path) for path in message["paths"]]
    kinds = {kind.value: kind for kind in BlockKind}
    return CanonicalText(
        text=message["text"],
        sha256=message["sha256"],
        extractor=message["extractor"],
        spans=tuple(
            BlockSpan(start, end, kinds[kind], page, paths[path]) for start, end, kind, page, path in message["spans"]
        ),
        warnings=tuple(message["warnings"]),
    )
