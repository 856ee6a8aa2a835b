#!/usr/bin/env python3
"""No type is defined twice under one name in the product: two layouts of one name are undefined behaviour that no linker tells.
Types in anonymous namespaces and in functions are their file's own.

    one_definition.py [FOLDER]   scans FOLDER in place of compiler, runtime and cli"""
import collections, pathlib, re, sys, tempfile

from harness import SOURCE, check, finish

# What is no code: comments, raw strings, strings, characters (but not the ' of 1'000), lines for the preprocessor.
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|(?<!\w)\'(?:[^\'\\\n]|\\.)+\'|^[ \t]*#(?:[^\n\\]|\\\n|\\.)*', re.S | re.M)
# What opens a scope or closes it, what names one, and what ends a head that has opened none.
TOKEN = re.compile(r"[{};]|\btemplate\s*<|\bnamespace\s+(?P<space>[\w:]*)|\b(?:enum|class|struct|union)\s+(?:class\s+|struct\s+|\[\[[^\]]*\]\]\s*|alignas\([^)]*\)\s*)*"
                   r"(?P<type>[\w:]+(?:<[^{};]*>)?)(?P<defined>(?:\s+final)?\s*(?::[^:{};][^{};]*)?\{)?")
ANONYMOUS = "(anonymous)"


def after_angles(text, at):
    """The place behind the > of a < that has been read."""
    depth = 1
    while depth and at < len(text):
        depth += {"<": 1, ">": -1}.get(text[at], 0)
        at += 1
    return at


def definitions(text):
    """[(qualified name, line)] of the types that are defined in a file, but for those in anonymous namespaces and functions."""
    text = NOISE.sub(lambda m: "\n" * m.group().count("\n") or " ", text)
    found, scopes, head, at = [], [], ANONYMOUS, 0
    while m := TOKEN.search(text, at):
        at = after_angles(text, m.end()) if m.group().startswith("template") else m.end()
        if m.group("space") is not None:
            head = m.group("space") or ANONYMOUS
        elif m.group("defined"):
            if ANONYMOUS not in scopes:
                found.append(("::".join([*scopes, m.group("type")]), text.count("\n", 0, m.start("type")) + 1))
            scopes.append(m.group("type"))
        elif m.group() == "{":
            scopes.append(head)  # that of a function, a value, a lambda has no name
        elif m.group() == "}":
            del scopes[-1:]
        if m.group() in "{};":
            head = ANONYMOUS
    return found


def twice(folders):
    """{name: [file:line, ..]} of those that are defined more than once."""
    places = collections.defaultdict(list)
    for folder in folders:
        for file in sorted([*folder.rglob("*.hpp"), *folder.rglob("*.cpp")]):
            for name, line in definitions(file.read_text()):
                places[name].append(f"{file}:{line}")
    return {name: where for name, where in places.items() if len(where) > 1}


def own():
    """What the scan finds, and what it does not take for a definition."""
    first = """#define TWICE struct Macro { int a; };
    namespace a::b { struct Plain { int x = 1'000; }; class Outer { enum class Kind : int { One }; struct Inner final : Base<int> { char c = '{'; }; };
    struct Declared; enum Old { Eins }; template <class T> struct Box { T t; }; template <> struct Box<int> { int i; };
    namespace { struct Hidden {}; } void f(struct Plain p) { struct Local {}; } auto g = [] { struct Local {}; }; struct alignas(8) [[nodiscard]] Odd {}; }
    struct Global {}; union Both { int i; }; // struct Comment {};
    const char* s = "struct String {"; const char* r = R"(struct Raw { " )"; /* struct Long { */ using Alias = struct Plain*; """
    names = {"a::b::Plain", "a::b::Outer", "a::b::Outer::Kind", "a::b::Outer::Inner", "a::b::Old", "a::b::Box", "a::b::Box<int>", "a::b::Odd", "Global", "Both"}
    check("the scan knows a definition", {name for name, _ in definitions(first)} == names, definitions(first))
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        (folder / "one.hpp").write_text(first)
        (folder / "two.cpp").write_text("namespace a {\nnamespace b {\nstruct Outer { enum class Kind { Two }; };\nstruct Declared {};\nnamespace { struct Hidden { int other; }; }\n}\nstruct Plain {};\n}\n")
        found = twice([folder])
    check("and finds what is planted", set(found) == {"a::b::Outer", "a::b::Outer::Kind"} and found["a::b::Outer::Kind"][1].endswith("two.cpp:3"), found)


own()
folders = [pathlib.Path(f) for f in sys.argv[1:]] or [SOURCE / top for top in ("compiler", "runtime", "cli")]
everything = sum(len(definitions(f.read_text())) for folder in folders for f in folder.rglob("*.hpp"))
found = twice(folders)
check(f"each of {everything} types of headers is defined once", everything and not found, "\n".join(f"{name}: {', '.join(where)}" for name, where in found.items()))
finish()
