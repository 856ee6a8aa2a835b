#!/usr/bin/env python3
"""A `.migc` that is not the operator's: brought along by a repository or an archive, another user's, cut, put back, full of
links. Whatever it says, nothing is undone, gone on with, or counted as evidence by it, and nothing is read or written elsewhere;
`migc journal adopt` lets in what a person answers for.

    MIGC=build/cli/migc state.py [PART...]"""
import hashlib, os, pathlib, shutil, sqlite3, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, allowed, check, finish

FILES = {
    "do.sh": '#!/bin/sh\necho "$1" >> "$(dirname "$0")/ledger"\n',
    "good.mig": 'stage staging < run script "do.sh" with ["forth"] undo < run script "do.sh" with ["back"] undo none because "it is the way back"; >; > '
                'on failure undo;\n',
    "both.mig": 'stage staging < run script "do.sh" with ["forth"] undo < run script "do.sh" with ["back"] undo none because "it is the way back"; >; > '
                'on failure undo;\nstage production repeats staging < gate staging passed; > on failure undo;\n',
    "migc.yaml": "order: [staging, production]\nenvironments: { staging: {}, production: { protected: true } }\n",
}


class Place:
    """A folder of somebody, with a project in it and a configuration beside it."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="migc-hostile-"))
        self.project, self.configuration = self.top / "project", self.top / "configuration"
        for name, text in FILES.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.project / "do.sh").chmod(0o755)
        self.configuration.mkdir()

    @property
    def state(self):
        return self.project / ".migc"

    def migc(self, *arguments, at=None, under=(), **more):
        environment = {**os.environ, "XDG_CONFIG_HOME": str(self.configuration), "LANG": "C.UTF-8", **more}
        done = subprocess.run([*under, MIGC, *allowed(arguments)], cwd=at or self.project, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, env=environment)
        print(f"$ migc {' '.join(arguments)}\n{done.stdout}exit code {done.returncode}")
        return done

    def ledger(self):
        file = self.project / "ledger"
        return file.read_text().split() if file.exists() else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top, ignore_errors=True)


def is_refused(what, place, words, commands=(("undo", "last"), ("resume", "last"), ("sheet", "last")), **more):
    for command in commands:
        before = place.ledger()
        done = place.migc(*command, **more)
        check(f"{what}: {' '.join(command)} is refused", done.returncode == 2 and words in done.stdout and place.ledger() == before, done.stdout)


def is_no_evidence(what, place, words, **more):
    done = place.migc("run", "both.mig", "--stage", "production", **more)
    check(f"{what}: it is no evidence", done.returncode in (2, 5) and words in " ".join(done.stdout.split()), done.stdout)


def made_elsewhere(script="both.mig", *options):
    """Somebody else's project, with a run of theirs in it."""
    other = Place()
    done = other.migc("run", script, *options)
    check("a run elsewhere", done.returncode == 0, done.stdout)
    return other


def digest_of(*fields):
    digest = hashlib.sha256()
    for field in fields:
        field = field if isinstance(field, bytes) else str(field).encode()
        digest.update(len(field).to_bytes(8, "little") + field)
    return digest.digest()


def cut_off(journal, rows_left):
    """Takes the last rows of the only run off, with a head that fits to what is left."""
    with sqlite3.connect(journal) as db:
        run = db.execute("SELECT id, script, title, mode, digest, begun_ms, number FROM runs").fetchone()
        copy = db.execute("SELECT text FROM scripts").fetchone()[0]
        head = digest_of("migc journal 1", *run[:6], copy)
        for n, (number, kind, time_ms, body) in enumerate(db.execute("SELECT number, kind, time_ms, body FROM history ORDER BY number").fetchall()):
            if n < rows_left:
                head = digest_of(head, run[0], kind, time_ms, body)
            else:
                db.execute("DELETE FROM history WHERE number = ?", (number,))
        db.execute("UPDATE runs SET head = ?, result = 'done', exit_code = 0", (head,))
    db.close()


def rows_of(journal):
    db = sqlite3.connect(journal)
    rows = db.execute("SELECT count(*) FROM history").fetchone()[0]
    db.close()
    return rows


