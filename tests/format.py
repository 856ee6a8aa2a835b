#!/usr/bin/env python3
"""migc fmt on every script of the repository, as it is, with comments between its tokens, and with the line ends of another
system: formatting again changes nothing, every comment is still there, and the script means the same.
    format.py MIGC"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

MIGC = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[1]
TOKEN = re.compile(rb'#[^\n]*|"(?:[^"\\\r\n]|\\[^\r\n])*"|[^\s"#<>;()\[\],]+|[<>;()\[\],]|\s+')
MEANT = ("as it is", "with comments")  # the others differ from these in white space alone
# Words that are one token with white space between; a comment there would be no Mig.
PAIRS = ((b"by", b"caller"), (b"one", b"of"), (b"at", b"least"), (b"at", b"most"))


def with_comments(text, seed):
    """The text with a comment behind about every fifth token."""
    pick = random.Random(seed)
    out, tokens = [], TOKEN.findall(text)
    words = [t for t in tokens if not t.isspace()]
    at = 0
    for token in tokens:
        out.append(token)
        if token.isspace():
            continue
        at += 1
        pair = (token, words[at]) if at < len(words) else ()
        if token[:1] != b"#" and pair not in PAIRS and pick.random() < 0.2:
            out.append(pick.choice((b" # odd %d\n", b"\n# alone %d\n", b"#close %d\n\n\n")) % at)
    return b"".join(out)


def variants(text, seed):
    yield "as it is", text
    yield "with comments", with_comments(text, seed)
    yield "CRLF", text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield "on few lines", re.sub(rb"\n[ \t]*(?=[^#\s])", b" ", text) if b"#" not in text else text
    yield "without its last line break", text.rstrip()


def comments(text):
    return sorted(t.rstrip() for t in TOKEN.findall(text) if t[:1] == b"#")


def run(*command, stdin=b"", cwd=None):
    return subprocess.run([MIGC, *command], input=stdin, capture_output=True, timeout=60, cwd=cwd)


def digest(path, text):
    """What the script means where it stands; the text takes its place."""
    path.write_bytes(text)
    return run("ir", "--digest", path.name, cwd=path.parent).stdout


def check(path, what, text):
    once = run("fmt", "-", stdin=text)
    if once.returncode != 0 or once.stderr:
        return False  # no Mig
    name = f"{path.name}, {what}"
    assert run("fmt", "-", stdin=once.stdout).stdout == once.stdout, f"{name}: formatted twice it is another"
    assert comments(text) == comments(once.stdout), f"{name}: a comment is lost"
    assert b"\r" not in once.stdout, f"{name}: a carriage return is left"
    assert what not in MEANT or digest(path, text) == digest(path, once.stdout), f"{name}: it means something else"
    return True


def check_standard_input():
    """`--check` says whether it is in standard layout, and prints no script."""
    text = b"stage   staging < hold-it; > on failure undo;\n"
    refused = run("fmt", "--check", "-", stdin=text)
    assert (refused.returncode, b"standard layout" in refused.stdout, b"hold-it" in refused.stdout) == (1, True, False), refused
    good = run("fmt", "--check", "-", stdin=run("fmt", "-", stdin=text).stdout)
    assert (good.returncode, good.stdout) == (0, b""), good


def main():
    check_standard_input()
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "root")
        for top in ("examples", "tests", "stdlib"):
            shutil.copytree(ROOT / top, root / top, ignore=shutil.ignore_patterns("node_modules"), symlinks=True)
        for seed, path in enumerate(sorted(root.rglob("*.mig"))):
            text = path.read_bytes()
            for what, variant in variants(text, seed):
                counts.setdefault(what, []).append(check(path, what, variant))
            path.write_bytes(text)
    for what, results in counts.items():
        print(f"{what}: {sum(results)} scripts, {len(results) - sum(results)} that are no Mig")
        assert sum(results) > len(results) / 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
