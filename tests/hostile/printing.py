#!/usr/bin/env python3
"""What migc prints of names and texts that somebody else chose: nothing a terminal, a CI's log or a renderer would act on.

    MIGC=build/cli/migc printing.py"""
import json, re

from room import check, finish, in_rooms, sources_with

EVIL = {
    "command": "::stop-commands::x",
    "newline": "ok\n::stop-commands::x",
    "spaces": "\u00a0 ::add-mask::x",
    "azure": "##vso[task.setvariable variable=x]",
    "old": "##[add-path]x",
    "escape": "\x1b]0;owned\x07\x1b[2Jx",
    "bidi": "\u202egnp.\u2066x",
    "c1": "\u009b2Jx",
    "return": "\r\x1b[0Ksection_start:1:x",
    "bytes": "\udcff\udc9bx",
    "fillers": "a\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180e\u2800\u3164\uffa0\ufff0\ufff9\ufffbx",
    "zero": "a" + "".join(map(chr, (*range(0x200b, 0x2010), *range(0x2060, 0x2065), 0x206a, 0x206f, 0xfeff))) + "x",
    "variations": "a\ufe00\ufe0f\U000e0100\U000e01efx",
    "tags": "a" + "".join(map(chr, range(0xe0020, 0xe0080, 9))) + "\U000e0001x",
    "music": "a\U0001d159\U0001d173\U0001d17a\U0001bca0\U00013430x",
    "private": "a\ue000\uf8ff\U000f0000\U0010fffdx",
}
SOUND = "stage staging < scale webapi to 4; verify replicas of webapi is 4; > on failure undo;\n"
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb\ue000-\uf8ff"
                       "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]")


def acted_on(text):
    """What in an output would be acted on; empty if nothing."""
    found = [repr(m.group()) for m in INVISIBLE.finditer(text)]
    for line in text.split("\n"):
        if line.strip().startswith("::") and not line.strip().startswith("::: ") and not re.match(r"::(error|warning|notice) (file=[^:,]*,)?(line|title|endLine)", line.strip()):
            found.append(line)
        if re.search(r"##(vso|teamcity)?\[", line):
            found.append(line)
    return found


def dead(what, done):
    try:
        done.stdout.decode()
    except UnicodeDecodeError:
        check(what, False, done.stdout)
        return
    check(what, acted_on(done.text) == [], f"{acted_on(done.text)}\n{done.text}")


def names(room):
    for kind, name in EVIL.items():
        folder = room.folder / kind
        folder.mkdir()
        file = name.replace("/", "_") + ".mig"
        (folder / file).write_text(SOUND)
        (folder / ("bad" + file)).write_text("stage staging < scale webapi to 4; verify replicas of webapi is 4;   >\nwrong")
        (folder / ("untidy" + file)).write_text(SOUND.replace(" <", "   <"))
        empty = folder / name
        empty.mkdir()
        room.hand_over()
        for words in (["check", "."], ["check", file], ["check", name], ["check", "bad" + file], ["check", "--json", "."], ["check", "--format", "github", "."],
                      ["check", "--format", "gitlab", "."], ["check", "--format", "sarif", "."], ["check", "--fix", "--dry-run", "."],
                      ["fmt", "--check", file, "bad" + file, "untidy" + file], ["fmt", name], ["ir", file], ["ir", "--digest", file, file], ["explain", name],
                      ["explain", file], ["verbs", name], ["diff", file, "bad" + file], ["graph", file], ["graph", "bad" + file], ["prove", file], ["prove", name],
                      ["plan", file, "--world", "learning"], ["plan", name, "--world", name], ["plan", file, "--world", "learning", "--json"],
                      ["plan", file, "--world", "learning", "--markdown"], ["run", file, "--world", "learning"], ["run", file, "--world", "learning", "--json"],
                      ["run", file, "--world", "learning", "--state", name + "/no/state"], ["run", file, "--plan", name], ["run", file, "--set", name], ["run", file, "--stage", name],
                      ["drill", file], ["runs"], ["show", "last"], ["show", name], ["undo", name], ["status", name], ["sheet", "last"], ["unlock", name, "--because", name],
                      ["approve", name, "--as", "kim"], ["evidence", "export", name, "--stage", name, "--as", name], [name], ["check"], ["check", "--" + name],
                      ["check", file, "--baseline", file], ["check", file, "--write-baseline", name], ["doctor", name, "--world", "learning"]):
            dead(f"{kind}: {' '.join(w if w.isprintable() and w.isascii() else ascii(w) for w in words)}", room.migc(*words, cwd=folder))