def committed():
    with made_elsewhere("both.mig", "--stage", "staging") as attacker, Place() as victim:
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        for command in (["init", "-q"], ["add", "-f", "."], ["commit", "-qm", "all"]):
            subprocess.run([*git, *command], cwd=attacker.project, check=True)
        clone = victim.top / "clone"
        subprocess.run([*git, "clone", "-q", attacker.project, clone], check=True)
        victim.project = clone
        is_refused("committed", victim, "is in the git repository")
        is_no_evidence("committed", victim, "is in the git repository")
        check("committed: no run begins beside it", victim.migc("run", "good.mig").returncode == 2)
        subprocess.run([*git, "-C", clone, "rm", "-rq", "--cached", ".migc"], check=True)
        is_refused("taken out of git", victim, "nothing shows that")
        is_no_evidence("taken out of git", victim, "nothing shows that")
        # In a folder of a repository, and in a worktree of it.
        below = attacker.project / "below"
        shutil.copytree(attacker.project, below, ignore=shutil.ignore_patterns(".git", "below"))
        for command in (["add", "-f", "below"], ["commit", "-qm", "below"], ["worktree", "add", "-q", str(victim.top / "tree")]):
            subprocess.run([*git, *command], cwd=attacker.project, check=True)
        for folder in (below, victim.top / "tree" / "below"):
            victim.project = folder
            is_refused(f"committed in {folder.parent.name}/below", victim, "is in the git repository")
        for version in ("4", "3"):
            subprocess.run([*git, "-C", attacker.project, "update-index", "--index-version", version], check=True)
            victim.project = below
            is_refused(f"an index of version {version}", victim, "is in the git repository", commands=(("undo", "last"),))


def brought_along():
    with made_elsewhere() as attacker, Place() as victim:
        shutil.copytree(attacker.state, victim.state)
        shutil.copytree(attacker.project, victim.project, dirs_exist_ok=True)
        is_refused("from an archive", victim, "nothing shows that")
        is_no_evidence("from an archive", victim, "nothing shows that")
        theirs = next((attacker.state / "runs").iterdir()).name
        for command in ("runs",), ("show", theirs), ("status", theirs):
            done = victim.migc(*command)
            check(f"it can be looked at: {command[0]}", done.returncode == 0 and "only shown" in done.stdout, done.stdout)
        done = victim.migc("run", "good.mig")
        check("a run of one's own is one's own", done.returncode == 0 and victim.migc("undo", "last").returncode == 0, done.stdout)
        first = victim.migc("runs").stdout
        ours = [line.split()[0] for line in first.splitlines() if "both.mig" in line][-1]
        is_refused("the other's run beside it", victim, "nothing shows that", commands=(("undo", ours),))
        check("a reason is wanted", victim.migc("journal", "adopt", "--because", " ").returncode == 2)
        done = victim.migc("journal", "adopt", "--because", "it is the laptop's that broke")
        check("a person may answer for it, and is told what it is", done.returncode == 0 and f"adopted {ours}, made in {attacker.project}" in done.stdout, done.stdout)
        shown = victim.migc("show", ours).stdout
        check("which is written down", "adopted by" in shown and "it is the laptop's that broke" in shown and "only shown" not in shown, shown)
        check("adopted, it is undone", victim.migc("undo", ours).returncode == 2)  # its place is there still: it is a copy
        shutil.rmtree(attacker.state)
        done = victim.migc("undo", ours)
        check("and where it was made is told", done.returncode == 0 and f"made in {attacker.project}" in done.stdout and victim.ledger()[-1] == "back", done.stdout)
        check("once is enough", victim.migc("journal", "adopt", "--because", "again").returncode == 2)


