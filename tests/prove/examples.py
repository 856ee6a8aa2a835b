#!/usr/bin/env python3
"""Every example is proved, or says from where there is no way back."""
import json, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, finish, migc, options_of_cases, run_cases

ROOT = SOURCE / "examples"
# Steps without a way back, by the script's own words.
NO_RETURN = {"ouroboros/grow-qdrant.mig": "grow volume", "ouroboros/replace-claim.mig": "delete claim"}


def prove(script):
    done = migc("prove", str(script), "--json", timeout=120)
    answer = json.loads(done.stdout) if done.stdout.startswith("{") else {"verdict": done.stdout + done.stderr}
    stated = [note["text"] for note in answer.get("no_return", [])]
    wanted = NO_RETURN.get(str(script.relative_to(ROOT)))
    good = answer["verdict"] == "proved" and (not wanted or any(wanted in text for text in stated))
    return "" if good else f"{answer['verdict']}, no way back from {stated}"


scripts = [s for s in sorted(ROOT.rglob("*.mig")) if "stage " in s.read_text()]
run_cases({str(s.relative_to(ROOT)): s for s in scripts}, prove, options_of_cases(__doc__).parse_args())
finish()