def baselines(room):
    room.write("a.mig", SOUND)
    for kind, text in EVIL.items():
        if kind == "bytes":
            continue
        entry = {"code": "R001", "file": "a.mig" if kind != "newline" else text, "fingerprint": "0" * 64, "message": text, "reason": text}
        for body in ({"migc-baseline": 1, "findings": [entry]}, {"version": 1, "findings": [entry]}, [entry]):
            room.write("base.json", json.dumps(body))
            room.hand_over()
            dead(f"baseline with {kind}", room.migc("check", "a.mig", "--baseline", "base.json"))
    done = room.migc("check", "a.mig", "--write-baseline", "made.json")
    made = json.loads(room.read("made.json")) if (room.folder / "made.json").exists() else None
    print("a baseline looks like", str(made)[:200])


def texts(room):
    """Texts within scripts and migc.yaml, in each form in which they come out."""
    for kind, text in EVIL.items():
        if kind == "bytes":
            continue
        quoted = json.dumps(text, ensure_ascii=False)
        room.write("a.mig", f'migration {quoted} < purpose {quoted}; >\nstage staging < scale webapi to 4; verify replicas of webapi is 4; say {quoted} in ops; > on failure undo;\n')
        room.write("migc.yaml", f"order: [staging]\nenvironments:\n  staging: {{ context: {quoted}, namespace: {quoted} }}\nfreezes:\n  - {{ from: {quoted}, to: {quoted}, zone: {quoted}, why: {quoted} }}\n{quoted}: 1\n")
        room.hand_over()
        for words in (["check", "a.mig"], ["check", "a.mig", "--json"], ["check", "a.mig", "--format", "github"], ["check", "a.mig", "--format", "sarif"], ["fmt", "--check", "a.mig"],
                      ["ir", "a.mig"], ["graph", "a.mig"], ["graph", "a.mig", "--format", "mermaid"]):
            dead(f"{kind} in texts: {' '.join(words)}", room.migc(*words))
        (room.folder / "migc.yaml").unlink()


MENTIONS = 'migration "M @octocat fixes #12 !34 https://evil.example/x www.evil.example a|b <img src=x>" < purpose "cc @org/team see http://evil.example | x"; >\n'


def markdown(room):
    room.write("a.mig", MENTIONS + SOUND)
    room.hand_over()
    done = room.migc("plan", "a.mig", "--world", "learning", "--markdown")
    text = re.sub(r"`[^`\n]*`", "", done.text.replace("<!-- -->", "\0"))
    print(done.text)
    for what, pattern in (("a mention", r"@\w"), ("an issue", r"#\d"), ("a request", r"!\d"), ("an address", r"https?://"), ("a bare host", r"www\.\w"), ("HTML", r"(?<!\\)<(?!br>)\w")):
        check(f"Markdown holds no {what}", re.search(pattern, text) is None, done.text)
    for line in text.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)
            check("a row of a table has its cells and no more", len(cells) in (6, 7), line)


# ------------------------------------------------------------------ no other way to print

OWN_WAYS = {
    "cli/print.cpp": "the one way",
    "runtime/report/live.cpp": "a line that is redrawn in place, of what the event formatter has made safe",
    "cli/lsp.cpp": "the protocol of editors, framed JSON",
    "cli/trust_commands.cpp": "the question for a passphrase, on /dev/tty",
    "stdlib/embed.cpp": "part of the build",
    "compiler/prove/jit/": "no output",
}
WAYS = re.compile(r"fmt::print\(|\bf?puts\(|\bfputs\(|\bfwrite\(|\b(?:f|v|d)?printf\(|std::cout|std::cerr|std::clog|write\((?:1|2|STDOUT_FILENO|STDERR_FILENO)\b")
# Handed to a reporter, which escapes what it prints.
HARMLESS = re.compile(r"make_(?:plain|json)_reporter\(std::cout|std::cout << std::flush")


def one_way():
    found = sources_with(WAYS, HARMLESS, OWN_WAYS)
    check("everything is printed by cli/print.hpp", found == [], "\n".join(found))


one_way()
for part in (names, baselines, texts, markdown):
    in_rooms(part) if part is not names else None
# The same for whoever runs it.
import room
room.users = lambda: [None]
in_rooms(names)
finish()
