#!/usr/bin/env python3
"""Files that migc writes: a repository that carries links and odd files gets nothing outside of it written, and what is replaced
is told and keeps its mode.

    MIGC=build/cli/migc writing.py"""
import os, re

from room import check, finish, in_rooms, mode_of, sources_with

UNTIDY = 'migration   "x" <\n>\nstage staging   <   scale webapi to 4; verify replicas of webapi is 4; >   on failure undo;\n'
WORLD = ["--world", "learning"]


def loot(room):
    path = room.write("precious", "precious\n", room.outside)
    path.chmod(0o640)
    return path


def untouched(what, path, done=None):
    check(what, path.read_text() == "precious\n" and mode_of(path) == 0o640, f"{path.read_text()!r} {done.text if done else ''}")


def left_behind(room):
    return sorted(str(p.relative_to(room.top)) for p in room.top.rglob("*") if ".migc-" in p.name)


def predictable_names(room):
    """`NAME.migc-new` and its like as links that a repository carries."""
    precious = loot(room)
    room.write("a.mig", UNTIDY)
    for name in ("a.mig", "base.json", "state.json", "plan.json", "transcript"):
        for ending in (".migc-new", ".new", ".tmp", ".part"):
            room.link(name + ending, precious)
    room.hand_over()
    for words in (["fmt", "a.mig"], ["check", "a.mig", "--write-baseline", "base.json"], ["check", "--fix", "a.mig"],
                  ["run", "a.mig", *WORLD, "--state", "state.json"], ["run", "a.mig", *WORLD, "--record", "transcript"],
                  ["plan", "a.mig", *WORLD, "--save", "plan.json"]):
        untouched(f"{' '.join(words[:2])} follows no name that could be known", precious, room.migc(*words))
    check("the script is formatted", room.read("a.mig") != UNTIDY)
    check("nothing is left behind", [p for p in left_behind(room) if not p.endswith(".migc-new")] == [], left_behind(room))


def links_out(room):
    """The file itself is a link that leads out, and so is a folder on the way to it."""
    precious = loot(room)
    room.write("migc.yaml", "order: [staging]\nenvironments:\n  staging: {}\n")
    room.write("a.mig", UNTIDY)
    outputs = {"base.json": ["check", "a.mig", "--write-baseline"], "state.json": ["run", "a.mig", *WORLD, "--state"],
               "transcript": ["run", "a.mig", *WORLD, "--record"], "plan.json": ["plan", "a.mig", *WORLD, "--save"]}
    for name in outputs:
        room.link(name, precious)
    room.link("out", room.outside)
    room.link("nowhere.json", room.outside / "made")
    room.hand_over()
    for name, words in outputs.items():
        done = room.migc(*words, name)
        untouched(f"{words[0]} {words[-1]} writes through no link", precious, done)
        check("and says why", done.returncode == 2 and "link" in done.text, done.text)
        done = room.migc(*words, "out/precious")
        untouched(f"{words[0]} {words[-1]} goes through no folder that is one", precious, done)
        check("and says why", done.returncode == 2 and "link" in done.text, done.text)
        done = room.migc(*words, "nowhere.json")
        check("nor is a file made where a link leads to nothing", done.returncode == 2 and not (room.outside / "made").exists(), done.text)
        done = room.migc(*words, "out/../beside.json")
        check("nor back over a link", done.returncode == 2 and not (room.top / "beside.json").exists(), done.text)


def links_within(room):
    room.write("migc.yaml", "order: [staging]\nenvironments:\n  staging: {}\n")
    room.write("real/a.mig", UNTIDY).chmod(0o640)
    room.link("a.mig", "real/a.mig")
    room.hand_over()
    done = room.migc("fmt", "a.mig")
    check("a link within the project stays one", (room.folder / "a.mig").is_symlink() and room.read("real/a.mig") != UNTIDY, done.text)
    check("and its file keeps its mode", mode_of(room.folder / "real/a.mig") == 0o640)


