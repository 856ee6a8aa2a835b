#!/usr/bin/env python3
"""Steps with secrets can be undone: in the run, by a later process, by the runbook; with the value that was there before, and
by nobody who has not the run's key. No secret is in anything that is written down.

    MIGC=build/cli/migc kept_secrets.py [PART...]"""
import base64, pathlib, shutil, signal, stat, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish

OLD, NEW, TOKEN = "canary-old-1f00d5", "canary-new-2beef7", "canary-token-3cafe9"

TOOL = """#!/bin/sh
cd '@' || exit 9
printf '%s\\n' "$*" >> ledger
case "$1" in
show) [ -f "state/$2" ] || { echo "no such thing" >&2; exit 1; }; cat "state/$2" ;;
put) cat > "state/$2" ;;
lock) cat > "given-$2"; [ "$(cat "given-$2")" = "$(cat right-key)" ] || { echo "wrong key" >&2; exit 1; }; touch "locks/$2" ;;
unlock) cat > "given-$2"; [ "$(cat "given-$2")" = "$(cat right-key)" ] || { echo "wrong key" >&2; exit 1; }; rm "locks/$2" ;;
slow) touch at-work; sleep "$2" ;;
no) exit 1 ;;
esac
"""

VERBS = """
tool box < program "@/box"; within 20s; >
probe password of (name: string): secret < read box ["show", name] absent on "no such thing"; >
verb set password of (name: string) to (value: secret) <
    capture old = password of name;
    do box ["put", name] stdin value;
    undo set password of name to old;
>
verb lock (name: string) with (key: secret) < do box ["lock", name] stdin key; undo < unlock name with key; >; >
verb unlock (name: string) with (key: secret) < do box ["unlock", name] stdin key; undo none because "it is a way back"; >
verb lock both with (key: secret) < steps < lock "left" with key; lock "right" with key; > >
verb lock all with (key: secret) < steps < lock "north" with key; lock "south" with key; > undo < unlock "north" with key; unlock "south" with key; >; >
verb fetch password of (name: string): secret < do box ["show", name]; result password of name; undo none because "it looks"; >
verb linger (time: string) < do box ["slow", time]; undo none because "it waits"; >
verb refuse < do box ["no"]; undo none because "it does nothing"; >
"""


class Vault(Project):
    def __init__(self, stages, params="param token: secret; param fresh: secret;"):
        super().__init__()
        self.home = pathlib.Path(f"{self.folder}-home")
        for folder in ("state", "locks"):
            (self.folder / folder).mkdir()
        self.home.mkdir()
        self.program("box", TOOL.replace("@", str(self.folder)))
        self.write("verbs.mig", VERBS.replace("@", str(self.folder)))
        self.write("a.mig", f'use "verbs.mig";\n{params}\nstage staging < {stages} > on failure undo;')
        self.write("migc.yaml", "order: [staging]\nenvironments:\n  staging:\n    secrets:\n"
                                "      token: { file: .secrets/token }\n      fresh: { env: FRESH }\n")
        self.write(".secrets/token", TOKEN + "\n")
        self.write("right-key", TOKEN)
        self.write("state/db", OLD)
        self.outputs = []

    def migc(self, *arguments, home=None, **more):
        environment = {"XDG_CONFIG_HOME": str(home or self.home), "FRESH": NEW, **more}
        extra = ["--context", "none"] if arguments[0] in ("run", "undo", "resume", "plan") else []
        done = super().migc(*arguments, *extra, environment=environment)
        self.outputs.append(done.stdout)
        return done

    def keys(self):
        folder = self.home / "migc" / "run-keys"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def db(self):
        return self.read("state/db")

    def locks(self):
        return sorted(p.name for p in (self.folder / "locks").iterdir())

    def leaks(self):
        """Where a secret stands in clear that has no business to."""
        forms = [f for s in (OLD, NEW, TOKEN) for f in (s.encode(), base64.b64encode(s.encode()))]
        own = [self.folder / ".secrets/token", self.folder / "right-key"]
        files = [p for folder in (self.folder / ".migc", self.home) for p in folder.rglob("*") if p.is_file() and p not in own]
        files += [self.folder / name for name in ("ledger", "transcript", "plan.json") if (self.folder / name).exists()]
        hits = [str(p) for p in files if any(f in p.read_bytes() for f in forms)]
        return hits + [f"output {i}" for i, text in enumerate(self.outputs) if any(f.decode() in text for f in forms)]

    def remove(self):
        check("no secret in any record or output", self.leaks() == [], self.leaks())
        super().remove()
        shutil.rmtree(self.home, ignore_errors=True)


