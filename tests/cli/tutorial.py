#!/usr/bin/env python3
"""The tutorial is true: its files and commands, in its order, in an empty folder, give the output that it shows.

    tutorial.py MIGC [--write]     --write: put the outputs into the page; read the diff before you commit it

A block ```mig NAME holds a file, a block ```console commands (`$ ..`) with their outputs."""
import difflib, os, pathlib, re, subprocess, sys, tempfile

migc, page = os.path.abspath(sys.argv[1]), pathlib.Path(__file__).resolve().parents[2] / "docs/tutorial.md"
# What differs between machines and versions has a name in the page.
PLACEHOLDERS = [
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"(digest +)[0-9a-f]{12}\b", r"\1<digest>"),
    (r"(migc:[0-9-]+)-[0-9a-f]{6}\b", r"\1-<id>"),
    (r"^run by .*$", "run by <name> on <machine>"),
]


class Shell:
    """Commands one after the other, as one types them: each in the folder, and with the exit code, that the last one left."""

    def __init__(self, folder, home):
        self.folder, self.code = folder, 0
        self.environment = {"PATH": f"{os.path.dirname(migc)}:{os.environ['PATH']}", "HOME": home, "LANG": "C.UTF-8", "TZ": "UTC"}

    def run(self, command):
        script = f"(exit {self.code})\n{command}\ncode=$?; pwd >&3; exit $code"
        read, write = os.pipe()
        done = subprocess.run(["bash", "-c", f"exec 3>&{write}\n{script}"], cwd=self.folder, env=self.environment, pass_fds=[write],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        os.close(write)
        self.folder = os.fdopen(read).read().strip()
        self.code = done.returncode
        text = done.stdout.decode("utf-8")
        for pattern, name in PLACEHOLDERS:
            text = re.sub(pattern, name, text, flags=re.MULTILINE)
        return text


def transcript(shell, block):
    """The block as it comes out of a run of its commands."""
    return "".join(f"{line}\n{shell.run(line[2:])}" for line in block.splitlines() if line.startswith("$ "))


def perform(text):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        shell = Shell(folder, home)

        def block(match):
            language, name, body = match.groups()
            if language == "mig":
                pathlib.Path(shell.folder, name.strip()).write_text(body)
                return match.group(0)
            return f"```console\n{transcript(shell, body)}```\n"

        return re.sub(r"^```(mig|console)(.*)\n([\s\S]*?)^```\n", block, text, flags=re.MULTILINE)


shown = page.read_text()
actual = perform(shown)
if "--write" in sys.argv:
    page.write_text(actual)
elif actual != shown:
    print("FAIL the tutorial shows another output than there is; tutorial.py MIGC --write puts it in")
    print("".join(difflib.unified_diff(shown.splitlines(True), actual.splitlines(True), "docs/tutorial.md", "actual")))
    sys.exit(1)
print("tutorial: its commands give what it shows")
