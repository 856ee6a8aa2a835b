#!/usr/bin/env python3
"""migc fmt on every script of the repository, as it is, with comments between its tokens, and with the line ends of another
system: formatting again changes nothing, every comment is still there, and the script means the same.
    format.py MIGC"""
import pathlib, random, re, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, SOURCE

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


def digests(scripts):
    """What each script means where it stands; of scripts that mean nothing, nothing."""
    printed = run("ir", "--digest", *scripts).stdout.decode()
    return {path: digest for digest, path in (line.split("  ", 1) for line in printed.splitlines())}


def format_all(scripts):
    """Formats files in place; the ones that are no Mig stay as they are. Gives those that are."""
    run("fmt", *scripts)
    refused = run("fmt", "--check", *scripts).stderr.decode()
    return [path for path in scripts if f"--> {path}:" not in refused]


def check(what, scripts, texts):
    """One variant of all scripts: the texts stand in the files. Gives how many are Mig."""
    for path, text in texts.items():
        pathlib.Path(path).write_bytes(text)
    meant = digests(scripts) if what in MEANT else {}
    good = format_all(scripts)
    formatted = {path: pathlib.Path(path).read_bytes() for path in good}
    again = run("fmt", "--check", *good)
    assert (again.returncode, again.stdout) == (0, b""), f"{what}: formatted twice they are others: {again.stdout.decode()}"
    for path, text in formatted.items():
        assert comments(texts[path]) == comments(text), f"{path}, {what}: a comment is lost"
        assert b"\r" not in text, f"{path}, {what}: a carriage return is left"
    now = digests(scripts) if what in MEANT else {}
    assert now == meant, f"{what}: it means something else: {[path for path in meant if now.get(path) != meant[path]]}"
    return len(good)


def check_standard_input():
    """`--check` says whether it is in standard layout, and prints no script."""
    text = b"stage   staging < hold-it; > on failure undo;\n"
    refused = run("fmt", "--check", "-", stdin=text)
    assert (refused.returncode, b"standard layout" in refused.stdout, b"hold-it" in refused.stdout) == (1, True, False), refused
    good = run("fmt", "--check", "-", stdin=run("fmt", "-", stdin=text).stdout)
    assert (good.returncode, good.stdout) == (0, b""), good


def main():
    check_standard_input()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "root")
        for top in ("examples", "tests", "stdlib"):
            shutil.copytree(SOURCE / top, root / top, ignore=shutil.ignore_patterns("node_modules"), symlinks=True)
        scripts = [str(path) for path in sorted(root.rglob("*.mig"))]
        whole = {path: pathlib.Path(path).read_bytes() for path in scripts}
        variants_of = {path: dict(variants(text, seed)) for seed, (path, text) in enumerate(whole.items())}
        for what in next(iter(variants_of.values())):
            good = check(what, scripts, {path: variants_of[path][what] for path in scripts})
            print(f"{what}: {good} scripts, {len(scripts) - good} that are no Mig")
            assert good > len(scripts) / 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
