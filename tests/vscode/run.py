#!/usr/bin/env python3
"""The VS Code package with VS Code's own libraries, which npm has: the scopes of a sample script against sample.scopes, and
the extension's start of the server. Needs node and, once, `npm ci` in this folder.
    run.py MIGC [--accept]"""
import difflib
import os
import pathlib
import shutil
import subprocess
import sys

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
    if not shutil.which("node"):
        print("skipped: no node")
        return 0
    if not (HERE / "node_modules/vscode-textmate").is_dir():
        print("skipped: no npm modules; `npm ci` in tests/vscode installs them")
        return 0
    bad = scopes("--accept" in sys.argv)
    return bad | subprocess.run(["node", HERE / "extension.js", EXTENSION, os.path.abspath(sys.argv[1])], timeout=60).returncode


sys.exit(main())
