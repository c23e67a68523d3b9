"""Where vectors and words are kept and searched; all of it can be rebuilt from the rows."""
