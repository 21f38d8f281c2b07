"""Compare the speed of the reference server with others on the same weights.

    python tests/benchmarks/reference_server.py [--json FILE] [--rounds N]
        [--transformers-serve ENVIRONMENT] [--llama-cpp ENVIRONMENT]

What is measured, and what the environments need: see README.md beside this file.
"""

import runpy
import sys
from pathlib import Path

# A script's own folder comes first on the path, where this file hides the package of its name.
sys.path[0] = str(Path(__file__).parents[2])
runpy.run_module("tests.benchmarks.race", run_name="__main__")
