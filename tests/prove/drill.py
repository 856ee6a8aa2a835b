#!/usr/bin/env python3
"""Every example is drilled in its world, with its own soaks: whatever goes wrong once, a kill and a resume beside it, each run
ends as it should."""
import json, pathlib, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, finish, migc, options_of_cases, run_cases

ROOT = SOURCE / "examples"
LONG = {"add-nodes.mig", "add-redis.mig", "canary.mig", "replace-claim.mig"}
# The world of an example where it is not that of its folder.
WORLDS = {
    "hello.mig": "learning",
    "emergency.mig": "world-emergency.yaml",
    "return-from-emergency.mig": "world-after-emergency.yaml",
}


def world_of(script):
    name = WORLDS.get(script.name, "world.yaml")
    return name if name == "learning" or script.with_name(name).exists() else None


def drill(script):
    begun = time.monotonic()
    done = migc("drill", script.name, "--world", world_of(script), "--json", cwd=script.parent, timeout=600)
    answer = json.loads(done.stdout) if done.stdout.startswith("{") else {"verdict": f"exit {done.returncode}: {done.stdout}{done.stderr}"}
    print(f"{script.name}: {answer.get('runs')} runs in {time.monotonic() - begun:.1f} s")
    killed = [end for end in answer.get("ends", {}) if end.startswith("killed, then ")]
    good = answer["verdict"] == "survived" and killed
    return "" if good else f"{answer['verdict']} {json.dumps(answer.get('counterexamples', [])[:3], indent=1)}"


options = options_of_cases(__doc__)
options.add_argument("--full", action="store_true", help="also those that take a minute or more")
options.set_defaults(jobs=1)  # each keeps all cores busy
options = options.parse_args()
scripts = [s for s in sorted(ROOT.rglob("*.mig")) if "stage " in s.read_text() and world_of(s)]
if not options.names and not options.full:
    scripts = [s for s in scripts if s.name not in LONG]
run_cases({str(s.relative_to(ROOT)): s for s in scripts}, drill, options)
finish()
