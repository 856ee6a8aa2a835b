#!/usr/bin/env python3
"""Bugs are planted one by one, and the tests must find each.   planted.py [--build FOLDER] [BUG...]

Takes a build of the preset `planted` (made here if FOLDER is not there; the default is build-planted): its migc and unit tests
have one bug of runtime/planted.hpp, which MIGC_PLANTED names. Prints which test found it; without a bug all are to pass."""
import os, pathlib, re, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# The bug, what is wrong with it, and the tests that are tried, the likeliest first.
BUGS = {
    "skip-intent": ("a step begins without an intent", ["disk", "kill"]),
    "skip-undo-intent": ("an inverse begins without an intent", ["kill"]),
    "outcome-before-effect": ("the outcome is written before the effect", ["kill", "signals"]),
    "lose-capture": ("what a step found is not written down", ["kill", "sheet"]),
    "lose-outcome": ("outcomes are not written down", ["kill", "signals"]),
    "done-again": ("what is done is done again", ["kill"]),
    "undo-again": ("what is undone is undone again", ["kill"]),
    "undo-part-again": ("an inverse that was begun is begun again without a look", ["kill"]),
    "undo-in-order": ("the first change is taken back first", ["kill"]),
    "in-doubt-is-not-done": ("in doubt counts as not done", ["resume", "kill", "signals"]),
    "in-doubt-is-done": ("in doubt counts as done", ["resume", "kill", "signals"]),
    "unknown-is-false": ("what cannot be read counts as unchanged", ["kill"]),
    "decide-again": ("an `if` is decided a second time", ["resume", "kill"]),
    "let-again": ("a `let` is evaluated a second time", ["resume", "kill"]),
    "verify-again": ("a verification is repeated after later steps", ["kill"]),
    "forget-failure": ("a stage that failed goes on", ["resume", "kill"]),
    "go-on-without-journal": ("a journal that failed stops nothing", ["disk"]),
    "failed-write-is-well": ("a write that failed counts as written", ["disk"]),
    "end-not-written": ("done is told, although it could not be written", ["disk"]),
    "not-durable": ("the journal does not wait for the disk", ["power", "disk"]),
    "intent-not-durable": ("an intent does not wait for the disk", ["power"]),
    "told-too-early": ("what is not yet durable is told", ["power"]),
    "chain-not-checked": ("a changed journal is believed", ["unit-journal"]),
    "stop-unrecorded": ("the end of an interrupted run is not written down", ["signals"]),
    "second-sigint": ("a tool gets every interrupt", ["signals", "unit-tools"]),
    "first-interrupt-kills": ("a tool gets the first interrupt", ["signals", "unit-tools"]),
    "kill-terraform": ("a gentle tool is killed when its time is over", ["unit-tools"]),
    "leave-descendants": ("what a tool has started is left running", ["tools", "unit-tools"]),
    "inherit-environment": ("tools get the whole environment", ["unit-tools"]),
    "lock-not-inherited": ("an orphan does not hold the lock", ["kill"]),
    "drop-lock": ("no lock is taken", ["kill"]),
    "sheet-keeps-undone": ("the sheet lists what is undone", ["sheet"]),
}


def argument(name, otherwise):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


def found_by(build, bug, test):
    """The line that tells how the test found it; nothing if it did not."""
    environment = {**os.environ, "MIGC": str(build / "cli/migc"), "MIGC_PLANTED": bug, "FAULT_SAMPLE": "12", "FAULT_FIRST": "1"}
    command = [str(build / "tests/unit" / test)] if test.startswith("unit-") else [sys.executable, str(HERE / f"{test}.py")]
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    except subprocess.TimeoutExpired:
        return "it never ended"
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    telling = [line for line in lines if re.search(r"done twice|state|exit code|FAILED|wrong|left|without|signal|undone", line)]
    return next((line for line in telling if not re.search(r" 0 wrong", line)), lines[-1] if lines else "it failed")


def main():
    build = (ROOT / argument("--build", "build-planted")).resolve()
    if not (build / "cli/migc").exists():
        subprocess.run(["cmake", "--preset", "planted", "-B", str(build)], cwd=ROOT, check=True)
        subprocess.run(["ninja", "-C", str(build), "migc", "unit-tools", "unit-journal"], check=True)
    wanted = [a for a in sys.argv[1:] if a in BUGS] or list(BUGS)
    missed = []
    for bug in wanted:
        what, tests = BUGS[bug]
        begun = time.monotonic()
        for test in tests:
            if how := found_by(build, bug, test):
                break
        took = f"{time.monotonic() - begun:4.0f} s"
        print(f"{bug:<24} {what:<60} " + (f"found by {test:<13} {took}   {how[:110]}" if how else f"NOT FOUND   {took}"), flush=True)
        if not how:
            missed.append(bug)
    print(f"{len(wanted) - len(missed)} of {len(wanted)} planted bugs found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
