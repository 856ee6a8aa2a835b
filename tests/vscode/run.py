#!/usr/bin/env python3
"""The VS Code package with VS Code's own libraries, which npm has: the scopes of a sample script against sample.scopes, and
the extension's start of the server. Needs node and, once, `npm ci` in this folder.
    run.py [--accept]"""
import difflib, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, need, skip

HERE = pathlib.Path(__file__).resolve().parent
EXTENSION = HERE.parents[1] / "editors/vscode"


def scopes(accept):
    done = subprocess.run(["node", HERE / "grammar.js", EXTENSION, HERE / "sample.mig"], capture_output=True, text=True, timeout=60)
    golden = HERE / "sample.scopes"
    if accept and done.returncode == 0:
        golden.write_text(done.stdout)
    wanted = golden.read_text() if golden.exists() else ""
    if done.returncode == 0 and done.stdout == wanted:
        return 0
    sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), done.stdout.splitlines(True), "sample.scopes", "now"))
    print(done.stderr)
    return 1


def main():
    need("node")
    if not (HERE / "node_modules/vscode-textmate").is_dir():
        skip("no npm modules; `npm ci` in tests/vscode installs them")
    bad = scopes("--accept" in sys.argv)
    return bad | subprocess.run(["node", HERE / "extension.js", EXTENSION, MIGC], timeout=60).returncode


sys.exit(main())
