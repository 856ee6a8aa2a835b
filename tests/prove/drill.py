#!/usr/bin/env python3
"""Every example is drilled in its world, with its own soaks: whatever goes wrong once, a kill and a resume beside it, each run
ends as it should.   drill.py MIGC [--full] [NAME...]   --full: also those that take a minute or more"""
import json, os, pathlib, subprocess, sys, time

MIGC, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(__file__).resolve().parents[2] / "examples"
LONG = {"add-nodes.mig", "add-redis.mig", "canary.mig", "replace-claim.mig"}
# The world of an example where it is not that of its folder.
WORLDS = {
    "hello.mig": "learning",
    "emergency.mig": "world-emergency.yaml",
    "return-from-emergency.mig": "world-after-emergency.yaml",
}
failed = runs = 0


def world_of(script):
    name = WORLDS.get(script.name, "world.yaml")
    return name if name == "learning" or script.with_name(name).exists() else None


def drill(script):
    done = subprocess.run([MIGC, "drill", script.name, "--world", world_of(script), "--json"], cwd=script.parent, capture_output=True, text=True, timeout=600)
    return json.loads(done.stdout) if done.stdout.startswith("{") else {"verdict": f"exit {done.returncode}: {done.stdout}{done.stderr}"}


scripts = [s for s in sorted(ROOT.rglob("*.mig")) if "stage " in s.read_text() and world_of(s)]
names = [a for a in sys.argv[2:] if not a.startswith("--")]
if names:
    scripts = [s for s in scripts if any(name in str(s) for name in names)]
elif "--full" not in sys.argv:
    scripts = [s for s in scripts if s.name not in LONG]
for script in scripts:
    begun, answer = time.monotonic(), drill(script)
    runs += answer.get("runs", 0)
    killed = [end for end in answer.get("ends", {}) if end.startswith("killed, then ")]
    good = answer["verdict"] == "survived" and killed
    failed += not good
    print(f"{'ok  ' if good else 'FAIL'} {script.name}: {answer.get('runs')} runs in {time.monotonic() - begun:.1f} s")
    if not good:
        print(answer["verdict"], json.dumps(answer.get("counterexamples", [])[:3], indent=1))
print(f"drill: {len(scripts)} examples, {runs} runs, {failed} failed")
sys.exit(failed > 0 or not scripts)
