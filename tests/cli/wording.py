#!/usr/bin/env python3
"""Messages and documentation are written in plain English: no "a environment", no "the the", no private words.

    wording.py [--list CATEGORY]     --list: every place of a category

Read are the message templates of the code (string literals of codes.def, and those literals of compiler/, runtime/ and cli/
that a person may see) and all documentation. A limit can only fall: whoever brings a number down, writes it down here."""
import pathlib, re, sys

root = pathlib.Path(__file__).resolve().parents[2]

# Category: what is looked for, the most places in messages, and in documentation.
WORDS = {
    "article": (None, 0, 0),
    "article of something unknown": (r"\b[Aa]n? \{\}", 8, 0),
    "doubled": (r"\b(?!that\b|had\b|plan\b|approval\b)([a-z]+) \1\b", 0, 0),
    "way back": (r"\bways? back\b", 1, 0),
    "cut off": (r"\bcut off\b", 3, 0),
    "sheet": (r"\bsheets?\b", 1, 0),
    "go on with": (r"\b(go|goes|going|gone|went) on with\b", 0, 0),
    "story, hole": (r"\b(stories|story|holes?)\b", 0, 1),
    "hopeless, gentle": (r"\b(hopeless(ly)?|gentle|gently|lent|planted|silenced)\b", 0, 0),
    "told": (r"\b(is|are|was|were) told\b", 1, 0),
    "stands against": (r"\bstands? against\b", 0, 0),
    "mends": (r"\bmend(s|ed)?\b", 0, 0),
}
# Before these an article is as they are spoken, not as they are written.
SPOKEN_WITH_A = re.compile(r"(u(ni|s[aeu]|rl|id\b)|eu|one|once)", re.I)
SPOKEN_WITH_AN = re.compile(r"(hour|honest|heir|http|html|mtls|ssh|[fhlmnrsx]\b)", re.I)
LITERAL = re.compile(r'(?:u8)?R"\(([\s\S]*?)\)"|"((?:[^"\\\n]|\\.)*)"')


def literals(text):
    """What a person may see: string literals with a blank, and those that stand behind one another as one text."""
    text = re.sub(r"^[ \t]*(//.*|#include.*)$", "", text, flags=re.MULTILINE)
    place, words = None, ""
    for match in LITERAL.finditer(text):
        if place is not None and re.fullmatch(r"\s*", text[end:match.start()]):
            words += match.group(1) or match.group(2) or ""
        else:
            if place is not None:
                yield place, words
            place, words = text.count("\n", 0, match.start()) + 1, match.group(1) or match.group(2) or ""
        end = match.end()
    if place is not None:
        yield place, words


def messages():
    for folder in ("compiler", "runtime", "cli"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".def"):
                for line, text in literals(path.read_text()):
                    if " " in text:
                        yield f"{path.relative_to(root)}:{line}", text.replace("\\n", " ")


def documentation():
    """Pages without their code, and in place of the generated ones what the library says of its declarations."""
    generated = {root / "CHANGELOG.md", root / "docs/reference/verbs.md", root / "docs/reference/checks.md"}
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), root / "bench/README.md"]
    for path in sorted(set(pages) - generated):
        text = re.sub(r"^( *)```[\s\S]*?^\1```", lambda m: "\n" * m.group(0).count("\n"), path.read_text(), flags=re.MULTILINE)
        for number, line in enumerate(text.splitlines(), 1):
            if not line.startswith("    "):
                yield f"{path.relative_to(root)}:{number}", re.sub(r"`[^`]*`", "`", line)
    for path in sorted((root / "stdlib").rglob("*.mig")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("##"):
                yield f"{path.relative_to(root)}:{number}", re.sub(r"`[^`]*`", "`", line)


def wrong_articles(text):
    """`a environment`, `an run`; what a placeholder stands for nobody knows here."""
    for article, word in re.findall(r"(?<![\w'.-])([Aa]n?) ([A-Za-z][\w-]*)", text):
        vowel = word[0] in "aeiouAEIOU"
        if article.lower() == "a" and vowel and not SPOKEN_WITH_A.match(word):
            yield f"{article} {word}"
        if article.lower() == "an" and not vowel and not SPOKEN_WITH_AN.match(word):
            yield f"{article} {word}"


def found(category, places):
    pattern = WORDS[category][0]
    for place, text in places:
        hits = wrong_articles(text) if category == "article" else (m.group(0) for m in re.finditer(pattern, text, re.I))
        for hit in hits:
            yield f"{place}: {hit}: {text.strip()[:140]}"


texts, failed = {"messages": list(messages()), "documentation": list(documentation())}, 0
for category, (_, *limits) in WORDS.items():
    for (kind, places), limit in zip(texts.items(), limits):
        hits = list(found(category, places))
        if "--list" in sys.argv:
            if sys.argv[-1] in (category, "all"):
                print("\n".join(hits))
        elif len(hits) > limit:
            failed += 1
            print(f"FAIL {category} in {kind}: {len(hits)}, the limit is {limit}\n" + "\n".join(hits))
        elif len(hits) < limit:
            print(f"{category} in {kind}: only {len(hits)} are left; lower the limit from {limit}")
print(f"wording: {sum(map(len, texts.values()))} texts, {failed} failed")
sys.exit(1 if failed else 0)
