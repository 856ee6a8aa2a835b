#!/usr/bin/env python3
"""Golden tests: input and expected output in one file.

A case is a text file NAME.golden with sections:

    === file: script.mig          a file of the case's folder
    === copy: transcripts/hello   the same, with the content of a file that stands beside the cases
    === run: migc check script.mig
    (expected standard output and standard error, as a terminal would show them)
    === exit: 1                   the exit code of the last run

With --accept the outputs that differ are written into the cases; read the diff before you commit it."""
import datetime, difflib, os, pathlib, re, shlex, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import MIGC, PATIENCE, finish, options_of_cases, run_cases


def parse(text):
    """[(kind, argument, body)], and what stands before the first section."""
    sections, preamble = [], []
    for line in text.splitlines(keepends=True):
        if line.startswith("=== "):
            kind, _, argument = line[4:].rstrip("\n").partition(": ")
            sections.append([kind, argument, ""])
        elif sections:
            sections[-1][2] += line
        else:
            preamble.append(line)
    return "".join(preamble), sections


def today():
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def environment(folder, keys):
    """The operator's home is the case's folder, but for the keys, which lie in no project."""
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
    return {**keep, "HOME": folder, "XDG_CONFIG_HOME": keys, "LANG": "C.UTF-8", "TZ": "UTC"}


def run(command, folder, keys):
    words = shlex.split(command)
    # A replayed run is of the day on which it was recorded.
    days = set() if "--replay" in words else {today()}
    if words[0] == "migc":
        words[0] = MIGC
    done = subprocess.run(words, cwd=folder, env=environment(folder, keys), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60 * PATIENCE)
    text = done.stdout.decode("utf-8", "replace").replace(folder, "${folder}").replace(keys, "${configuration}")
    text = re.sub(r"/tmp/migc-[A-Za-z0-9]{6}", "${scratch}", text)
    text = re.sub(r'\(by [^,()]+, [0-9: -]+ UTC\)', "(by ${operator}, ${time})", text)
    text = re.sub(r'"by":"[^"]*"', '"by":"${operator}"', text)
    # These change with the standard library, and with whoever runs the tests.
    text = re.sub(r"((?:change|run) digest +(?:is )?)[0-9a-f]{12,64}", r"\1${digest}", text)
    text = re.sub(r'("(?:change|run|program|digest|run_digest)": ?")[0-9a-f]{64}"', r'\1${digest}"', text)
    text = re.sub(r'("changes": ?\[)("[0-9a-f]{64}",?)+', r'\1"${digest}"', text)
    text = re.sub(r'("operator": ?"|^run by )[^"\n]+', r"\1${operator}", text, flags=re.MULTILINE)
    if days:
        days.add(today())
    for day in days:
        text = text.replace(f"{day}-", "${today}-")
    if "${today}" in text:  # a real run takes a real time
        text = re.sub(r"\b\d+\.\ds$", "0.0s", text, flags=re.MULTILINE)
    return text, done.returncode


def perform(sections):
    """The sections as they come out of a run of migc."""
    result, code = [], 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as keys:
        for kind, argument, body in sections:
            if kind == "file":
                path = pathlib.Path(folder, argument)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body)
            elif kind == "copy":
                pathlib.Path(folder, pathlib.Path(argument).name).write_bytes((HERE / argument).read_bytes())
            elif kind == "run":
                body, code = run(argument, folder, keys)
                if body and not body.endswith("\n"):
                    body += "\n"
            elif kind == "exit":
                argument, body = str(code), ""
            result.append([kind, argument, body])
    if not result or result[-1][0] != "exit":
        result.append(["exit", str(code), ""])
    return result


def text_of(preamble, sections):
    return preamble + "".join(f"=== {k}: {a}\n{b}" for k, a, b in sections)


def compare(case):
    """How the case's output differs from what it should be."""
    expected = case.read_text()
    preamble, sections = parse(expected)
    actual = text_of(preamble, perform(sections))
    if actual != expected and options.accept:
        case.write_text(actual)
        print(f"accepted {case}")
        return ""
    return "".join(difflib.unified_diff(expected.splitlines(True), actual.splitlines(True), f"{case} (expected)", f"{case} (actual)"))


options = options_of_cases(__doc__)
options.add_argument("--migc", help="as MIGC in the environment")
options.add_argument("--accept", action="store_true")
options = options.parse_args()
MIGC = os.path.abspath(options.migc) if options.migc else MIGC
run_cases({str(case.relative_to(HERE)): case for case in sorted(HERE.rglob("*.golden"))}, compare, options)
finish()
