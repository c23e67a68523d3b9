"""Wire formats ↔ core types; pure, one file a format."""
