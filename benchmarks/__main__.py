"""Runs every benchmark, or those named: `python -m benchmarks [NAME ...] [--full]`.

`--table` runs nothing and prints the last results of all again.
"""

import sys
import time
from importlib import import_module
from pkgutil import iter_modules

import benchmarks
from benchmarks import harness

if sys.argv[1:] == ["--table"]:
    harness.print_table(harness.saved())
    sys.exit()
chosen = harness.options()
print(harness.machine())
names = [found.name for found in iter_modules(benchmarks.__path__) if found.name != "__main__"]
unknown = sorted(set(chosen.only) - set(names))
if unknown:
    sys.exit(f"no benchmark {', '.join(unknown)}; one of: {', '.join(names)}")
results: list[harness.Result] = []
with harness.server() as server:
    print(server.describe())
    for name in names:
        module = import_module(f"benchmarks.{name}")
        if hasattr(module, "run") and (not chosen.only or name in chosen.only):
            print(f"\n{name}: {(module.__doc__ or '').partition(chr(10))[0]}", flush=True)
            begun = time.monotonic()
            results += module.run(chosen)
            print(f"  {name} took {time.monotonic() - begun:.0f} s", flush=True)
sys.exit(harness.report(results))
