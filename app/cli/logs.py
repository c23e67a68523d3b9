"""Logs as JSON lines on stderr: time, level, message, trace id; never a key, never a document's text."""

from __future__ import annotations

import asyncio
import logging

import orjson


class JsonLines(logging.Formatter):
    """One line a record."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace_id = getattr(record, "trace_id", None)
        if trace_id is not None:
            line["trace_id"] = trace_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def not_cancelled(record: logging.LogRecord) -> bool:
    """False for a request cut off by Ctrl-C, which uvicorn reports with a traceback; its trace says "cancelled"."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def configure_logs(level: str) -> None:
    """Sends every logger's records to stderr; the vendors' only from warnings up."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    handler.addFilter(not_cancelled)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("footnote").setLevel(level.upper())
