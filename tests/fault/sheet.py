#!/usr/bin/env python3
"""The break-glass sheet is given to a shell, from another folder, by somebody who has no migc: the world is as it was before.

After runs that are done, that were held, and that were killed in the middle; with names that a shell would stumble over. What
stands beside the journal is what `migc sheet` says; a secret is on neither."""
import random, signal, stat, subprocess, sys, time

from project import Failed, Project, check
from scenarios import EVERYTHING, INTERRUPTED

HOSTILE = """
stage staging <
    put "it's" to "a b";
    put "$(touch owned)" to "`touch owned`; touch owned";
    put "x y" to "*";
> on failure undo;
"""

# What a way back is given turns out to be absent: its default counts, as in an undo.
DEFAULTED = """
verb mark (name: string) [with (mark: string = "none")] <
    effect value of name becomes mark; do fake ["set", name, mark]; undo none because "it is a way back"; >
verb take (name: string) <
    capture prior = value of "nowhere"; effect value of name becomes "taken"; do fake ["set", name, "taken"]; undo mark name with prior; >
stage staging < take "a"; > on failure undo;
"""

TWO_STAGES = """
stage staging < put "a" to "1"; put "b" to "1"; > on failure undo;
stage production < put "b" to "2"; put "c" to "2"; > on failure undo;
"""


# Every way by which a secret gets to a command: as input, of a step of its own, within a composite, in an inverse.
SECRET = """
param token: secret;
tool vault < program "@/vault"; >
verb lock (name: string) with (key: secret) < do vault ["lock", name] stdin key; undo < unlock name with key; >; >
verb unlock (name: string) with (key: secret) < do vault ["unlock", name] stdin key; undo none because "it is a way back"; >
verb lock both with (key: secret) < steps < lock "left" with key; lock "right" with key; > >
stage staging < put "a" to "1"; lock "door" with token; lock both with token; lock "garden" with token undo < unlock "garden" with token; >; > on failure undo;
"""
VAULT = """#!/bin/sh
cat > '@/given'; grep -qx canary-4711 '@/given' || exit 1
case "$1" in lock) cp '@/given' "@/state/$2" ;; unlock) rm "@/state/$2" ;; esac
"""


def secrets_kept():
    """A secret is on neither sheet, also not while the run goes on; the sheet says which one is to be given."""
    with Project("", **{}) as project:
        folder = str(project.folder)
        (project.folder / "script.mig").write_text('use "verbs.mig";\n' + SECRET.replace("@", folder))
        (project.folder / "vault").write_text(VAULT.replace("@", folder) + f"cat {folder}/.migc/runs/*/undo-sheet.txt >> {folder}/meanwhile\n")
        (project.folder / "vault").chmod(0o755)
        (project.folder / "token").write_text("canary-4711\n")
        (project.folder / "migc.yaml").write_text("order: [staging]\nenvironments:\n  staging: { secrets: { token: { file: token } } }\n")
        code, said = project.run()
        check(code == 0, project, "with a secret", said)
        printed = project.migc("sheet", "last")[1]
        meanwhile = (project.folder / "meanwhile").read_text()
        for where, sheet in (("beside the journal", kept(project)), ("printed", printed), ("while the run went on", meanwhile)):
            check("canary" not in sheet, project, f"the secret is on the sheet {where}:", sheet)
            check("unlock door" in sheet and f"cat {folder}/token" in sheet, project, f"the sheet {where} does not say which secret:", sheet)
        check(all("canary" not in p.read_text(errors="replace") for p in (project.folder / ".migc").rglob("*") if p.is_file()), project, "the secret is in a file of the run")
        subprocess.run(["bash", "-e"], input=printed, text=True, cwd="/", check=True)
        check(project.state() == project.initial, project, "with a secret: not all is taken back:", printed)
    print("a secret: on no sheet, and given by it")


def kept(project, killed=False):
    folder, = (project.folder / ".migc/runs").iterdir()
    sheet = folder / "undo-sheet.txt"
    check(stat.S_IMODE(sheet.stat().st_mode) == 0o600, project, "others may read the sheet")
    others = [p.name for p in folder.glob("*sheet*") if p != sheet and not (killed and p.name.startswith("."))]
    check(not others, project, "there is another sheet beside it:", others)
    return sheet.read_text()


def body(sheet):
    return sheet.split("\n\n", 1)[1]


def typed(project, sheet):
    """Does what the sheet says; what is in doubt is looked at first, as it says."""
    check(not sheet.startswith("$"), project, "the sheet is no script")
    for entry in body(sheet).split("\n\n"):
        lines = entry.splitlines()
        if any(line.startswith("# IN DOUBT") for line in lines):
            check(all(line.startswith("#") for line in lines), project, "what is in doubt would be typed blindly:", entry)
            if not is_done(project, lines):
                continue
            entry = "\n".join(line.removeprefix("#   if so: ") for line in lines)
        subprocess.run(["bash", "-e"], input=entry, text=True, cwd="/", check=True)


def is_done(project, lines):
    for condition, look in zip(lines, lines[1:]):
        if condition.startswith("# if ") and look.startswith("#   look: "):
            before = condition.split(" is ", 1)[1].split(",")[0]
            got = subprocess.run(["bash", "-c", look.removeprefix("#   look: ")], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            return (got.stdout.decode() if got.returncode == 0 else "absent") != before
    return bool(project.state().get("#mark"))


def taken_back(title, project, killed=False):
    sheet = kept(project, killed)
    code, said = project.migc("sheet", "last")
    check(code == 0 and body(said) == body(sheet), project, title, "the sheet beside the journal is another:", said, sheet)
    typed(project, sheet)
    check(project.state() == project.initial, project, title, "not all is taken back:", sheet)
    check(not (project.folder / "owned").exists(), project, title, "a name was run as a command:", sheet)
    print(f"{title}: taken back by hand")


def killed_while_running(seconds):
    with Project(INTERRUPTED) as project:
        process = subprocess.Popen(project.command("run", "script.mig"), cwd=project.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not project.ledger() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1)  # the tool that it has left at work
        taken_back(f"killed {seconds:.2f} s after its first step", project, killed=True)


def main(long):
    for title, script, state in [("done", EVERYTHING, {"a": "white"}), ("done, with hostile names", HOSTILE, {}),
                                 ("done, with an argument that is left out", DEFAULTED, {"a": "none"}),
                                 ("done, two stages", TWO_STAGES, {"b": "0"})]:
        with Project(script, **state) as project:
            code, said = project.run()
            check(code == 0, project, title, said)
            taken_back(title, project)
    with Project(EVERYTHING.replace("on failure undo", "on failure hold").replace('put "z" to "1"', 'refuse "z"'), a="white") as project:
        code, said = project.run()
        check(code == 3, project, "held", said)
        taken_back("held", project)
    with Project(EVERYTHING, a="white") as project:
        project.run()
        project.migc("undo", "last")
        check("nothing to take back" in kept(project), project, "undone, but the sheet says otherwise")
    secrets_kept()
    for _ in range(100 if long else 3):
        killed_while_running(random.uniform(0, 1.2))
    return 0


if __name__ == "__main__":
    random.seed(3)
    try:
        sys.exit(main("--long" in sys.argv))
    except Failed as problem:
        sys.exit(f"wrong: {problem}")
