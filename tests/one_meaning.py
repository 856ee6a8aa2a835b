#!/usr/bin/env python3
"""Counts the places that know a meaning by a name: what a step does, and how it ended, is to be asked of a type, never of a text.

    one_meaning.py [--show]

Counted are string literals of compiler/, runtime/ and cli/, wherever they stand: compared, searched for, in a table, in a constant, in
a regular expression. What is searched is C++ without its comments; a literal that is part of a longer text is none of these.

  phrases     the words with which a declaration of stdlib/ begins, or all of them up to its first parameter: at least one word and
              what follows it, as "scale ", "set image", "apply object "; a single word only of a verb, and with its space behind it
  natives     the name of a native that stdlib/ calls ("pods-ready"), but for the row that registers it (`reads("..", f)`, `does`, `writes`, `edits`)
  parameters  the name of a parameter of stdlib/ that has a hyphen ("header-file"), or "handle", "target", "file" beside `name ==`
  prose       a literal of letters with a blank in it that a text is searched for (`find`, `rfind`, `starts_with`, `ends_with`, `contains`),
              or a constant with one: what is searched are sentences of our own, but for what the files in OUTSIDE read
  results     a word for how a step, a stage or a run ended, but for the codecs in EDGES
EDGES are the files whose one work it is to write such a word down, or to read it. The numbers may only fall: LIMITS holds what there
is now, and the test fails where there is more, and where there is less and LIMITS was not lowered. The goal is 0 of each."""
import collections, pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIMITS = {"phrases": 0, "natives": 0, "parameters": 0, "prose": 9, "results": 1}
RESULTS = {"done", "undone", "held", "undo-failed", "in-doubt", "refused", "failed", "unfinished", "already", "skipped", "held: ", "in doubt"}
EDGES = {
    "compiler/semantics/outcome.cpp",  # of events, and of the journal's table of runs
    "runtime/journal/event.cpp",       # a person's verdict, as an event has it
    "compiler/project/inventory.cpp",  # `on: [start, in-doubt, done]` of migc.yaml
    "runtime/plan/json.cpp",           # of plans, where "already" is a key
}
# Of programs that are not ours, or of a form that somebody else defines, there is nothing but the text.
OUTSIDE = {
    "compiler/semantics/window.cpp": "windows and times, as people write them",
    "compiler/project/git_index.cpp": "git's file .git",
    "compiler/sema/types.cpp": "types, as a script writes them",
    "runtime/journal/tracked.cpp": "git's file .git",
    "runtime/natives/backup.cpp": "tar",
    "runtime/natives/drain.cpp": "kubectl drain",
    "runtime/natives/git.cpp": "pointers of Git LFS",
    "runtime/natives/http_request.cpp": "curl",
    "runtime/natives/inside.cpp": "kubectl run",
    "runtime/natives/pod_command.cpp": "kubectl exec",
    "runtime/natives/pod_files.cpp": "tar in a pod",
    "runtime/natives/registry.cpp": "docker, and registries",
    "runtime/natives/short_pod.cpp": "kubectl run",
    "runtime/natives/terraform_apply.cpp": "terraform apply",
    "runtime/natives/terraform_tool.cpp": "terraform",
    "runtime/natives/usage.cpp": "kubectl top",
    "runtime/inspect/environment.cpp": "kubectl get",
    "runtime/tools/error_text.cpp": "kubectl and git",
    "runtime/trust/local_witness.cpp": "the first lines of a note",
    "cli/text_commands.cpp": "types, as stdlib/ writes them",
    "runtime/world/kubectl_logs.cpp": "kubectl, as it is simulated",
    "runtime/world/interference.cpp": "what stands behind --interfere",
}
SEARCHED = re.compile(r"\b(?:r?find|starts_with|ends_with|contains)\(\s*$")
CONSTANT = re.compile(r"\bconstexpr [\w: ]+[* ](\w+)(?:\[\])?\s*=\s*$")
REGISTERED = re.compile(r'\b(?:reads|does|writes|edits)\(\s*$')

DECLARED = re.compile(r"^(verb|probe)\s+(.*)$", re.M)
LITERAL = re.compile(r'R"(\w*)\((?P<raw>.*?)\)\1"|"(?P<plain>(?:[^"\\\n]|\\.)*)"|\'(?:[^\'\\\n]|\\.)+\'|//[^\n]*|/\*.*?\*/', re.S)


