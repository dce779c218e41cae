"""C code: kernels compiled, cached, loaded and bound by their prototypes, and their assembly."""
