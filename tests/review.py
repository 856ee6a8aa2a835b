#!/usr/bin/env python3
"""What a reviewer would see: every script of a folder `wrong` has its finding on the line that says `# finds CODE`, or in
the place of `# finds CODE in FILE:LINE`, and no other; no script of a folder `right` has any. Around the two stands the
project that they are scripts of."""
import json, pathlib, re, shutil, tempfile

from harness import SOURCE, check, finish, migc, options_of_cases, run_cases

HERE = SOURCE / "tests/review"
# A copy, so that what git says of an edited file is no finding of a test.
work = tempfile.TemporaryDirectory()
shutil.copytree(HERE, work.name, dirs_exist_ok=True)


def found(script):
    """What migc finds in a script of the copy, as [(file, line, code)]; the script itself has no name."""
    project = script.parent.parent
    name = str(script.relative_to(project))
    report = json.loads(migc("check", "--json", name, cwd=pathlib.Path(work.name) / project.relative_to(HERE)).stdout)
    return sorted(("" if f["file"] == name else f["file"], f["line"], f["code"]) for f in report)


def expected(script):
    marks = []
    for number, line in enumerate(script.read_text().splitlines(), 1):
        for codes, file, at in re.findall(r"# finds (\w+(?: [A-Z]\d+)*)(?: in ([^\s:]+):(\d+))?", line):
            marks += [(file, int(at or number), code) for code in codes.split()]
    return sorted(marks)


def compare(script):
    wanted, have = expected(script), found(script)
    if script.parent.name == "wrong" and not wanted:
        return "it does not say what is wrong in it"
    return "" if have == wanted else f"expected {wanted}, found {have}"


scripts = sorted([*HERE.rglob("wrong/*.mig"), *HERE.rglob("right/*.mig")])
if run_cases({str(s.relative_to(HERE)): s for s in scripts}, compare, options_of_cases(__doc__).parse_args()):
    codes = set(re.findall(r"^([A-Z]\d{3}) ", migc("explain").stdout, re.MULTILINE))
    shown = "".join(p.read_text() for p in [*HERE.rglob("wrong/*.mig"), *(SOURCE / "tests/golden").rglob("*.golden")])
    untested = sorted(c for c in codes - {"X001"} if f"[{c}]" not in shown and f"finds {c}" not in shown)
    check("every code has a test that shows it", codes and not untested, untested)
finish()
