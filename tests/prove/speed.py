#!/usr/bin/env python3
"""LLVM is loaded when somebody says --jit, and never else; and the answer is the same. 500 steps with double faults are gone
through without a fault's being left out; how long that took is printed, and bench/ measures it."""
import json, pathlib, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import check, finish, migc


def loaded(*arguments, cwd):
    """The libraries that the dynamic linker was asked for, by its own word."""
    done = migc(*arguments, cwd=cwd, environment={"LD_DEBUG": "files"}, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "LLVM" in line or "migc-jit" in line]


def answer(*arguments, cwd):
    done = migc("prove", *arguments, "--json", cwd=cwd, timeout=300)
    return json.loads(done.stdout)


with tempfile.TemporaryDirectory() as folder:
    hello = pathlib.Path(folder, "hello.mig")
    hello.write_text("stage staging < scale webapi to 4; verify pods ready; > on failure undo;\n")
    for command in (["check"], ["check", "--prove"], ["prove"], ["prove", "--faults", "2"], ["plan", "--world", "learning"], ["run", "--world", "learning"]):
        out, llvm = loaded(command[0], "hello.mig", *command[1:], cwd=folder)
        check(f"migc {' '.join(command)} loads no LLVM", not llvm and out, "\n".join(llvm))
    out, llvm = loaded("prove", "hello.mig", "--jit", cwd=folder)
    skipped = "no LLVM" if "needs LLVM" in out else ""
    if not skipped:
        check("migc prove --jit loads LLVM", llvm, out)
        for faults in ("1", "2"):
            check("--jit answers the same", answer("hello.mig", "--faults", faults, cwd=folder) == answer("hello.mig", "--faults", faults, "--jit", cwd=folder))
    pathlib.Path(folder, "long.mig").write_text("stage staging <\n" + "".join(f"    scale w{i} to 4;\n    verify replicas of w{i} is 4;\n" for i in range(250)) + "> on failure undo;\n")
    begun = time.monotonic()
    long = answer("long.mig", "--faults", "2", cwd=folder)
    took = time.monotonic() - begun
    check("500 steps with double faults are proved", long["verdict"] == "proved" and long["stopping_points"] >= 500, json.dumps(long)[:500])
    check("as many schedules as there are faults", long["schedules"][1:] == [501251, 1314497], str(long["schedules"]))
    check("a state is gone through once", long["states"] < 500_000, str(long["states"]))
    print(f"speed: 500 steps, {long['schedules'][2]} pairs in {took:.1f} s")
finish(skipped)
