#!/usr/bin/env python3
"""The recipes of docs/how-to/ci: the YAML has the form that each service reads, and its commands do on the examples what they are
meant to. ci.py MIGC. The services themselves are not asked."""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, SOURCE, check, finish, skip

try:
    import yaml
except ImportError:
    skip("no yaml for this python3")


def shell(command, folder):
    path = f"{os.path.dirname(MIGC)}:{os.environ['PATH']}"
    return subprocess.run(["bash", "-e", "-c", command], cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path})


def both(what, command, report=None):
    """On the examples it passes; with a script that has no way back it fails, and says so."""
    for bad in (False, True):
        with tempfile.TemporaryDirectory() as work:
            folder = pathlib.Path(work, "project")
            shutil.copytree(SOURCE / "examples/ouroboros", folder)
            if bad:
                (folder / "bad.mig").write_text("stage staging   < scale webapi to 4; verify pods ready; >\n")
            done = shell(command, folder)
            check(f"{what} {'fails' if bad else 'passes'}", (done.returncode == 1) == bad and done.returncode in (0, 1), done.stdout + done.stderr)
            if report:
                check(f"{what}: the report is right", report(json.loads((folder / report.file).read_text())) == bad)


def sarif(log):
    return any(not r.get("suppressions") for r in log["runs"][0]["results"])


def quality(report):
    return any({"description", "check_name", "fingerprint", "severity", "location"} <= set(one) for one in report)


sarif.file, quality.file = "migc.sarif", "gl-code-quality-report.json"

github = yaml.safe_load((SOURCE / "docs/how-to/ci/github.yml").read_text())
check("the workflow has its keys", set(github) == {"name", True, "permissions", "jobs"}, github)  # YAML 1.1 reads `on` as true
steps = {s.get("name"): s for s in github["jobs"]["check"]["steps"]}
both("GitHub: check", steps["Check"]["run"], sarif)
both("GitHub: layout", steps["Layout"]["run"])
both("GitHub: annotations", steps["Annotate"]["run"])
upload = steps["Show the findings"]
check("the findings of a failed check are uploaded", "failure()" in upload["if"] and upload["with"]["sarif_file"] == sarif.file and github["permissions"]["security-events"] == "write")

job = yaml.safe_load((SOURCE / "docs/how-to/ci/gitlab.yml").read_text())["migc"]
both("GitLab: check", "\n".join(job["script"]), quality)
check("the report of a failed job is kept", job["artifacts"] == {"when": "always", "reports": {"codequality": quality.file}})

for hook in yaml.safe_load((SOURCE / ".pre-commit-hooks.yaml").read_text()):
    check(f"{hook['id']} has what pre-commit asks for", {"id", "name", "entry", "language"} <= set(hook))
    check(f"{hook['id']} is for scripts", re.search(hook["files"], "a/b.mig") and not re.search(hook["files"], "a/b.migx"))
    both(f"pre-commit: {hook['id']}", f"{hook['entry']} *.mig")
finish()
