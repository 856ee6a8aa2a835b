#!/usr/bin/env python3
"""Every example checks clean and runs in its simulated world; whichever command goes wrong, nothing is left behind.
examples.py MIGC"""
import json, os, pathlib, shutil, subprocess, sys, tempfile

migc, root, failed, runs = os.path.abspath(sys.argv[1]), pathlib.Path(__file__).resolve().parents[1] / "examples", [], 0

# Script, world, commands that change something (each is made to fail in every way), further options.
SIMULATED = [
    ("hello.mig", "learning", ["kubectl scale"], []),
    ("ouroboros/scale-webapi.mig", "world.yaml", ["kubectl apply", "kubectl apply #2", "kubectl apply #3", "kubectl apply #4"], []),
]
FAULTS = ["fail-before", "fail-after", "timeout-after", "hang", "garbage"]


def run(folder, *arguments):
    global runs
    runs += 1
    done = subprocess.run([migc, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, env={**os.environ, "LANG": "C.UTF-8"})
    return done.returncode, done.stdout + done.stderr


def check(what, condition, text=""):
    if not condition:
        failed.append(what)
        print(f"FAIL {what}\n{text}")


with tempfile.TemporaryDirectory() as work:
    copy = pathlib.Path(work, "examples")
    shutil.copytree(root, copy)
    for script in sorted(copy.rglob("*.mig")):
        if "stage " in script.read_text():
            code, text = run(script.parent, "check", script.name)
            check(f"{script.relative_to(copy)} has no findings", code == 0, text)
    for name, world, commands, options in SIMULATED:
        folder, script = (copy / name).parent, pathlib.Path(name).name
        arguments = [script, "--world", world, *options]
        code, text = run(folder, "plan", *arguments, "--state", "before.json")
        check(f"{name} can be planned", code == 0, text)
        before = json.loads((folder / "before.json").read_text())
        code, text = run(folder, "run", *arguments, "--state", "after.json")
        check(f"{name} runs", code == 0, text)
        check(f"{name} changes something", json.loads((folder / "after.json").read_text()) != before)
        for command in commands:
            for fault in FAULTS:
                code, text = run(folder, "run", *arguments, "--fault", f"{fault}: {command}", "--state", "after.json")
                after = json.loads((folder / "after.json").read_text())
                what = f"{name} with {fault}: {command}"
                check(f"{what} ends done, undone, held or in doubt", code in (0, 1, 3, 4), text)
                if code == 1:
                    check(f"{what} is exactly undone", after == before, text)
                if code == 0:
                    check(f"{what} is done only if the effect is there", after != before, text)
print(f"examples: {runs} runs, {len(failed)} failed")
sys.exit(1 if failed else 0)
