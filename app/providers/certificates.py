"""The certificates that a model's address is checked with: read once, for every client."""

from __future__ import annotations

import functools
import ssl


@functools.cache
def trusted_certificates() -> ssl.SSLContext:
    """httpx2's own choice. Reading them takes 50 ms or more: the first call belongs in a thread."""
    import httpx2

    return httpx2.create_ssl_context()
