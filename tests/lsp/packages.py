#!/usr/bin/env python3
"""The editor packages: every JSON file parses and names files that are there; the patterns find a script's keywords;
vim loads the syntax file without a word and highlights."""
import json, pathlib, re, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, skip

EDITORS = SOURCE / "editors"
VSCODE = EDITORS / "vscode"
SCRIPT = 'stage staging < # note\n    verify replicas of web is at least 4 within 5m;\n    let stage-name = "${x}";\n> on failure undo;\n'


def vscode():
    for path in VSCODE.rglob("*.json"):
        if "node_modules" not in path.parts:
            json.loads(path.read_text())
    package = json.loads((VSCODE / "package.json").read_text())
    contributed = package["contributes"]
    named = [package["main"], *(g["path"] for g in contributed["grammars"]), *(s["path"] for s in contributed["snippets"]),
             *(l["configuration"] for l in contributed["languages"])]
    for name in named:
        assert (VSCODE / name).is_file(), name
    grammar = json.loads((VSCODE / "syntaxes/mig.tmLanguage.json").read_text())
    found = {p["name"]: re.findall(p["match"], SCRIPT) for p in grammar["patterns"] if "match" in p}
    assert found["keyword.control.mig"] == ["stage", "verify", "within", "let", "on", "failure", "undo"], found
    assert found["keyword.operator.word.mig"] == ["is", "at least"], found
    assert found["constant.numeric.mig"] == ["4", "5m"], found
    if shutil.which("node"):
        subprocess.run(["node", "--check", VSCODE / "extension.js"], check=True)


def vim():
    editor = next((e for e in ("vim", "nvim") if shutil.which(e)), None)
    if not editor:
        skip("no vim")
    def group(line, column):
        return f"synIDattr(synID({line}, {column}, 1), 'name')"
    wanted = {(1, 1): "migKeyword", (1, 7): "", (1, 17): "migComment", (2, 28): "migOperator", (2, 31): "migOperator",
              (2, 40): "migNumber", (3, 9): "", (3, 24): "migName", (4, 3): "migKeyword"}
    with tempfile.TemporaryDirectory() as folder:
        script, result = pathlib.Path(folder, "a.mig"), pathlib.Path(folder, "result")
        script.write_text(SCRIPT)
        listed = ", ".join(group(*place) for place in wanted)
        start = ["vim", "-es", "-u", "NONE", "-i", "NONE", "-n", "--not-a-term"] if editor == "vim" else ["nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n"]
        done = subprocess.run([*start, "--cmd", f"set nocompatible runtimepath^={EDITORS}/vim", "-c",
                               "filetype plugin indent on | syntax on", "-c", f"edit {script}",
                               "-c", f"call writefile([&filetype, v:errmsg, {listed}], '{result}')", "-c", "qall!"],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        lines = result.read_text().splitlines()
    assert lines[0] == "mig", (lines, done.stderr)
    assert lines[1] == "", lines[1]
    assert dict(zip(wanted, lines[2:])) == wanted, dict(zip(wanted, lines[2:]))


vscode()
vim()
