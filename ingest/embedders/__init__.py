"""Texts to unit vectors: the embedders and how one is chosen (`load.load_embedder`)."""
