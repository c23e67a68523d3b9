"""How good an answer is, measured without asking a model: one idea a file, all of them listed in `registry`."""
