"""Answers by quoting: which sentences of the sources answer the question, as pure decisions."""
