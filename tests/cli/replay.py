#!/usr/bin/env python3
"""The migration guide's scripts against what a real cluster answered (recorded by `MIGC_RECORD=1 tests/live/guide.py PART`, one part after the other):
they end as they ended there, and ask for nothing that was not asked for there."""
import gzip, pathlib, sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = str(TESTS), str(TESTS / "live")
from guide_project import RUNS, TRANSCRIPTS, guide_project
from harness import check, finish

for name, (command, code) in RUNS.items():
    project = guide_project("test")
    project.write("transcript", gzip.decompress((TRANSCRIPTS / f"{name}.gz").read_bytes()).decode())
    done = project.migc("run", *command, "--replay", "transcript")
    check(f"{name} ends with {code}, as it did", done.returncode == code and "not in the transcript" not in done.stdout, done.stdout)
    project.remove()
finish()
