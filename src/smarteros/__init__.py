"""SmarterOS: contracts that run sales, support and FAQ bots for many small shops."""

import os

__version__ = "0.1.0"

# Read by numpy's BLAS when it is loaded. A message's matrices are small: with two threads they cost ten times the CPU,
# and an encoder on another thread must not change it later (see embedders/use.py).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
