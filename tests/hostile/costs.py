#!/usr/bin/env python3
"""Small inputs that ask for much: whatever a repository holds, every command that only looks has an answer, computes no longer than
a check of a plain script of 20,000 lines would take ten times, stays within 500 MB, and ends by itself. What a machine does in a
second, and what else it does meanwhile, is no matter: the check is measured in the same run, and again before anything is called slow.

    MIGC=build/cli/migc costs.py [NAME..]"""
import json, resource, sys

from room import SANITIZED, Room, check, finish, skip

if SANITIZED:
    skip("the address sanitizer's own memory is beyond the limit that is tested")

TIMES = 10
MEGABYTES = 500
EMPTY = "stage staging < scale webapi to 4; verify replicas of webapi is 4; > on failure undo;\n"


def stage(body):
    return f"stage staging < {body} scale webapi to 4; verify replicas of webapi is 4; > on failure undo;\n"


def doubling(first, line, count):
    return stage(first + " ".join(line.format(i, i - 1) for i in range(1, count)))


def nested(count):
    return "".join(f"for a{i} in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] < " for i in range(count)) + "scale webapi to 4; " + "> " * count


def both_full(depth):
    return "scale webapi to 4; " if depth == 0 else f"if replicas of webapi is {depth} < {both_full(depth - 1)}> else < {both_full(depth - 1)}> "


