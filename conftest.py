"""Modules that import what may be absent are not searched for doctests there."""

import importlib.util
from pathlib import Path

HERE = Path(__file__).parent
collect_ignore = []
if importlib.util.find_spec("triton") is None:
    kernels = (HERE / "topicfactors/model/kernels").glob("[!_]*.py")
    collect_ignore = [*map(str, kernels), str(HERE / "tests/model/kernels/compiled.py")]
