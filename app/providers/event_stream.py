"""Reads server-sent events out of network pieces: the data of each event (WHATWG HTML, 9.2.6)."""

from __future__ import annotations


class EventReader:
    """Feed it bytes as they come; it gives back the data of every event that is whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that end in this piece; comments and other fields are skipped."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        whole: list[bytes] = []
        for ended in lines:
            line = ended.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line and self._data:
                whole.append(b"\n".join(self._data))
                self._data.clear()
        return whole
