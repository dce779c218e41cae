"""The reader's own C: compiled, called with numpy arrays and timed, in a process that may crash (see `Cell`)."""