INPUTS = {
    # What grows with each line.
    "texts": doubling('let a0 = "0123456789abcdef";', 'let a{0} = "${{a{1}}}${{a{1}}}";', 40),
    "texts of all": 'let a0 = "0123456789abcdef";\n' + "".join(f'let a{i} = "${{a{i - 1}}}${{a{i - 1}}}";\n' for i in range(1, 40)) + stage('notify ops a39;'),
    "lists": doubling("let a0 = [1, 2];", "let a{0} = [a{1}, a{1}];", 40),
    "sums": doubling("let a0 = 2;", "let a{0} = a{1} + a{1};", 200),
    "products": doubling("let a0 = 2;", "let a{0} = a{1} * a{1};", 200),
    "names of resources": stage('let a0 = "web"; ' + " ".join(f'let a{i} = "${{a{i - 1}}}${{a{i - 1}}}";' for i in range(1, 40)) + ' scale a39 to 4;'),
    # What is done many times.
    "rounds in rounds": stage(nested(6)),
    "rounds in rounds, many": stage(nested(9)),
    "rounds in rounds, deep": stage(nested(60)),
    "a list of many": stage("for a in [" + ", ".join(str(i) for i in range(5000)) + "] < scale webapi to a; >"),
    "many parallel": stage("parallel < " + "scale webapi to 4; " * 300 + "> "),
    "many ifs": stage("".join(f'if "a" is "b" < ' for _ in range(300)) + "scale webapi to 4; " + "> " * 300),
    "ifs one after the other": stage("".join(f"if replicas of webapi is {i} < scale webapi to {i}; > else < scale webapi to {i + 1}; > " for i in range(60))),
    # What calls itself.
    "a verb in itself": "verb go far < go far; undo none because \"x\"; >\n" + stage("go far;"),
    "verbs in each other": "verb go far < go on; go on; undo none because \"x\"; >\nverb go on < go far; go far; undo none because \"x\"; >\n" + stage("go far;"),
    "verbs that double": "".join(f'verb step{i} now < step{i + 1} now; step{i + 1} now; >\n' for i in range(40)) + 'verb step40 now < scale webapi to 4; >\n' + stage("step0 now;"),
    "probes in each other": "probe one of it: int is two of it;\nprobe two of it: int is one of it;\n" + stage("verify one of it is 4;"),
    "probes that double": "".join(f'probe level{i} of it: int < computed level{i + 1} of it + level{i + 1} of it; >\n' for i in range(40)) + stage("verify level0 of it is 4;"),
    "stages that repeat each other": "stage a repeats b;\nstage b repeats a;\n",
    # What is deep.
    "parentheses": stage("let a = " + "(" * 20000 + "1" + ")" * 20000 + ";"),
    "open parentheses": stage("let a = " + "(" * 50000),
    "brackets": stage("let a = " + "[" * 20000 + "]" * 20000 + ";"),
    "blocks": "stage staging " + "< " * 50000,
    "nots": stage("verify " + "not " * 20000 + "replicas of webapi is 4;"),
    "minus": stage("let a = 1" + " - 1" * 30000 + ";"),
    "and": stage("verify " + "replicas of webapi is 4 and " * 10000 + "replicas of webapi is 4;"),
    # What is long or many.
    "one line": stage("let a = \"" + "x" * 4_000_000 + "\";"),
    "no script at all": "\x00\xff" * 500_000,
    "a line of signs": "<>;(){}[]\"${`'" * 70_000,
    "unknown phrases": stage(" ".join(f"scael webapi{i} ot {i};" for i in range(20000))),
    "unknown phrases, long": stage(" ".join("scael " + "webapi " * 100 + ";" for i in range(2000))),
    "unknown names": stage(" ".join(f"let name{i} = {i};" for i in range(5000)) + " ".join(f"scale webapi to nmae{i};" for i in range(5000))),
    "unknown types": "".join(f"verb do{i} it (a: strnig{i}) < scale webapi to 4; >\n" for i in range(3000)) + EMPTY,
    "own verbs and unknown ones": "".join(f'verb make{i} (a: int) of thing < do kubectl ["x"]; undo none because "x"; >\n' for i in range(3000)) + stage(" ".join(f"maek{i} 4 fo thing;" for i in range(3000))),
    "verbs alike": "".join(f'verb make (a: int) {"of " * 1}thing{i} < do kubectl ["x"]; undo none because "x"; >\n' for i in range(3000)) + stage(" ".join("make 4 of thing1;" for i in range(1000))),
    "parallel that can be told apart": stage("parallel < " + "".join(f"scale w{i} to 4; " for i in range(40)) + "> "),
    "ifs with both branches full": stage(both_full(14)),
    "words that fit everywhere": 'verb a [b] [c] [d] [e] [f] [g] [h] [i] [j] [k] (x: any) (y: any) (z: any) < do kubectl ["x"]; undo none because "x"; >\n' + stage("a " + "b " * 200 + ";"),
    "labels": stage(" ".join(f'scale webapi{i} to 4;' for i in range(200))),
    "the same finding": stage("scale webapi to 4; " * 2000),
    "a number": stage("let a = " + "9" * 1_000_000 + ";"),
    "a duration": stage("wait " + "9" * 100_000 + "h;"),
    "comments": "# x\n" * 500_000 + EMPTY,
    "expressions": stage('verify replicas of webapi matches "' + "(a*)*" * 500 + 'b";'),
    "a huge expression": stage('verify "' + "a" * 10000 + '" matches "' + "(a?){1000}" * 30 + '";'),
    "params": "".join(f"param p{i}: int = {i};\n" for i in range(20000)) + EMPTY,
    "uses": 'use "a.mig";\n' * 5000 + EMPTY,
    "allowed": "".join(f"# migc: allow R00{i % 10} because x\n" for i in range(50000)) + EMPTY,
    "interpolation": stage('let a = "' + "${environment}" * 10000 + '";'),
}
# For commands that only look at the script itself.
SCRIPTS = {"parallel, many that can be told apart": stage("parallel < " + "".join(f"scale w{i} to 4; " for i in range(3000)) + "> ")}
YAML = {
    "aliases": "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60)),
    "merges": "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60)),
    "deep": "a: " + "[" * 100_000,
    "deep maps": "".join(" " * i + "a:\n" for i in range(2000)),
    "unknown keys": "environments:\n" + "".join(f"  enviroment{i}: {{ contxt: x }}\n" for i in range(5000)),
    "many environments": "order: [" + ", ".join(f"e{i}" for i in range(5000)) + "]\nenvironments:\n" + "".join(f"  f{i}: {{}}\n" for i in range(5000)),
    "workloads": "workloads:\n" + "".join(f"  w{i}: deployment/w{i}\n" for i in range(20000)),
    "one long line": "workloads: { " + "a" * 4_000_000 + ": deployment/a }\n",
}


def commands():
    yield ["check", "a.mig"]
    yield ["check", "."]
    yield ["check", "--json", "a.mig"]
    yield ["check", "--fix", "--dry-run", "a.mig"]
    yield ["fmt", "--check", "a.mig"]
    yield ["prove", "a.mig"]
    yield ["graph", "a.mig"]
    yield ["diff", "a.mig", "b.mig"]
    yield ["plan", "--digest", "a.mig"]
    yield ["plan", "a.mig", "--world", "learning"]


