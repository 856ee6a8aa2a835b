#!/usr/bin/env python3
"""Every example is proved, or says from where there is no way back.   examples.py MIGC"""
import json, os, pathlib, subprocess, sys

MIGC, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(__file__).resolve().parents[2] / "examples"
# Steps without a way back, by the script's own words.
NO_RETURN = {"ouroboros/grow-qdrant.mig": "grow volume", "ouroboros/replace-claim.mig": "delete claim"}
failed = 0
scripts = [s for s in sorted(ROOT.rglob("*.mig")) if "stage " in s.read_text()]
for script in scripts:
    name = str(script.relative_to(ROOT))
    done = subprocess.run([MIGC, "prove", str(script), "--json"], capture_output=True, text=True, timeout=120)
    answer = json.loads(done.stdout) if done.stdout.startswith("{") else {"verdict": done.stdout + done.stderr}
    stated = [note["text"] for note in answer.get("no_return", [])]
    wanted = NO_RETURN.get(name)
    good = answer["verdict"] == "proved" and any(wanted in text for text in stated) if wanted else answer["verdict"] == "proved"
    if not good:
        failed += 1
        print(f"FAIL {name}: {answer['verdict']}, no way back from {stated}")
print(f"prove: {len(scripts)} examples, {failed} failed")
sys.exit(failed > 0)
