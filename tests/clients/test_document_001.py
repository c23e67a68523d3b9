"""The streaming scripts documented for the chatbot API, as printed there, end by themselves with an answer."""

from __future__ import annotations

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import run_node, run_python

pytestmark = pytest.mark.peer


def test_the_documented_python_script_prints_an_answer(service: Service) -> None:
    assert run_python("document-001", "document_001.py", service.url, service.key).strip()


def test_the_documented_javascript_script_prints_an_answer(service: Service) -> None:
    printed = run_node("document_001.mjs", service.url, service.key)
    assert printed.strip()
    assert "undefined" not in printed  # a delta without content


def test_both_scripts_print_the_same_answer(service: Service) -> None:
    python = run_python("document-001", "document_001.py", service.url, service.key)
    javascript = run_node("document_001.mjs", service.url, service.key)
    assert javascript.replace("\n", "") == python.replace("\n", "")  # console.log ends each piece with a new line
