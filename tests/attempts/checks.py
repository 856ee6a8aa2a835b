#!/usr/bin/env python3
"""84 scripts that were written from the documentation alone, each with what was expected of `migc check` or `migc prove` before either was
asked (EXPECT.json). Those that migc still answers otherwise are in `MISSED`, with the reason; checks.md tells how it was at first."""
import json, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import finish, migc, options_of_cases, run_cases

HERE = pathlib.Path(__file__).resolve().parent / "checks"
MISSED = {
    "08-undo-removes-queue-before-its-user": "whether the queue was there before, only a run knows: to apply one that is there is no reason to delete it",
    "28-pointer-to-a-container-that-is-not": "a pointer that names no element adds one, as documented; a sidecar is added so, too",
    "38-roll-back-in-a-loop": "not looked for: no role says that doing it twice takes it back",
    "83-restart-only-sometimes": "the one who runs it decides by the parameter",
}


def answer(folder):
    """Whether migc says what was expected, and what it says."""
    wanted = json.loads((folder / "EXPECT.json").read_text())
    script = "script.mig" if (folder / "script.mig").exists() else str(next(folder.rglob("*.mig")).relative_to(folder))
    done = migc(wanted["command"], script, "--json", *wanted.get("args", []), cwd=folder, timeout=120)
    said = json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout + done.stderr
    if wanted["command"] == "prove":
        verdict = said["verdict"] if isinstance(said, dict) else said
        good = {"proved": ["proved"], "not proved": ["counterexample", "undecided", "unknown"], "unknown": ["undecided", "unknown"]}[wanted["kind"]]
        return verdict in good, verdict
    found = [(one["file"], one["line"], one["code"]) for one in said] if isinstance(said, list) else said
    if wanted["kind"] == "right":
        return found == [] and done.returncode == 0, found
    places = {(place["file"], line) for place in [wanted, *wanted.get("also", [])] for line in place["lines"]}
    return any((file, line) in places for file, line, _ in found), found


def compare(folder):
    good, said = answer(folder)
    if good == (folder.name not in MISSED):
        return ""
    return f"said: {said}" if not good else "it is answered as expected now: take it out of MISSED"


cases = {folder.name: folder for folder in sorted(HERE.iterdir()) if folder.is_dir()}
run_cases(cases, compare, options_of_cases(__doc__).parse_args())
finish()
