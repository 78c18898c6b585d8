"""Runs every benchmark, or those named: `python -m benchmarks [NAME ...] [--full] [--loans N]`.

`--table` runs nothing and prints the last results of all again.
"""

import sys
import time
import traceback
from importlib import import_module
from pkgutil import iter_modules

import benchmarks
from benchmarks import harness

if sys.argv[1:] == ["--table"]:
    harness.print_table(harness.saved())
    sys.exit()
chosen = harness.options()
print(harness.machine())
names = [one.name for one in iter_modules(benchmarks.__path__) if one.name != "__main__"]
unknown = sorted(set(chosen.only) - set(names))
if unknown:
    sys.exit(f"no benchmark {', '.join(unknown)}; one of: {', '.join(names)}")
# Of the ten minutes that the short run may take, more than any benchmark needs.
SECONDS_MAX = 300
begun_all = time.monotonic()
results: list[harness.Result] = []
broken: list[str] = []
with harness.server() as server:
    print(server.describe())
    for name in names:
        module = import_module(f"benchmarks.{name}")
        if hasattr(module, "run") and (not chosen.only or name in chosen.only):
            print(f"\n{name}: {(module.__doc__ or '').partition(chr(10))[0]}", flush=True)
            begun = time.monotonic()
            try:
                with harness.ending_within(SECONDS_MAX if chosen.bounded else 0):
                    found = module.run(chosen)
            except Exception as error:  # noqa: BLE001 - the others still run; this one fails the run
                traceback.print_exc()
                reason = f"{type(error).__name__}: {error}"
                found = [harness.Result(name=name, status="not_run", reason=reason)]
                broken.append(name)
            harness.save(found, instead_of=name)
            results += found
            now = time.monotonic()
            print(f"  {name} took {now - begun:.0f} s, {now - begun_all:.0f} s so far", flush=True)
code = harness.report(results)
if broken:
    print(f"broken: {', '.join(broken)}")
sys.exit(code or bool(broken))