def undone(what, vault, db=OLD):
    done = vault.migc("undo", "last")
    check(f"{what}: undone", done.returncode == 0 and vault.db() == db and vault.locks() == [], done.stdout)


def by_name():
    vault = Vault('lock "door" with token; lock both with token; lock all with token; lock "garden" with token undo < unlock "garden" with token; >;'
                  'let t = token; lock "shed" with t undo < unlock "shed" with t; >;')
    done = vault.migc("run", "a.mig")
    check("the doors are locked", done.returncode == 0 and len(vault.locks()) == 7, done.stdout)
    check("a secret of migc.yaml needs no key", vault.keys() == [])
    # The key was changed in the vault and on the doors: what undoes it takes the new one.
    vault.write(".secrets/token", "canary-token-3cafe9-rotated\n")
    vault.write("right-key", "canary-token-3cafe9-rotated")
    undone("by name", vault)
    vault.remove()


def named_secret_missing():
    vault = Vault('lock "door" with token; set password of "db" to fresh;')
    vault.migc("run", "a.mig")
    (vault.folder / ".secrets/token").unlink()
    done = vault.migc("undo", "last")
    check("a secret that is not there holds its own step only", done.returncode == 3 and "`key`" in done.stdout and ".secrets/token" in done.stdout
          and vault.locks() == ["door"], done.stdout)
    vault.write(".secrets/token", TOKEN)
    done = vault.migc("undo", "last")
    check("put back, the undo goes on", vault.locks() == [], done.stdout)
    vault.remove()


def captured():
    vault = Vault('set password of "db" to fresh;')
    plan = vault.migc("plan", "a.mig")
    check("plan says before who can undo", "is kept encrypted; only " in plan.stdout and "can undo it" in plan.stdout, plan.stdout)
    check("plan makes no key", vault.keys() == [])
    done = vault.migc("run", "a.mig", "--record", "transcript")
    check("the password is the new one", done.returncode == 0 and vault.db() == NEW, done.stdout)
    check("one key, for its owner only", len(vault.keys()) == 1 and stat.S_IMODE(vault.keys()[0].stat().st_mode) == 0o600
          and stat.S_IMODE(vault.keys()[0].parent.stat().st_mode) == 0o700)
    keys, away = vault.home / "migc" / "run-keys", vault.home / "away"
    keys.rename(away)
    done = vault.migc("undo", "last")
    check("without the key it is held by name", done.returncode == 3 and "`old`" in done.stdout and vault.db() == NEW, done.stdout)
    check("and says whose key it takes", "run's key" in done.stdout, done.stdout)
    sheet = vault.migc("sheet", "last").stdout
    check("the runbook says who can put it back", "kept encrypted, and only" in sheet and not any(l for l in sheet.splitlines() if l and not l.startswith("#")), sheet)
    vault.migc("show", "last", "--json")
    vault.migc("show", "last")
    away.rename(keys)
    undone("captured", vault)
    check("the key is gone with the need for it", vault.keys() == [])
    vault.remove()


def twice():
    """Two changes of one password: each goes back to what it found."""
    vault = Vault('set password of "db" to token; set password of "db" to fresh;')
    vault.migc("run", "a.mig")
    check("changed twice, one key", vault.db() == NEW and len(vault.keys()) == 1)
    undone("twice", vault)
    vault.remove()


