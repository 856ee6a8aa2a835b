#!/usr/bin/env python3
"""Every relative link of a Markdown page leads to a file that is there, and its anchor to a heading of that page."""
import pathlib, re, sys

root, failed = pathlib.Path(__file__).resolve().parents[2], []


def pages():
    skipped = {"node_modules"}
    for path in sorted(root.rglob("*.md")):
        parts = path.relative_to(root).parts
        if not any(part.startswith((".", "build")) or part in skipped for part in parts):
            yield path


def prose(path):
    """A page without its code, in which brackets are no links."""
    text = re.sub(r"^( *)```[\s\S]*?^\1```", "", path.read_text(), flags=re.MULTILINE)
    return re.sub(r"^ {4,}.*$", "", text, flags=re.MULTILINE)


def anchors(path):
    """As GitHub makes them of headings: small letters, blanks as hyphens, nothing else; the second of a name ends in -1."""
    found = {}
    for heading in re.findall(r"^#+ +(.*?) *$", prose(path), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        count = found.get(name, 0)
        found[name] = count + 1
        yield f"{name}-{count}" if count else name


count = 0
for page in pages():
    for target in re.findall(r"\[[^]]*\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(page))):
        if re.match(r"\w+:", target):
            continue
        count += 1
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            failed.append(f"{page.relative_to(root)}: {target} leads to nothing")
        elif anchor and anchor not in anchors(file):
            failed.append(f"{page.relative_to(root)}: {target}: no such heading")
print("\n".join(f"FAIL {one}" for one in failed))
print(f"links: {count} looked at, {len(failed)} failed")
sys.exit(1 if failed else 0)