def session(text):
    uri = "untitled:a.mig"

    def message(method, params, number=None):
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **({} if number is None else {"id": number})}).encode()
        return b"Content-Length: %d\r\n\r\n" % len(body) + body
    return b"".join([
        message("initialize", {"capabilities": {}, "rootUri": None}, 1), message("initialized", {}),
        message("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "mig", "version": 1, "text": text}}),
        message("textDocument/completion", {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 30}}, 2),
        message("textDocument/documentSymbol", {"textDocument": {"uri": uri}}, 3),
        message("shutdown", None, 4), message("exit", None)])


def computed(room, *words, **more):
    """What migc answered, and how many seconds it computed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = room.migc(*words, timeout=600, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plain_check():
    room = Room()
    try:
        room.write("a.mig", stage("\n".join(f"verify replicas of webapi{i} is 4;" for i in range(20_000))))
        return computed(room, "check", "a.mig")[1]
    finally:
        room.remove()


plain = plain_check()


def limited():
    hard = max(60, int(4 * TIMES * plain))
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard + 1))
    resource.setrlimit(resource.RLIMIT_AS, ((MEGABYTES + 200) << 20, (MEGABYTES + 200) << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def try_it(room, what, words, stdin=None):
    global plain
    done, seconds = computed(room, *words, stdin=stdin, before=limited)
    if seconds > TIMES * plain:
        plain = plain_check()
        done, seconds = computed(room, *words, stdin=stdin, before=limited)
    says_why = done.returncode in (0, 1, 2, 3, 5) and "std::bad_alloc" not in done.text and "out of memory" not in done.text
    check(f"{what}: {' '.join(words)}", says_why and seconds <= TIMES * plain,
          f"exit code {done.returncode}, {seconds:.1f} s; the plain check {plain:.1f} s\n{done.text[-600:]}")
    if words[0] in ("check", "prove") and not {"--json", "--fix"} & {*words}:
        check(f"{what}: {' '.join(words)}: what is printed can be read", len(done.stdout) < 1_000_000, f"{len(done.stdout)} bytes")
    if seconds > 3 * plain:
        print(f"     {seconds / plain:.1f} times the plain check")


def everything(name, text, yaml=None):
    room = Room()
    try:
        (room.folder / "a.mig").write_bytes(text.encode("utf-8", "surrogateescape") if "\x00\xff" not in text else b"\x00\xff" * 500_000)
        room.write("b.mig", EMPTY)
        if yaml is not None:
            room.write("migc.yaml", yaml)
        for words in commands():
            try_it(room, name, words)
        if "\x00" not in text:
            try_it(room, name, ["lsp"], stdin=session(text))
    finally:
        room.remove()


def script_alone(name, text):
    room = Room()
    try:
        room.write("a.mig", text)
        for words in (["check", "a.mig"], ["check", "--prove", "a.mig"], ["prove", "a.mig"], ["prove", "a.mig", "--others"], ["plan", "--digest", "a.mig"]):
            try_it(room, name, words)
    finally:
        room.remove()


def used_files():
    """Files that use each other, and a manifest that is named a thousand times."""
    room = Room()
    try:
        for i in range(40):
            room.write(f"f{i}.mig", "".join(f'use "f{k}.mig";\n' for k in range(40)) + f'verb act{i} now < scale webapi to 4; >\n')
        room.write("a.mig", 'use "f0.mig";\n' + EMPTY)
        room.write("b.mig", EMPTY)
        for words in commands():
            try_it(room, "files that use each other", words)
        for name, text in YAML.items():
            room.write("m.yaml", "kind: Deployment\nmetadata: {name: webapi}\n" + text)
            room.write("a.mig", stage('apply "m.yaml"; ' * 20))
            for words in (["check", "a.mig"], ["plan", "--digest", "a.mig"], ["plan", "a.mig", "--world", "learning"], ["prove", "a.mig"]):
                try_it(room, f"a manifest with {name}", words)
    finally:
        room.remove()


wanted = sys.argv[1:]
for name, text in INPUTS.items():
    if not wanted or name in wanted:
        everything(name, text)
for name, text in SCRIPTS.items():
    if not wanted or name in wanted:
        script_alone(name, text)
for name, yaml in YAML.items():
    if not wanted or f"yaml {name}" in wanted:
        everything(f"yaml {name}", EMPTY, yaml)
if not wanted or "used" in wanted:
    used_files()
finish()
