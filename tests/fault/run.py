#!/usr/bin/env python3
"""Every fault test, with figures.   run.py [--long] [NAME...]

Short forms run in ctest; the long ones go through every point there is, and take an hour or two."""
import pathlib, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SKIPPED

HERE = pathlib.Path(__file__).resolve().parent
TESTS = ["kill", "disk", "power", "signals", "sheet", "tools"]

long = [a for a in sys.argv[1:] if a == "--long"]
wanted = [a for a in sys.argv[1:] if not a.startswith("-")] or TESTS
failed = []
for name in wanted:
    begun = time.monotonic()
    print(f"== {name}", flush=True)
    if subprocess.run([sys.executable, str(HERE / f"{name}.py"), *long]).returncode not in (0, SKIPPED):
        failed.append(name)
    print(f"   {time.monotonic() - begun:.0f} s\n", flush=True)
print("all as it should be" if not failed else f"wrong: {', '.join(failed)}")
sys.exit(1 if failed else 0)
