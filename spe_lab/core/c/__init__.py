"""The C side: kernels compiled, cached, loaded and bound by their prototypes, and the assembly that results."""