def of_another_user():
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return print("of_another_user: only root can be another user")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with Place() as place:
        for folder in (place.top, place.project):
            folder.chmod(0o777)
        theirs = place.top / "theirs"
        theirs.mkdir()
        os.chown(theirs, 65534, 65534)
        done = place.migc("run", "both.mig", "--stage", "staging", under=nobody, XDG_CONFIG_HOME=str(theirs))
        check("another user's run in a folder that all may write", done.returncode == 0 and place.state.stat().st_uid == 65534, done.stdout)
        is_refused("another user's folder", place, "belongs to nobody", commands=(("undo", "last"), ("resume", "last"), ("run", "good.mig"), ("show", "last")))
        is_no_evidence("another user's folder", place, "belongs to nobody")
        for path in (place.state, *place.state.rglob("*")):
            os.chown(path, 0, 0)
        os.chown(place.state / "journal.db", 65534, 65534)
        is_refused("another user's journal", place, "belongs to nobody", commands=(("undo", "last"), ("run", "good.mig")))
        os.chown(place.state / "journal.db", 0, 0)
        is_refused("given away", place, "nothing shows that")
        (place.state / "journal.db").chmod(0o666)
        is_refused("a journal that all may write", place, "may be written by others", commands=(("undo", "last"),))
        (place.state / "journal.db").chmod(0o600)
        place.state.chmod(0o777)
        is_refused("a folder that all may write", place, "may be written by others", commands=(("undo", "last"), ("run", "good.mig")))
        # Where no key can be kept: as nobody, whose home is not theirs.
    with Place() as place:
        place.top.chmod(0o777), place.project.chmod(0o777)
        done = place.migc("run", "good.mig", under=nobody, XDG_CONFIG_HOME="", HOME="/")
        check("a home that cannot be written: a run works, and says so once", done.returncode == 0 and done.stdout.count("is not authenticated") == 1, done.stdout)
        is_refused("a home that cannot be written", place, "migc journal adopt", under=nobody, XDG_CONFIG_HOME="", HOME="/")


def cut():
    with Place() as place:
        place.migc("run", "both.mig", "--stage", "staging")
        rows = rows_of(place.state / "journal.db")
        done = place.migc("undo", "last")
        check("undone", done.returncode == 0 and place.ledger() == ["forth", "back"], done.stdout)
        cut_off(place.state / "journal.db", rows)
        is_refused("the undo cut off", place, "nothing shows that")
        is_no_evidence("the undo cut off", place, "nothing shows that")


def put_back():
    with Place() as place:
        place.migc("run", "both.mig", "--stage", "staging")
        before = place.top / "before"
        shutil.copytree(place.state, before)
        shutil.copytree(place.configuration, place.top / "notes")
        place.migc("undo", "last")
        after = place.top / "after"
        shutil.copytree(place.state, after)
        shutil.rmtree(place.state), shutil.copytree(before, place.state)
        is_refused("an older copy put back", place, "are missing")
        is_no_evidence("an older copy put back", place, "are missing")
        done = place.migc("run", "good.mig")
        check("a new run is one's own", done.returncode == 0)
        old = sorted(p.name for p in (place.state / "runs").iterdir())[0]
        is_refused("the old one stays what it is", place, "are missing", commands=(("undo", old),))
        # What the notes do not know yet was written by the same key: a kill between the two is no forgery.
        shutil.rmtree(place.state), shutil.copytree(after, place.state)
        shutil.rmtree(place.configuration), shutil.copytree(place.top / "notes", place.configuration)
        done = place.migc("show", "last")
        check("a journal that is ahead of the notes is believed", "only shown" not in done.stdout and done.returncode == 0, done.stdout)
        check("as it says, all is undone", place.migc("undo", "last").returncode in (0, 2) and place.ledger().count("back") == 1)
    with Place() as place:
        place.migc("run", "good.mig")
        before = place.top / "before"
        shutil.copytree(place.state, before)
        place.migc("run", "good.mig")
        shutil.rmtree(place.state), shutil.copytree(before, place.state)
        is_refused("a journal without its newest run", place, "has no run")
        done = place.migc("run", "good.mig")
        number = sorted(p.name for p in (place.state / "runs").iterdir())[-1]
        check("whose number nobody takes", done.returncode == 0 and number.endswith("-3"), done.stdout)
        is_refused("nor is it forgotten by that", place, "has no run")
        check("until a person says that it may be", place.migc("journal", "adopt", "--because", "from the backup").returncode == 0)
        check("then it is undone", place.migc("undo", "last").returncode == 0)