def beginnings():
    found = set()
    for path in (ROOT / "stdlib").glob("*.mig"):
        for kind, head in DECLARED.findall(path.read_text()):
            words = re.split(r"[(\[:<]", head)[0].split()
            for end in range(2, len(words) + 1):
                found |= {" ".join(words[:end]), " ".join(words[:end]) + " "}
            if kind == "verb" and words:
                found.add(words[0] + " ")
    return found


def natives():
    return {name for path in (ROOT / "stdlib").glob("*.mig") for name in re.findall(r"\bnative\s+([a-z][a-z0-9-]*)", path.read_text())}


def parameters():
    names = {name for path in (ROOT / "stdlib").glob("*.mig") for _, head in DECLARED.findall(path.read_text()) for name in re.findall(r"\(([a-z][a-z0-9-]*):", head)}
    return {name for name in names if "-" in name} | {"handle"}


def literals(path):
    text = path.read_text()
    for match in LITERAL.finditer(text):
        value = match["raw"] if match["raw"] is not None else match["plain"]
        if value is not None:
            yield value, text[max(0, match.start() - 60):match.start()], text.count("\n", 0, match.start()) + 1


def is_prose(text):
    return " " in text and re.search(r"[A-Za-z]{2,}", text) is not None


# A constant of a header is searched for in other files, too.
def searched_constants(paths):
    known = {(name[1], path if path.suffix == ".cpp" else None)
             for path in paths for value, before, _ in literals(path) if is_prose(value) and (name := CONSTANT.search(before))}
    for path in paths:
        for match in re.finditer(r"\b(?:r?find|starts_with|ends_with|contains)\((?:\w+::)*(\w+)[,)]", path.read_text()):
            if known & {(match[1], path), (match[1], None)}:
                yield str(path.relative_to(ROOT)), path.read_text().count("\n", 0, match.start()) + 1, match[1]


def count():
    phrases, calls, names, found = beginnings(), natives(), parameters(), collections.defaultdict(list)
    paths = [path for folder in ("compiler", "runtime", "cli") for path in sorted((ROOT / folder).rglob("*.[ch]pp"))]
    for path in paths:
        file = str(path.relative_to(ROOT))
        for value, before, line in literals(path):
            if is_prose(value) and SEARCHED.search(before) and file not in OUTSIDE:
                found["prose"].append(f"{file}:{line}: \"{value}\"")
            # Alternatives of a regular expression are as many literals.
            for part in re.split(r"[|^$()]+", value) if re.search(r"[|^]", value) else [value]:
                kind = ("natives" if part in calls and not REGISTERED.search(before) else
                        "phrases" if part in phrases or part.split(" (")[0] in phrases and ": " in part else
                        "parameters" if part in names else
                        "results" if part in RESULTS and file not in EDGES else None)
                if kind:
                    found[kind].append(f"{file}:{line}: \"{value}\"")
    found["prose"] += [f"{file}:{line}: {name}" for file, line, name in searched_constants(paths) if file not in OUTSIDE]
    return found


# A role without a declaration in stdlib/ is untried, and one that nobody asks for says nothing.
def idle_roles():
    library = "".join(path.read_text() for path in (ROOT / "stdlib").glob("*.mig"))
    code = "".join(path.read_text() for folder in ("compiler", "runtime") for path in (ROOT / folder).rglob("*.cpp"))
    for name, form in re.findall(r'^MIGC_ROLE\((\w+), \w+, "([^"]+)"', (ROOT / "compiler/ir/roles.def").read_text(), re.M):
        written = r"\brole " + r"\s+".join(r"(?:\([^)]*\)|\[[^\]]*\]|\S+)" if word == "_" else re.escape(word) for word in form.split()) + ";"
        if not re.search(written, library):
            yield f"no declaration of stdlib/ has the role {name}"
        if f"Role::{name}" not in code:
            yield f"nobody asks for the role {name}"


found, failed = count(), False
for kind, limit in LIMITS.items():
    number = len(found[kind])
    print(f"{kind:<12}{number:4d}   at most {limit}")
    if "--show" in sys.argv:
        print("".join(f"    {one}\n" for one in found[kind]), end="")
    failed |= number != limit
if failed:
    print("LIMITS in tests/one_meaning.py are not these numbers: with more, ask a type instead; with fewer, lower them")
for problem in idle_roles():
    print(problem)
    failed = True
sys.exit(failed)
