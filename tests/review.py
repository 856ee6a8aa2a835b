#!/usr/bin/env python3
"""What a reviewer would see: every script of review/wrong has its finding on the line that says `# finds CODE`, and no
other; no script of review/right has any."""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent / "review"
MIGC = os.path.abspath(sys.argv[1])
failed = 0


# A copy, so that what git says of an edited file is no finding of a test.
work = tempfile.TemporaryDirectory()
shutil.copytree(HERE, work.name, dirs_exist_ok=True)


def found(script):
    done = subprocess.run([MIGC, "check", "--json", script.relative_to(HERE)], cwd=work.name, capture_output=True, text=True, timeout=60)
    report = json.loads(done.stdout)
    findings = report["findings"] if isinstance(report, dict) else report
    return sorted((f["line"], f["code"]) for f in findings)


def expected(script):
    marks = [(n, re.search(r"# finds (\w+(?: [A-Z]\d+)*)", line)) for n, line in enumerate(script.read_text().splitlines(), 1)]
    return sorted((n, code) for n, mark in marks if mark for code in mark[1].split())


for script in sorted([*HERE.glob("wrong/*.mig"), *HERE.glob("right/*.mig")]):
    wanted = expected(script)
    if script.parent.name == "wrong" and not wanted:
        sys.exit(f"{script} does not say what is wrong in it")
    if (have := found(script)) != wanted:
        failed += 1
        print(f"{script.relative_to(HERE)}: expected {wanted}, found {have}")
# Every code has a test that shows it.
codes = set(re.findall(r"^([A-Z]\d{3}) ", subprocess.run([MIGC, "explain"], capture_output=True, text=True).stdout, re.MULTILINE))
shown = "".join(p.read_text() for p in [*HERE.glob("wrong/*.mig"), *(HERE.parent / "golden").rglob("*.golden")])
untested = sorted(c for c in codes - {"X001"} if f"[{c}]" not in shown and f"finds {c}" not in shown)
if untested or not codes:
    failed += 1
    print(f"no test shows {untested}")
print(f"review: {failed} failed")
sys.exit(failed > 0)