def modes(room):
    room.write("a.mig", UNTIDY)
    room.hand_over()
    outputs = {"base.json": ["check", "a.mig", "--write-baseline"], "state.json": ["run", "a.mig", *WORLD, "--state"],
               "transcript": ["run", "a.mig", *WORLD, "--record"], "plan.json": ["plan", "a.mig", *WORLD, "--save"]}
    for name, words in outputs.items():
        file = room.folder / name
        done = room.migc(*words, name)
        check(f"{words[0]} {words[-1]}: a new file is for its owner", file.exists() and mode_of(file) == 0o600, done.text)
        check("and nothing is said of another", "replaced" not in done.text, done.text)
        file.chmod(0o644)
        before = os.stat(file)
        done = room.migc(*words, name)
        check("one that was there keeps its mode", mode_of(file) == 0o644, oct(mode_of(file)))
        check("and its owner", os.stat(file).st_uid == before.st_uid)
        check("and it is told", f"note: {name} was there ({before.st_size} bytes), and is replaced" in done.text, done.text)
    other = room.folder / "other"
    os.link(room.folder / "base.json", other)
    content = other.read_text()
    (room.folder / "a.mig").write_text(UNTIDY + UNTIDY.replace("staging", "production").split("\n", 2)[2])
    room.migc("check", "a.mig", "--write-baseline", "base.json")
    check("a second name of the file keeps what it had", other.read_text() == content)


def keys(room):
    precious = loot(room)
    (room.home / ".config/migc/keys").mkdir(parents=True)
    (room.home / ".config/migc/keys/kim.key").symlink_to(precious)
    room.hand_over()
    done = room.migc("approver", "new", "kim", "--no-passphrase")
    untouched("a key is written through no link", precious, done)
    check("and refused", done.returncode == 2, done.text)
    check("another one is made", room.migc("approver", "new", "kay", "--no-passphrase").returncode == 0)
    key = room.home / ".config/migc/keys/kay.key"
    check("for its owner only", mode_of(key) == 0o600)
    text = key.read_text()
    done = room.migc("approver", "new", "kay", "--no-passphrase")
    check("and is not replaced", done.returncode == 2 and "there is one already" in done.text and key.read_text() == text, done.text)
    room.link("approval.json", precious)
    done = room.migc("approve", "0" * 64, "--as", "kay", "--out", "approval.json")
    untouched("approve --out writes through no link", precious, done)
    check("and says why", done.returncode == 2 and "link" in done.text, done.text)


# Whoever writes files in another way says here why he must.
OWN_WAYS = {
    "compiler/support/write_file.cpp": "the writer",
    "compiler/support/descriptor.hpp": "what it is made of",
    "runtime/journal/": "the journal, its locks and its folder have rules of their own",
    "runtime/engine/replaced_file.cpp": "two files of a run's folder that change places, many times a second",
    "runtime/inspect/progress.cpp": "a line of a run's folder that is overwritten in place",
    "runtime/tools/program.cpp": "a program's log, which that program writes; it must be new",
    "runtime/tools/recording.cpp": "a device, which has no place to take",
    "runtime/natives/backup.cpp": "an older backup gets another name, by a hard link",
    "runtime/tools/stream.cpp": "what a command prints is kept in a temporary file until it has ended",
    "runtime/trust/sealed_box.cpp": "an old key is overwritten where it is, so that it is gone",
    "runtime/trust/local_witness.cpp": "rows are added to a file of the configuration folder, which is locked meanwhile",
    "runtime/session/detach.cpp": "what a run in the background prints moves into its folder",
    "stdlib/embed.cpp": "part of the build",
}
WAYS = re.compile(r"\bofstream\b|\bfopen\(|O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|\bmk(?:o)?stemp\(|\brename(?:at2?)?\(|\bcopy_file\(|create_hard_link\(|::linkat\(")
# Copies within a temporary folder of our own, and what only looks alike.
HARMLESS = re.compile(r"scratch_|folder_ / path|fs::copy_file\(i->path\(\), target|/dev/tty|\"/dev/null\"|Server::rename|service::rename|Json rename|prepare_rename|"
                      r"rename\(const Analysis|rename\(one\.a\)|std::fopen\(path.c_str\(\), \"rb\"\)")


def one_writer():
    """No other way to write a file has come into the sources."""
    found = sources_with(WAYS, HARMLESS, OWN_WAYS)
    check("every file is written by compiler/support/write_file.hpp", found == [], "\n".join(found))


one_writer()
for part in (predictable_names, links_out, links_within, modes, keys):
    in_rooms(part)
finish()
