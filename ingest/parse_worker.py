"""The process in which files are read: `python -m ingest.parse_worker SECONDS MEMORY_BYTES OUTPUT_CHARS`.

It answers each `{"path", "name"}` on its standard input with the text or an error on its standard output, and ends
with its input.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ingest.confinement import (
    forbid_side_effects,
    leave_network,
    limit_files,
    limit_memory,
    limit_processor_time,
    yield_to_others,
)

_MAX_REQUEST = 1 << 20  # bytes


def main() -> None:
    """Serves until standard input ends."""
    seconds, memory_bytes, output_chars = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing a library prints gets between the replies
    leave_network()
    yield_to_others()
    from ingest.parse_protocol import receive, send  # after leave_network: numpy, behind it, starts threads

    limit_files()
    forbid_side_effects()
    while (request := receive(requests, _MAX_REQUEST)) is not None:
        limit_memory(memory_bytes)
        limit_processor_time(seconds)
        send(replies, _answer(Path(request["path"]), request["name"], output_chars))


def _answer(path: Path, name: str, output_chars: int) -> dict[str, object]:
    from ingest.parse_protocol import text_to_message
    from ingest.readers import read_file
    from ingest.text import join_blocks
    from ingest.types import IngestError, UnsupportedFileError

    try:
        reading = read_file(path, name)
        text = join_blocks(reading.blocks, reading.extractor, reading.warnings)
        if len(text.text) > output_chars:
            return {"failure": "unreadable", "message": f"{name} has more than {output_chars:,} characters: split it."}
        return text_to_message(text)
    except UnsupportedFileError as error:
        return {"failure": "unsupported", "message": str(error)}
    except IngestError as error:
        return {"failure": "unreadable", "message": str(error)}
    except MemoryError:
        return {"failure": "memory"}
    except Exception as error:  # whatever a hostile file makes a reader do, the next file is to be read
        return {"failure": "unreadable", "message": f"{name} is damaged ({type(error).__name__}): export it again."}


if __name__ == "__main__":
    main()
