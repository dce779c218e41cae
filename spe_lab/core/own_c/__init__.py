"""The reader's own C: compiled, called and timed in a process that may crash (see `Cell`)."""