def in_the_run():
    vault = Vault('set password of "db" to fresh; lock "door" with token; refuse;')
    done = vault.migc("run", "a.mig")
    check("a run that fails puts it back", done.returncode == 1 and vault.db() == OLD and vault.locks() == [] and vault.keys() == [], done.stdout)
    vault.remove()


def without_home():
    vault = Vault('set password of "db" to fresh;')
    none = {"XDG_CONFIG_HOME": "", "HOME": ""}
    plan = vault.migc("plan", "a.mig", **none)
    check("plan says that it cannot be kept", "cannot be kept here" in plan.stdout and "undo will be held" in plan.stdout, plan.stdout)
    vault.migc("run", "a.mig", **none)
    done = vault.migc("undo", "last", **none)
    check("nobody answers for its journal", done.returncode == 2 and "migc journal adopt" in done.stdout and vault.db() == NEW, done.stdout)
    vault.migc("journal", "adopt", "--because", "a test")
    done = vault.migc("undo", "last")
    check("held by name", done.returncode == 3 and "`old`" in done.stdout and vault.db() == NEW, done.stdout)
    inside = {"XDG_CONFIG_HOME": "", "HOME": str(vault.folder)}
    plan = vault.migc("plan", "a.mig", **inside)
    check("no key lies in the project", "lies in the project" in plan.stdout, plan.stdout)
    vault.write("a.mig", vault.read("a.mig").replace("to fresh;", "to fresh; refuse;"))
    vault.write("state/db", OLD)
    done = vault.migc("run", "a.mig", **none)
    check("the run itself can put it back", done.returncode == 1 and vault.db() == OLD, done.stdout)
    vault.remove()


def yielded():
    vault = Vault('fetch password of "db" as earlier; set password of "db" to fresh undo < set password of "db" to earlier; >;'
                  'let again = password of "db"; set password of "copy" to again undo < set password of "copy" to again; >;')
    done = vault.migc("run", "a.mig")
    check("what a step yields and a let reads", done.returncode == 0 and vault.db() == NEW and vault.read("state/copy") == NEW, done.stdout)
    vault.write("state/copy", "else")
    done = vault.migc("undo", "last")
    check("are what the undo gives", done.returncode == 0 and vault.db() == OLD and vault.read("state/copy") == NEW, done.stdout)
    vault.remove()


def killed():
    for action, db in (("undo", OLD), ("resume", NEW)):
        vault = Vault('let kept = password of "db"; set password of "db" to fresh undo < set password of "db" to kept; >; linger "3";'
                      'set password of "copy" to kept;')
        process = vault.start("run", "a.mig", "--context", "none", stdout=subprocess.DEVNULL, environment={"XDG_CONFIG_HOME": str(vault.home), "FRESH": NEW})
        deadline = time.monotonic() + 60
        while not (vault.folder / "at-work").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(3.5)
        if action == "resume":
            vault.migc("resolve", "last", "staging/3", "done", "--because", "looked")
        done = vault.migc(action, "last")
        check(f"killed, then {action}", vault.db() == db, done.stdout)
        if action == "resume":
            check("a let is what it was before the kill", done.returncode == 0 and vault.read("state/copy") == OLD, done.stdout)
        vault.remove()


def runbook():
    vault = Vault('lock "door" with token;')
    vault.migc("run", "a.mig")
    sheet = vault.migc("sheet", "last").stdout
    done = subprocess.run(["bash", "-e"], input=sheet, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check("a secret of a file is given by the runbook without being in it", done.returncode == 0 and vault.locks() == [], sheet + done.stdout)
    vault.remove()


PARTS = (by_name, named_secret_missing, captured, twice, in_the_run, without_home, yielded, killed, runbook)
for part in PARTS:
    if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
        print(f"\n== {part.__name__}")
        part()
finish()
