"""Runs every benchmark, or those named: `python -m benchmarks [NAME ...] [--full]`."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import benchmarks
from benchmarks import harness

chosen = harness.options()
print(harness.machine())
results: list[harness.Result] = []
for found in iter_modules(benchmarks.__path__):
    module = import_module(f"benchmarks.{found.name}") if found.name != "__main__" else None
    if module and hasattr(module, "run") and (not chosen.only or found.name in chosen.only):
        print(f"\n{found.name}: {(module.__doc__ or '').partition(chr(10))[0]}")
        results += module.run(chosen)
sys.exit(harness.report(results))
