"""Runs every benchmark, or those named: `python -m benchmarks [NAME ...] [--full] [--loans N]`.

`--table` runs nothing and prints the last results of all again.
"""

import sys
import time
import traceback
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import benchmarks
from benchmarks import harness
from infra.garbage import look_as_usual

# Of the ten minutes that the short run may take, more than any benchmark needs.
SECONDS_MAX = 300

broken: list[str] = []


def results_of(name: str, module: ModuleType, chosen: harness.Options) -> list[harness.Result]:
    """Run one benchmark; where it breaks, or takes too long, its line says why."""
    print(f"\n{name}: {(module.__doc__ or '').partition(chr(10))[0]}", flush=True)
    begun = time.monotonic()
    try:
        with harness.ending_within(SECONDS_MAX if chosen.bounded else 0):
            found: list[harness.Result] = module.run(chosen)
    except Exception as error:  # noqa: BLE001 - the others still run; this one fails the run
        traceback.print_exc()
        found = [harness.not_run(name, f"{type(error).__name__}: {error}")]
        broken.append(name)
    look_as_usual()  # what one benchmark sets aside is not set aside for the next
    harness.save(found, instead_of=name)
    now = time.monotonic()
    print(f"  {name} took {now - begun:.0f} s, {now - begun_all:.0f} s so far", flush=True)
    return found


if sys.argv[1:] == ["--table"]:
    harness.print_table(harness.saved())
    sys.exit()
chosen = harness.options()
print(harness.machine())
names = [one.name for one in iter_modules(benchmarks.__path__) if one.name != "__main__"]
unknown = sorted(set(chosen.only) - set(names))
if unknown:
    sys.exit(f"no benchmark {', '.join(unknown)}; one of: {', '.join(names)}")
begun_all = time.monotonic()
results: list[harness.Result] = []
with harness.server() as server:
    print(server.describe())
    for name in names:
        module = import_module(f"benchmarks.{name}")
        if hasattr(module, "run") and (not chosen.only or name in chosen.only):
            results += results_of(name, module, chosen)
code = harness.report(results)
if broken:
    print(f"broken: {', '.join(broken)}")
sys.exit(code or bool(broken))
