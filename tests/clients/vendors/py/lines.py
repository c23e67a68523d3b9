"""Answers lines: each is a JSON object with url, key, mode and request, each answer is one line of JSON."""

import json
import sys


def serve(answer):
    """Answers every line of standard input by `answer(url, key, mode, request)`, until there are no more."""
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)
