"""What is run by test_sanitized.py, in processes whose kernels have sanitizers, is not run beside it."""

import os

collect_ignore = [] if "SPE_LAB_SANITIZED" in os.environ else ["test_edges.py", "test_every_lab.py"]
