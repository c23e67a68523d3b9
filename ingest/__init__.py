"""The corpus: bytes → blocks → canonical text → chunks → vectors. Imports nothing of `app`."""
