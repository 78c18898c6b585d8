"""Runs every benchmark, or those named: `python -m benchmarks [NAME ...] [--full] [--loans N]`.

`--table` runs nothing and prints the last results of all again.
"""

import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import benchmarks
from benchmarks import apart, harness


def run(chosen: harness.Options) -> int:
    """Run what was chosen, one after another; return the exit code."""
    results: list[harness.Result] = []
    broken: list[str] = []
    begun_all = time.monotonic()
    with harness.server() as server:
        print(server.describe())
        for name, says in _named(chosen.only).items():
            print(f"\n{name}: {says}", flush=True)
            begun = time.monotonic()
            found = apart.measured(name, server, chosen)
            if isinstance(found, str):
                broken.append(name)
                found = [harness.not_run(name, found)]
            harness.save(found, instead_of=name)
            results += found
            now = time.monotonic()
            print(f"  {name} took {now - begun:.0f} s, {now - begun_all:.0f} s so far", flush=True)
    code = harness.report(results)
    if broken:
        print(f"broken: {', '.join(broken)}")
    return code or bool(broken)


def _named(only: Sequence[str]) -> dict[str, str]:
    """Return the benchmarks asked for, all if none is named, and what each says of itself."""
    names = [one.name for one in iter_modules(benchmarks.__path__) if one.name != "__main__"]
    found = {name: import_module(f"benchmarks.{name}") for name in names}
    says = {
        name: (module.__doc__ or "").partition("\n")[0]
        for name, module in found.items()
        if hasattr(module, "run")
    }
    unknown = sorted(set(only) - set(says))
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; one of: {', '.join(says)}")
    return {name: line for name, line in says.items() if not only or name in only}


if sys.argv[1:] == ["--table"]:
    harness.print_table(harness.saved())
    sys.exit()
asked = harness.options()
print(harness.machine())
sys.exit(run(asked))
