"""Routes: thin, typed, one file a topic."""
