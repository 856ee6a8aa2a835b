#!/usr/bin/env python3
"""What `migc graph` draws: dot and an XML reader accept it for every example, every stage and gate is in it, and without dot a
message says what to do. graph.py MIGC; says "skipped: no dot" where there is no Graphviz."""
import html, pathlib, re, shutil, sys, xml.etree.ElementTree as xml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, check, finish, migc


def graph(script, form, **more):
    return migc("graph", "--format", form, str(script), **more)


scripts = [s for s in sorted((SOURCE / "examples").rglob("*.mig")) if "\nstage " in "\n" + s.read_text()]
check("there are examples", len(scripts) > 10)
for script in scripts:
    text = script.read_text()
    mermaid = graph(script, "mermaid")
    check(f"{script.name} as Mermaid", mermaid.returncode == 0 and mermaid.stdout.startswith("flowchart TB\n"), mermaid.stderr)
    for stage in re.findall(r"(?m)^stage (\S+)", text):
        check(f"{script.name}: stage {stage} is drawn", re.search(rf'\["stage {stage}[" ]', mermaid.stdout), mermaid.stdout)
    check(f"{script.name}: Mermaid has each bracket of a text escaped", not re.search(r'"[^"\n]*[<>;&][^"\n]*"', re.sub(r"#\d+;|<br/>", "", mermaid.stdout)))

without = graph(scripts[0], "svg", environment={"PATH": "/nonexistent"})
check("without dot it is said what is missing", without.returncode == 2 and "install graphviz" in without.stderr and not without.stdout, without.stderr)

if shutil.which("dot"):
    for script in scripts:
        svg = graph(script, "svg")
        check(f"{script.name} as SVG", svg.returncode == 0, svg.stderr)
        drawn = html.unescape("".join(xml.fromstring(svg.stdout).itertext()))
        for stage in re.findall(r"(?m)^stage (\S+)", script.read_text()):
            check(f"{script.name}: stage {stage} is in the picture", f"stage {stage}" in drawn)
    hostile = 'stage staging < notify ops "\\" ]; } <b>&amp;</b> \\\\ -> n0"; > on failure undo;\n'
    done = graph("-", "svg", input=hostile)
    check("signs of dot and HTML in a text stay text", done.returncode == 0 and "<b>&amp;</b>" in "".join(xml.fromstring(done.stdout).itertext()), done.stdout + done.stderr)
finish(skipped="" if shutil.which("dot") else "no dot")
