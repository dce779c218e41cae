"""The reader's own C: compiled, called with numpy arrays, timed, and kept in a process that may crash. `Cell` is in
compiled.py.
"""
