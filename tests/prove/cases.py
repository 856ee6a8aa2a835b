#!/usr/bin/env python3
"""What `migc prove` says of each script of cases/ is what the script's first line says: `# proved`, `# not proved: PART`,
`# unknown: PART`, where PART is a part of what is printed, and behind the verdict `with OPTIONS`. A line `# silent: PART` names
what must not be printed."""
import re

from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from harness import SOURCE, check, finish, migc, options_of_cases, run_cases

HERE = SOURCE / "tests/prove/cases"
EXIT = {"proved": 0, "not proved": 1, "unknown": 2}
FORM = re.compile(r"# (proved|not proved|unknown)(?: with ([^:\n]+))?(?:: (.+))?\n")


def prove(script):
    text = script.read_text()
    stated = FORM.match(text)
    if not stated:
        return "its first line does not say what is expected of it"
    verdict, options, part = stated.groups()
    done = migc("prove", script.name, *(options or "").split(), cwd=HERE, timeout=120)
    said = done.stdout + done.stderr
    headline = next((line for line in said.splitlines() if line.startswith(f"{script.name}: ")), "")
    wrong = [] if done.returncode == EXIT[verdict] and headline.startswith(f"{script.name}: {verdict}") else [f"expected {verdict}"]
    wrong += [f"it does not say `{part}`"] if part and part not in said else []
    wrong += [f"it says `{one}`" for one in re.findall(r"^# silent: (.+)$", text, re.M) if one in said]
    return "\n".join([*wrong, said]) if wrong else ""


scripts = sorted(HERE.glob("*.mig"))
if run_cases({s.stem: s for s in scripts}, prove, options_of_cases(__doc__).parse_args()):
    for verdict in EXIT:
        check(f"some are {verdict}", any(s.read_text().startswith(f"# {verdict}") for s in scripts))
finish()
