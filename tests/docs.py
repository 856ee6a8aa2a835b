#!/usr/bin/env python3
"""The generated documents are current, and what the documentation shows is true. docs.py MIGC [--write]"""
import pathlib, re, shutil, sys, tempfile

from harness import SOURCE as root, check, finish, migc

# The project that the examples of the codes speak of, and what it has besides.
PROJECT = root / "tests/review"
BESIDE = {
    "migrate-back.sh": "",
    "other/aliased.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: &name other }\ndata: { name: *name }\n",
    "tf.sh": "",
    "k8s/grow.sh": "",
    ".secrets/token": "",
    "appsettings.json": '{ "Cache": { "Endpoint": "redis-service:6379" } }\n',
    "k8s/consumer.yaml": (PROJECT / "keys/k8s/consumer.yaml").read_text(),
    "k8s/queue.yaml": (PROJECT / "keys/k8s/queue.yaml").read_text(),
    "k8s/configmap.yaml": "kind: ConfigMap\ndata:\n  CacheEndpoint: redis-service:6379\n",
}
GENERATED = {"docs/reference/verbs.md": ["verbs", "--markdown"], "docs/reference/checks.md": ["explain", "--markdown"]}


def run(*arguments, cwd=root):
    done = migc(*arguments, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


for path, command in GENERATED.items():
    text = run(*command)[1]
    if "--write" in sys.argv:
        (root / path).write_text(text)
    check(f"{path} is current; tests/docs.py MIGC --write mends it", (root / path).read_text() == text)

# Every code: a bad example that has the finding, a good one that has not.
sections = re.findall(r"\n## (\w\d+): .*?\n\nRefused:\n\n```\n(.*?)\n```\n\nAccepted:\n\n```\n(.*?)\n```", (root / "docs/reference/checks.md").read_text(), re.S)
check("the document lists every code", len(sections) == len([l for l in run("explain")[1].splitlines() if not l.startswith("X")]))
for code, bad, good in sections:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
        for name, text in BESIDE.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        for example, expected in ((bad, True), (good, False)):
            name = "migc.yaml" if example.startswith("order") else "t.mig"
            pathlib.Path(folder, "t.mig").write_text("stage staging < scale webapi to 4; verify pods ready; > on failure undo;\n")
            if name == "t.mig":
                shutil.copy(PROJECT / "migc.yaml", folder)
            if not example.startswith("("):
                pathlib.Path(folder, name).write_text(example + "\n")
                found = f"[{code}]" in run("check", *(["--prove"] if code.startswith("N") else []), "t.mig", cwd=folder)[1]
                check(f"the {'bad' if expected else 'good'} example of {code}", found == expected)

# The standard library and the examples are in standard layout, and every module has documentation.
scripts = [*root.glob("stdlib/**/*.mig"), *root.glob("examples/**/*.mig")]
code, text = run("fmt", "--check", *map(str, scripts))
check(f"standard layout: {text}", code == 0)
for verb in re.findall(r"\n### `(.*?)`\n\n\n", (root / "docs/reference/verbs.md").read_text()):
    check(f"`{verb}` has documentation", False)
# Every example of a phrase is one: each in a stage of its own, after the steps whose results it names.
NAMES = {
    "larger": "plan terraform",
    "smaller": "plan terraform",
    "load": 'load test "http://web/health" at 20 per second for 30s',
    "exporter": 'start program ["scripts/exporter.sh"]',
}
modules = re.split(r"\n## (\S+)\n", (root / "docs/reference/verbs.md").read_text())
for module, text in zip(modules[1::2], modules[2::2]):
    if "For example:" not in text:
        continue
    script = f"use std.{module};\n" if (root / f"stdlib/patterns/{module}.mig").exists() else ""
    for number, phrase in enumerate(re.findall(r"^For example: `(.*)`$", text, re.M)):
        if "shrinks" in phrase or "changed before" in phrase:
            script += f"never {phrase};\n"
            continue
        names = "".join(f"{step} as {name};\n" for name, step in NAMES.items() if f" as {name};" not in phrase)
        step = phrase if phrase.endswith(";") else f"let example = {phrase};"
        steps = f"{step}\n{names}" if phrase.startswith("gate ") else f"{names}{step}\n"
        script += f"stage number-{number} in staging <\n{steps}> on failure undo;\n"
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "examples.mig").write_text(script)
        said = run("check", "examples.mig", cwd=folder)[1]
        wrong = re.findall(r"^error\[[LT]\d+\].*\n.*\n.*\n.*", said, re.M)
        check(f"the examples of {module} are valid:\n" + "\n".join(wrong), not wrong)

# The coverage of the guide names lines that are there: a phrase is found in its file, whatever its line breaks are.
coverage = root / "docs/reference/guide-coverage.md"
lines = coverage.read_text().splitlines()
for i, row in enumerate(lines):
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)]
    place = re.match(r"([\w./-]+\.(?:mig|md))(?::\d+)?$", cells[3]) if len(cells) == 6 else None
    if not place or "`" not in cells[2]:
        continue
    text = (root / place.group(1)).read_text()
    phrase = re.search(r"`([^`]+)`", cells[2]).group(1).replace("\\|", "|").split("; ")[0]
    found = re.search(r"\s+".join(map(re.escape, phrase.split())), text)
    if place.group(1).endswith(".mig"):
        check(f"guide-coverage: `{phrase}` stands in {place.group(1)}", found is not None)
        if found:
            current = f"{place.group(1)}:{text.count(chr(10), 0, found.start()) + 1}"
            if "--write" in sys.argv:
                lines[i] = row.replace(cells[3], current)
            check(f"guide-coverage: {cells[3]} is {current}; tests/docs.py MIGC --write mends it", "--write" in sys.argv or cells[3] == current)
if "--write" in sys.argv:
    coverage.write_text("\n".join(lines) + "\n")
finish()
