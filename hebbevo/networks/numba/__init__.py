"""The back end of CPUs: kernels generated for numba."""