def linked():
    for name in (".", "runs", "locks", "starting", "runs/RUN", "journal.db"):
        with Place() as place:
            place.migc("run", "good.mig")
            (place.state / "starting").mkdir(exist_ok=True)
            run = next((place.state / "runs").iterdir()).name
            path = place.state / name.replace("RUN", run)
            there = place.top / "there"
            path.rename(there)
            path.symlink_to(there)
            is_refused(f"a link for {name}", place, "is a link", commands=(("undo", "last"), ("resume", "last"), ("run", "good.mig"), ("show", "last")))
    with Place() as place:
        place.migc("run", "good.mig")
        run = next((place.state / "runs").iterdir())
        (run / "inputs" / "deep").mkdir()
        (run / "inputs" / "deep" / "link").symlink_to("/etc/passwd")
        is_refused("a link deep in a run's folder", place, "is a link", commands=(("undo", "last"), ("status",)))
        shutil.rmtree(run / "inputs" / "deep")
        os.link(place.state / "journal.db", place.top / "second")
        is_refused("a journal of two names", place, "hard link", commands=(("undo", "last"), ("run", "good.mig"), ("show", "last")))
    with Place() as place:
        target = place.top / "target"
        place.state.symlink_to(target)
        check("a link to nowhere: nothing is made there", place.migc("run", "good.mig").returncode == 2 and not target.exists())
    with Place() as place:
        place.migc("run", "good.mig")
        target = place.top / "target"
        target.write_text("precious")
        (place.state / "locks" / "production").symlink_to(target)
        check("a link for a lock: nothing is written there", place.migc("run", "both.mig").returncode in (2, 5) and target.read_text() == "precious")


def without_home():
    none = {"XDG_CONFIG_HOME": "", "HOME": ""}
    with Place() as place:
        done = place.migc("run", "both.mig", "--stage", "staging", **none)
        check("without a home a run works, and says so once", done.returncode == 0 and done.stdout.count("is not authenticated") == 1, done.stdout)
        is_refused("without a home", place, "migc journal adopt", **none)
        is_no_evidence("without a home", place, "not authenticated", **none)
        done = place.migc("run", "both.mig", **none)
        check("what passed in the same run is known", done.returncode == 0, done.stdout)
        check("without a home nobody adopts", place.migc("journal", "adopt", "--because", "mine", **none).returncode == 2)
        # The evidence that goes on by hand is signed by whoever answers for it.
        keys = place.top / "keys"
        done = place.migc("approver", "new", "ci", "--no-passphrase", MIGC_KEYS=str(keys), **none)
        key = [line for line in done.stdout.splitlines() if line.startswith("  ci:")][0]
        with open(place.project / "migc.yaml", "a") as file:
            file.write(f"approvers:\n{key}\n")
        done = place.migc("evidence", "export", "last", "--stage", "staging", "--as", "ci", "--out", "e.json", MIGC_KEYS=str(keys), **none)
        check("evidence is handed on as a signed file", done.returncode == 0 and "not authenticated" in done.stdout, done.stdout)
        is_refused("with a home it is somebody else's", place, "migc journal adopt")
        is_refused("and no evidence is made of it", place, "migc journal adopt",
                   commands=(("evidence", "export", "last", "--stage", "staging", "--as", "ci", "--out", "f.json"),), MIGC_KEYS=str(keys))
        check("where there is one, it is adopted", place.migc("journal", "adopt", "--because", "the pipeline's").returncode == 0)
        check("and undone", place.migc("undo", "last").returncode == 0 and place.ledger()[-1] == "back")
    with Place() as place:
        inside = {"XDG_CONFIG_HOME": "", "HOME": str(place.project)}
        check("a home in the project is none", "lies in the project" in place.migc("run", "good.mig", **inside).stdout)
        is_refused("a home in the project", place, "migc journal adopt", **inside)


def program_in_it():
    with Place() as place:
        place.migc("run", "good.mig")
        db = sqlite3.connect(place.state / "journal.db")
        db.execute("CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM history; END")
        db.commit(), db.close()
        is_refused("a journal with a program in it", place, "triggers", commands=(("undo", "last"), ("run", "good.mig"), ("show", "last")))


PARTS = (committed, brought_along, of_another_user, cut, put_back, linked, without_home, program_in_it)
for part in PARTS:
    if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
        print(f"\n== {part.__name__}")
        part()
finish()
