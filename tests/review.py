#!/usr/bin/env python3
"""What a reviewer would see: every script of a folder `wrong` has its finding on the line that says `# finds CODE`, or in
the place of `# finds CODE in FILE:LINE`, and no other; no script of a folder `right` has any. Around the two stands the
project that they are scripts of."""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent / "review"
MIGC = os.path.abspath(sys.argv[1])
failed = 0


# A copy, so that what git says of an edited file is no finding of a test.
work = tempfile.TemporaryDirectory()
shutil.copytree(HERE, work.name, dirs_exist_ok=True)


def found(script, project):
    folder = pathlib.Path(work.name) / project.relative_to(HERE)
    done = subprocess.run([MIGC, "check", "--json", script.relative_to(project)], cwd=folder, capture_output=True, text=True, timeout=60)
    report = json.loads(done.stdout)
    name = str(script.relative_to(project))
    return sorted(("" if f["file"] == name else f["file"], f["line"], f["code"]) for f in report)


def expected(script):
    marks = []
    for number, line in enumerate(script.read_text().splitlines(), 1):
        for codes, file, at in re.findall(r"# finds (\w+(?: [A-Z]\d+)*)(?: in ([^\s:]+):(\d+))?", line):
            marks += [(file, int(at or number), code) for code in codes.split()]
    return sorted(marks)


for script in sorted([*HERE.rglob("wrong/*.mig"), *HERE.rglob("right/*.mig")]):
    wanted = expected(script)
    if script.parent.name == "wrong" and not wanted:
        sys.exit(f"{script} does not say what is wrong in it")
    if (have := found(script, script.parent.parent)) != wanted:
        failed += 1
        print(f"{script.relative_to(HERE)}: expected {wanted}, found {have}")
# Every code has a test that shows it.
codes = set(re.findall(r"^([A-Z]\d{3}) ", subprocess.run([MIGC, "explain"], capture_output=True, text=True).stdout, re.MULTILINE))
shown = "".join(p.read_text() for p in [*HERE.rglob("wrong/*.mig"), *(HERE.parent / "golden").rglob("*.golden")])
untested = sorted(c for c in codes - {"X001"} if f"[{c}]" not in shown and f"finds {c}" not in shown)
if untested or not codes:
    failed += 1
    print(f"no test shows {untested}")
print(f"review: {failed} failed")
sys.exit(failed > 0)
