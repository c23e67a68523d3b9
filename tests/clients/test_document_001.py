"""The streaming scripts documented for the chatbot API, as printed there, end by themselves with an answer."""

from __future__ import annotations

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import node_command, python_command, run_once

pytestmark = pytest.mark.peer


def test_the_documented_scripts_print_the_same_answer(service: Service) -> None:
    python = run_once(python_command("document-001", "document_001.py"), service.url, service.key)
    javascript = run_once(node_command("document_001.mjs"), service.url, service.key)
    assert python.strip()
    assert "undefined" not in javascript  # a delta without content
    assert javascript.replace("\n", "") == python.replace("\n", "")  # console.log ends each piece with a new line
