#!/usr/bin/env python3
"""Gates that somebody wants open who may not open them: evidence of another place than the one it is named after, one's own word for
oneself, an approval that is used twice, expired, or signed for another title; who runs it and says by variables that it is somebody else.

    MIGC=build/cli/migc gates.py [PART...]"""
import json, os, pathlib, re, shutil, sqlite3, subprocess, sys, time

from room import Room, allowed, can_be_another, check, finish, users

KUBECTL = """#!/bin/sh
# Each context is a file with its cluster's UID.
cd "$(dirname "$0")/../clusters" || exit 1
if [ "$1 $2" = "config get-contexts" ]; then ls; exit 0; fi
if [ "$1 $2" = "config current-context" ]; then cat ../current; exit 0; fi
if [ "$1" = "--context" ] && [ -f "$2" ]; then echo "{\\"metadata\\": {\\"uid\\": \\"$(cat "$2")\\"}}"; exit 0; fi
echo "error: context \\"$2\\" does not exist" >&2; exit 1
"""

SHIP = """#!/bin/sh
cd "$(dirname "$0")/.." || exit 1
file="cargo-$2-$4-$6"
if [ "$5" = get ]; then cat "$file" 2>/dev/null || echo 1; exit 0; fi
if [ -f kills ]; then kill -9 $PPID; exit 1; fi
echo "$7" > "$file"; echo "$@" >> ledger
"""

DECLARATIONS = """
tool ship < program "ship"; arguments ["--context", context, "--namespace", namespace]; >
probe cargo of (name: string): int < read ship ["get", name]; >
verb load (name: string) to (n: int) <
    capture prior = cargo of name; effect cargo of name becomes n; do ship ["set", name, n]; undo load name to prior;
>
param height: int = 4;
"""

SCRIPT = """
stage staging < load "pump" to height; > on failure %s;
stage production repeats staging < %s > on failure hold;
"""

PLACES = """
environments:
  staging: { context: stage-1, namespace: blue%s }
  production: { context: prod-1, namespace: green, protected: true }
"""


class Harbour(Room):
    """A room with a kubectl and another tool of its own, and with key folders of other people."""

    def __init__(self, user=None, gates="gate staging passed;", inventory=PLACES % "", title="Load the pump"):
        super().__init__(user)
        self.bin, self.keys, self.clusters = (self.top / n for n in ("bin", "keys", "clusters"))
        for folder in (self.bin, self.keys, self.clusters):
            folder.mkdir()
        for name, text in (("kubectl", KUBECTL), ("ship", SHIP)):
            self.write(name, text, self.bin).chmod(0o755)
        for context, uid in (("stage-1", "uid-stage"), ("prod-1", "uid-prod"), ("other", "uid-other"), ("alias", "uid-stage")):
            self.cluster(context, uid)
        self.write("current", "other\n", self.top)
        self.script(gates, title)
        self.approvers = {}
        self.done = 0  # so many loads of production there are
        self.inventory(inventory)
        self.hand_over()

    def cluster(self, context, uid):
        if uid is None:
            (self.clusters / context).unlink()
        else:
            self.write(context, uid, self.clusters)

    def script(self, gates, title="Load the pump", otherwise="undo"):
        self.write("a.mig", f'migration "{title}" < >\n' + DECLARATIONS + SCRIPT % (otherwise, gates))

    def inventory(self, text):
        self.environments = text
        people = "".join(f"  {name}: {entry}\n" for name, entry in self.approvers.items())
        self.write("migc.yaml", "order: [staging, production]\n" + text + ("approvers:\n" + people if people else ""))

    def migc(self, *arguments, keys=None, **more):
        environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", **({"MIGC_KEYS": str(keys)} if keys else {}), **more.pop("environment", {})}
        done = super().migc(*allowed(arguments), environment=environment, **more)
        done.words = " ".join(done.text.split())
        print(f"$ migc {' '.join(arguments)}\n{done.text}exit code {done.returncode}")
        return done

    def new_approver(self, name, entry='"{}"', folder=None):
        """A key of a person, in a folder of theirs."""
        folder = folder or self.keys / name
        done = self.migc("approver", "new", name, "--no-passphrase", keys=folder)
        key = re.search(r"migc-key:\S{43}", done.text).group()
        self.approvers[name] = entry.format(key)
        self.inventory(self.environments)
        self.hand_over()
        return key

    def stage(self, *options, **more):
        done = self.migc("run", "a.mig", "--stage", "staging", *options, **more)
        check(f"staging runs {' '.join(options)}", done.returncode == 0)

    def production(self, *options, **more):
        return self.migc("run", "a.mig", "--stage", "production", *options, **more)

    def export(self, signer, name="e.json"):
        done = self.migc("evidence", "export", "last", "--stage", "staging", "--as", signer, "--out", name, keys=self.keys / signer)
        check(f"{signer} signs evidence", done.returncode == 0)

    def approve(self, signer, what="plan.json", *options, name=None):
        return self.migc("approve", what, "--as", signer, "--out", name or f"{signer}.json", *options, keys=self.keys / signer)

    def loads(self):
        ledger = self.top / "ledger"
        lines = ledger.read_text().splitlines() if ledger.exists() else []
        return [line for line in lines if re.search("--context prod-1 --namespace (green|production) ", line)]

    def start_anew(self):
        """As in a clean clone on another machine."""
        shutil.rmtree(self.folder / ".migc")
        shutil.rmtree(self.notes, ignore_errors=True)

    @property
    def notes(self):
        return self.home / ".config" / "migc" / "journals"


def is_closed(what, room, done, *words):
    quiet = len(room.loads()) == room.done
    check(f"{what}: it is closed, and says why", done.returncode == 5 and all(word in done.words for word in words) and quiet, done.text)


def is_open(what, room, done, *words):
    check(f"{what}: it is open", done.returncode == 0 and all(word in done.words for word in words), done.text)
    room.done = len(room.loads())


def where_it_passed(user):
    room = Harbour(user)
    room.stage("--context", "other")
    is_closed("another cluster", room, room.production(), "in another cluster", "uid-other, context other of --context", "uid-stage")
    room.stage("--namespace", "scratch")
    is_closed("another namespace", room, room.production(), "in the namespace scratch", "is the namespace blue")
    room.stage("--context", "alias", "--namespace", "blue")
    is_open("the same cluster by another name", room, room.production("--set", "height=7"))
    room.remove()

    room = Harbour(user)
    room.stage()
    room.cluster("stage-1", "uid-new")
    is_closed("the context leads to another cluster by now", room, room.production(), "in another cluster", "uid-stage", "uid-new")
    room.cluster("stage-1", "uid-stage")
    room.inventory(PLACES.replace("blue", "red") % "")
    is_closed("staging is another namespace by now", room, room.production(), "the namespace blue", "is the namespace red")
    room.inventory(PLACES % ", set: { height: 5 }")
    is_closed("staging has another setting by now", room, room.production(), "other settings", "height")
    room.stage("--set", "height=9")
    is_closed("a setting was given in place of migc.yaml's", room, room.production(), "other settings", "height")
    room.stage()
    is_open("as migc.yaml has it", room, room.production())
    room.remove()

    room = Harbour(user, inventory="environments: { staging: { context: stage-1, namespace: staging }, production: { context: prod-1, protected: true } }\n")
    room.stage()
    room.inventory("environments: { staging: { context: stage-1 }, production: { context: prod-1, protected: true } }\n")
    is_open("a namespace that is said or left to the default is the same", room, room.production())
    room.remove()

    # Nobody names staging's context: it is the current one, whichever that is.
    room = Harbour(user, inventory="environments: { staging: {}, production: { context: prod-1, protected: true } }\n")
    room.stage()
    room.write("current", "prod-1\n", room.top)
    is_closed("the current context is another one by now", room, room.production(), "in another cluster")
    room.remove()


def out_of_reach(user):
    room = Harbour(user)
    room.stage("--context", "other")
    room.cluster("stage-1", None)
    is_closed("sent elsewhere, and staging is out of reach", room, room.production(), "context other of --context", "cluster-uid")
    room.cluster("stage-1", "uid-stage")
    room.stage()
    room.cluster("stage-1", None)
    is_open("staging is out of reach", room, room.production(), "cannot be compared from here")
    room.remove()

    room = Harbour(user, inventory=PLACES % ", cluster-uid: uid-stage")
    done = room.migc("run", "a.mig", "--stage", "staging", "--context", "other")
    check("a run in another cluster than migc.yaml's is refused", done.returncode == 2 and "uid-other" in done.text and not (room.top / "ledger").exists(), done.text)
    done = room.migc("run", "a.mig", "--stage", "staging", "--context", "nowhere")
    check("also in one that cannot be told", done.returncode == 2 and "could not be read" in done.text, done.text)
    room.stage()
    room.cluster("stage-1", None)
    is_open("out of reach, and migc.yaml says which it is", room, room.production())
    room.inventory(PLACES % ", cluster-uid: uid-another")
    is_closed("migc.yaml says that it is another one by now", room, room.production("--set", "height=7"), "in another cluster", "uid-another")
    room.remove()


def in_one_run(user):
    room = Harbour(user)
    for gate, title in (("gate staging passed;", "with such a gate"), ("", "without one")):
        room.script(gate)
        is_closed(f"staging in production's namespace, in one run, {title}", room, room.migc("run", "a.mig", "--namespace", "green"), "namespace green")
    room.script("gate staging passed;")
    done = room.migc("run", "a.mig", "--context", "prod-1")
    is_closed("staging in production's cluster, in one run", room, done, "context prod-1")
    done = room.migc("plan", "a.mig", "--context", "prod-1")
    check("the plan says it before", "stage staging passed in context prod-1" in done.words, done.text)
    done = room.migc("run", "a.mig", "--context", "other", "--namespace", "scratch")
    check("all of it elsewhere is no promotion", done.returncode == 0, done.text)
    room.remove()


def as_a_file(user):
    room = Harbour(user)
    room.new_approver("ci-staging")
    room.stage()
    room.export("ci-staging")
    room.migc("undo", "last")
    is_closed("staging was undone since", room, room.production("--evidence", "e.json"), "undone since")
    room.start_anew()
    original = room.read("e.json")
    with_file = lambda *more, **settings: room.production("--evidence", "e.json", *more, **settings)
    for what, before, after in (("the namespace", "blue", "green"), ("the cluster", "uid-stage", "uid-prod"), ("the stage", '"stage": "staging"', '"stage": "production"'),
                                ("the mode", '"live"', '"simulated"'), ("the signer", '"name": "ci-staging"', '"name": "ci-other"')):
        room.write("e.json", original.replace(before, after))
        check("it is another text", room.read("e.json") != original)
        is_closed(f"{what} was edited", room, with_file(), "e.json: ")
    room.write("e.json", original)
    is_closed("signed by who runs it", room, with_file(keys=room.keys / "ci-staging"), "nobody vouches for oneself")
    is_closed("the key of the runner by another name", room, with_file(keys=renamed(room, "ci-staging")), "nobody vouches for oneself")
    link = room.top / "link"
    link.symlink_to(room.keys / "ci-staging")
    is_closed("the key folder is a link", room, with_file(keys=link), "nobody vouches for oneself")
    room.inventory("project: bakery\n" + PLACES % "")
    is_closed("in another project", room, with_file(), "other settings", "project")
    script = room.read("a.mig")
    room.write("a.mig", script.replace("stage staging <", "stage staging in test <").replace("gate staging", "gate test"))
    room.write("migc.yaml", room.read("migc.yaml").replace("staging", "test"))
    is_closed("the environment has another name", room, with_file(), "e.json: ")
    room.write("a.mig", script)
    room.inventory(PLACES.replace("blue", "red") % "")
    is_closed("staging is elsewhere by now", room, with_file(), "the namespace blue")
    room.inventory(PLACES % "")
    is_open("as it was, signed by somebody else", room, with_file(), "says e.json")
    room.remove()

    # As the two jobs of a pipeline, by one account, of which only one has the key: the recipe of docs/how-to/ci.md.
    room = Harbour(user)
    room.new_approver("ci-staging")
    room.stage("--namespace", "scratch", keys=room.keys / "ci-staging")
    room.export("ci-staging")
    room.start_anew()
    is_closed("a file says of what namespace it is", room, room.production("--evidence", "e.json"), "in the namespace scratch")
    room.remove()


def evidence_ends(user):
    """Evidence that was given a time counts no longer."""
    room = Harbour(user)
    room.new_approver("ci-staging")
    room.stage()
    for valid in ("0s", "-1h", "soon", ""):
        done = room.migc("evidence", "export", "last", "--stage", "staging", "--as", "ci-staging", "--valid", valid, "--out", "e.json", keys=room.keys / "ci-staging")
        check(f"--valid {valid!r} is no time", done.returncode == 2 and not (room.folder / "e.json").exists() or valid == "", done.text)
    for valid in ("1s", "1h"):
        (room.folder / "e.json").unlink(missing_ok=True)
        done = room.migc("evidence", "export", "last", "--stage", "staging", "--as", "ci-staging", "--valid", valid, "--out", "e.json", keys=room.keys / "ci-staging")
        check(f"evidence for {valid}", done.returncode == 0, done.text)
        kept = room.top / valid
        shutil.copy(room.folder / "e.json", kept)
    room.start_anew()
    time.sleep(1.1)
    shutil.copy(room.top / "1s", room.folder / "e.json")
    room.hand_over()
    is_closed("after its time", room, room.production("--evidence", "e.json"), "it expired")
    text = room.read("e.json")
    room.write("e.json", re.sub('"expires": "[^"]*"', '"expires": "2999-01-01T00:00:00Z"', text))
    is_closed("its end was edited", room, room.production("--evidence", "e.json"), "e.json: ")
    room.write("e.json", re.sub(',\\s*"expires": "[^"]*"|"expires": "[^"]*",', "", text))
    is_closed("its end was taken away", room, room.production("--evidence", "e.json"), "e.json: ")
    shutil.copy(room.top / "1h", room.folder / "e.json")
    room.hand_over()
    is_open("within its time", room, room.production("--evidence", "e.json"))
    room.remove()


def renamed(room, name):
    folder = room.top / "renamed"
    shutil.copytree(room.keys / name, folder)
    (folder / f"{name}.key").rename(folder / "something.key")
    room.hand_over()
    return folder


APPROVED = 'gate approval by 1 of ["ops", "lead"];'


def approved(user, gates=APPROVED, **more):
    room = Harbour(user, gates=gates, inventory="environments: { staging: { context: stage-1 }, production: { context: prod-1, protected: true } }\n", **more)
    room.new_approver("ops")
    room.stage()
    plan(room)
    return room


def plan(room):
    room.migc("plan", "a.mig", "--stage", "production", "--save", "plan.json")
    room.hand_over()


def used_up(user):
    room = approved(user)
    room.approve("ops")
    given = ("--approval", "ops.json")
    is_open("the first run", room, room.production(*given))

    def is_used(what, done):
        is_closed(f"{what}: it is used up", room, done, "has used it up")

    is_used("a second run", room.production(*given))
    shutil.copy(room.folder / "ops.json", room.folder / "copy.json")
    room.write("again.json", json.dumps(json.loads(room.read("ops.json")), indent=7))
    room.hand_over()
    is_used("by another name, laid out anew", room.production("--approval", "again.json"))
    check("undone", room.migc("undo", "last").returncode == 0)
    room.done = len(room.loads())
    is_used("run, undo, run", room.production(*given))
    done = room.migc("plan", "a.mig", "--stage", "production", *given)
    check("the plan says it before", "has used it up" in done.words, done.text)
    room.approve("ops", name="second.json")
    is_open("a new one", room, room.production("--approval", "second.json"))
    room.remove()

    room = approved(user)
    room.approve("ops")
    before = room.top / "before"
    shutil.copytree(room.folder / ".migc", before)
    room.production("--approval", "ops.json")
    room.migc("undo", "last")
    shutil.rmtree(room.folder / ".migc")
    shutil.copytree(before, room.folder / ".migc")
    room.hand_over()
    done = room.production("--approval", "ops.json")
    check("an older journal put back does not make it new", done.returncode == 5 and "cannot be told" in done.words, done.text)
    room.remove()

    # A run that another gate kept back has done nothing.
    another_day = time.strftime("%a", time.gmtime(time.time() + 3 * 86400)).lower()
    room = approved(user, gates=APPROVED + f' gate window "{another_day} 00:00-00:01 UTC";')
    room.approve("ops")
    done = room.production("--approval", "ops.json")
    check("another gate is closed", done.returncode == 5 and "it opens" in done.words, done.text)
    done = room.production("--approval", "ops.json")
    check("which uses nothing up", done.returncode == 5 and "has used it up" not in done.words and "approved by ops" in done.words, done.text)
    room.remove()

    # The run that it was given for goes on with it.
    room = approved(user)
    room.approve("ops")
    room.write("kills", "", room.top)
    done = room.production("--approval", "ops.json")
    check("a run that was cut off", done.returncode == -9, done.text)
    (room.top / "kills").unlink()
    is_used("another run instead", room.production("--approval", "ops.json"))
    cut = [line.split()[0] for line in room.migc("runs").text.splitlines() if "unfinished" in line]
    is_open("it goes on with the approval that it has", room, room.migc("resume", cut[0], "--approval", "ops.json"), "approved by ops")
    is_used("and no other run does", room.production("--approval", "ops.json"))
    room.remove()


def gone(user):
    """The journal that knows what was used up, undone, and when, is deleted or moved away."""
    given = ("--approval", "ops.json")

    def cannot_be_told(what, room, done):
        is_closed(what, room, done, "cannot be told", "is not there any more", "migc journal adopt")

    for what, delete in (("the journal alone", lambda room: [path.unlink() for path in (room.folder / ".migc").glob("journal.db*")]),
                         ("all of .migc", lambda room: shutil.rmtree(room.folder / ".migc"))):
        room = approved(user)
        room.approve("ops")
        is_open(f"{what}: the first run", room, room.production(*given))
        delete(room)
        cannot_be_told(f"{what} deleted", room, room.production(*given))
        done = room.migc("plan", "a.mig", "--stage", "production", *given)
        check(f"{what} deleted: the plan says it before", "cannot be told" in done.words, done.text)
        room.stage("--set", "height=9")
        cannot_be_told(f"{what} deleted, and a run made before", room, room.production(*given))
        done = room.migc("journal", "adopt", "--because", " ")
        check("a reason is wanted", done.returncode == 2)
        done = room.migc("journal", "adopt", "--because", "the disk\nbroke")
        check("a person may give it up", done.returncode == 0 and "given up" in done.text, done.text)
        check("that is written down, as one line", "given up by" in room.migc("runs").text and "the disk\\nbroke" in room.migc("runs").text)
        check("once", room.migc("journal", "adopt", "--because", "again").returncode == 2)
        is_open("then it counts, and whoever looks at the run sees why", room, room.production(*given), "was given up by", "the disk\\nbroke")
        is_closed("once more", room, room.production(*given), "has used it up")
        delete(room)
        cannot_be_told("deleted again", room, room.production(*given))
        room.remove()

    # What is signed after all that the journal can have known is used up by none of it.
    room = approved(user)
    room.approve("ops")
    is_open("before it is deleted", room, room.production(*given))
    shutil.rmtree(room.folder / ".migc")
    earlier = time.time() - 600
    for note in room.notes.iterdir():
        os.utime(note, (earlier, earlier))
    room.stage()
    is_open("signed ten minutes after the journal was written last", room, room.production(*given))
    is_closed("and once more", room, room.production(*given), "has used it up")
    room.remove()

    # Given up, put back, used, and deleted again: it is a journal like any other.
    room = approved(user)
    room.approve("ops")
    kept = room.top / "kept"
    (room.folder / ".migc").rename(kept)
    check("given up without one", room.migc("journal", "adopt", "--because", "a test").returncode == 0)
    kept.rename(room.folder / ".migc")
    is_open("put back", room, room.production(*given))
    is_closed("it is known", room, room.production(*given), "has used it up")
    (room.folder / ".migc").rename(kept)
    cannot_be_told("and gone again", room, room.production(*given))
    room.remove()

    # Moved with its journal, a project goes on; what comes to lie in its old place is another one.
    room = approved(user)
    room.approve("ops")
    is_open("before it moves", room, room.production(*given))
    there, clone = room.top / "there", room.top / "clone"
    shutil.copytree(room.folder, clone, ignore=shutil.ignore_patterns(".migc"))
    room.folder.rename(there)
    clone.rename(room.folder)
    room.hand_over()
    is_closed("moved: it is used up", room, room.production(*given, cwd=there), "has used it up", "has moved to")
    room.stage()
    is_open("another project in its old place", room, room.production(*given))
    room.remove()

    # Evidence of a run that the journal which is gone had.
    room = Harbour(user)
    room.new_approver("ci-staging")
    room.stage()
    room.export("ci-staging")
    room.migc("undo", "last")
    shutil.rmtree(room.folder / ".migc")
    with_file = lambda: room.production("--evidence", "e.json")
    cannot_be_told("evidence, and its journal deleted", room, with_file())
    room.migc("journal", "adopt", "--because", "a test")
    is_open("given up", room, with_file())
    room.remove()

    # No time is before what it had.
    room = Harbour(user, gates='gate window "daily 00:00-24:00 UTC";')
    room.stage()
    shutil.rmtree(room.folder / ".migc")
    later = time.time() + 7200
    for note in room.notes.iterdir():
        os.utime(note, (later, later))
    is_closed("a clock before the newest row of a journal that is gone", room, room.production("--without-evidence", "--because", "a test"), "it was set back, or was wrong then")
    room.remove()


def titles(user):
    room = approved(user)
    text = json.loads(room.read("plan.json"))
    for title in ("Only a typo", "", "Load the pump "):
        room.write("edited.json", json.dumps({**text, "title": title}))
        room.hand_over()
        done = room.approve("ops", "edited.json", name="edited-approval.json")
        check(f"a plan that shows the title `{title}` is not signed", done.returncode == 2 and "the title" in done.words and not (room.folder / "edited-approval.json").exists(), done.text)
    without = {key: value for key, value in text.items() if key != "title"}
    room.write("edited.json", json.dumps(without))
    room.hand_over()
    check("nor one without", room.approve("ops", "edited.json").returncode == 2)
    parts = json.loads(json.dumps(text))
    parts["title"] = parts["digests"]["parts"]["run"]["title"] = "Only a typo"
    room.write("edited.json", json.dumps(parts))
    room.hand_over()
    done = room.approve("ops", "edited.json")
    check("nor one whose parts say so, too", done.returncode == 2 and "was edited" in done.words, done.text)
    room.approve("ops", text["digests"]["run"])
    is_open("a digest without a title", room, room.production("--approval", "ops.json"))
    room.remove()

    room = approved(user)
    room.approve("ops")
    room.script(APPROVED, title="Load the pump, and more")
    is_closed("a plan of another title is another run", room, room.production("--approval", "ops.json"), "approves another run")
    room.remove()


def names(user):
    """A name becomes a file's, so none leads elsewhere."""
    room = approved(user)
    digest = json.loads(room.read("plan.json"))["digests"]["run"]
    shutil.copy(room.keys / "ops" / "ops.key", room.outside / "ops.key")
    room.hand_over()
    for name in (f"../../outside/ops", f"{room.outside}/ops", ".", "..", "", "ops/../ops", "o\nps", "x" * 65):
        for words in (["approve", digest, "--as", name, "--out", "named.json"], ["evidence", "export", "last", "--stage", "staging", "--as", name, "--out", "named.json"],
                      ["approver", "new", name, "--no-passphrase"]):
            done = room.migc(*words, keys=room.keys / "ops")
            check(f"{words[0]} {name!r} is refused as a name", done.returncode == 2 and "a name has letters" in done.words and not (room.folder / "named.json").exists(), done.text)
    room.remove()


def who_runs_it(user):
    room = approved(user, gates='gate approval by 1 of ["ops", "lead", "me"];')
    own = room.home / ".config" / "migc" / "keys"
    room.new_approver("lead", folder=own)
    plan(room)
    room.migc("approve", "plan.json", "--as", "lead", "--out", "lead.json")
    given = ("--approval", "lead.json")
    is_closed("the key in one's own folder", room, room.production(*given), "lead runs it")
    for name in ("SUDO_USER", "USER", "LOGNAME", "SUDO_UID"):
        is_closed(f"{name} says another", room, room.production(*given, environment={name: "somebody"}), "lead runs it")
    room.approve("ops")
    same = room.approvers["ops"]
    room.approvers["lead"] = same
    room.inventory(room.environments)
    shutil.copytree(room.keys / "ops", room.keys / "lead")
    (room.keys / "lead" / "ops.key").rename(room.keys / "lead" / "lead.key")
    room.script('gate approval by 2 of ["ops", "lead"];')
    room.hand_over()
    shutil.rmtree(own)
    plan(room)
    room.approve("ops"), room.approve("lead")
    is_closed("two with one key", room, room.production("--approval", "ops.json", "--approval", "lead.json"), "1 of 2", "the same key")
    room.remove()

    # The account has another name than the person.
    user = user or subprocess.run(["id", "-un"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    uid = subprocess.run(["id", "-u", user], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    for entry in (f'{{{{ key: "{{}}", users: [{user}] }}}}', f'{{{{ key: "{{}}", users: [somebody, "{uid}"] }}}}'):
        room = Harbour(room.user, gates=APPROVED)
        room.new_approver("ops", entry)
        room.stage()
        plan(room)
        room.approve("ops")
        is_closed("an account of the person", room, room.production("--approval", "ops.json", environment={"SUDO_USER": "x", "USER": "x"}), "ops runs it")
        room.remove()


def as_in_the_user_database():
    """Accounts of our own, in a mount namespace: where no variable decides, and nothing of this machine is touched."""
    if not can_be_another():
        return print("as_in_the_user_database: only root can be another user")
    room = Harbour(gates='gate approval by 1 of ["ops", "kim"];')
    room.top.chmod(0o777)
    home = room.top / "kims"
    home.mkdir()
    passwd = room.write("passwd", f"root:x:0:0::{room.top}/roots:/bin/sh\nkim:x:4711:4711::{home}:/bin/sh\nops:x:4712:4712::{room.top}/opss:/bin/sh\n", room.top)
    passwd.chmod(0o644)
    room.new_approver("ops", folder=home / ".config" / "migc" / "keys")
    room.new_approver("kim")
    login = room.top / "login"

    def as_user(uid, *arguments, logged_in="4294967295", **environment):
        login.write_text(logged_in)
        subprocess.run(["chown", "-hR", str(uid), str(room.folder), str(room.home), str(home)], check=True)
        command = ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/passwd && mount --bind "$2" /proc/$$/loginuid && shift 2 && exec "$@"', "sh", str(passwd), str(login),
                   "setpriv", "--reuid", str(uid), "--regid", "4711", "--clear-groups", str(room.program), *allowed(arguments)]
        done = subprocess.run(command, cwd=room.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env={"PATH": f"{room.bin}:{os.environ['PATH']}", "HOME": str(room.home), "LANG": "C.UTF-8", **environment})
        done.text = done.stdout.decode("utf-8", "replace")
        done.words = " ".join(done.text.split())
        print(f"$ [{uid}] migc {' '.join(arguments)}\n{done.text}exit code {done.returncode}")
        return done

    (room.top / "ledger").touch()
    room.top.chmod(0o777), (room.top / "ledger").chmod(0o666), room.clusters.chmod(0o755)
    done = as_user(4711, "run", "a.mig", "--stage", "staging")
    if "mount" in done.text and done.returncode != 0:
        return print("as_in_the_user_database: nothing can be mounted here")
    check("staging runs as kim", done.returncode == 0, done.text)
    as_user(4711, "plan", "a.mig", "--stage", "production", "--save", "plan.json")
    as_user(4711, "approve", "plan.json", "--as", "ops", "--out", "ops.json", MIGC_KEYS=str(home / ".config/migc/keys"))
    production = ("run", "a.mig", "--stage", "production", "--approval", "ops.json")
    for more in ({}, {"MIGC_KEYS": "/nonexistent"}, {"HOME": "/nonexistent", "XDG_CONFIG_HOME": str(room.outside)}, {"MIGC_KEYS": str(room.outside), "SUDO_USER": "x"}):
        # The witness lies in HOME: it stays, or the journal would not be known either.
        is_closed(f"the key in the home of the user database, with {more}", room, as_user(4711, *production, **more), "ops runs it")
    keys = home / ".config" / "migc" / "keys"
    keys.chmod(0)
    is_closed("a folder of one's own that cannot be read", room, as_user(4711, *production), "nobody can tell who runs it")
    keys.chmod(0o700)
    shutil.copytree(keys, room.top / "elsewhere")
    shutil.rmtree(keys)
    keys.symlink_to(room.top / "elsewhere")
    subprocess.run(["chown", "-R", "4711", str(room.top / "elsewhere")], check=True)
    is_closed("which is a link", room, as_user(4711, *production), "ops runs it")
    keys.unlink()
    is_closed("who logged in, whatever the account is", room, as_user(4711, *production, logged_in="4712"), "ops runs it")
    is_closed("also as root", room, as_user(0, *production, logged_in="4712", HOME=str(room.home)), "ops runs it")
    done = as_user(4711, *production)
    check("kim without the key is not ops", done.returncode == 0, done.text)
    check("the journal names who it was", "run by kim" in as_user(4711, "show", "last", SUDO_USER="x", USER="x").text)
    room.remove()


def the_clock(user):
    room = Harbour(user, gates='gate window "daily 00:00-24:00 UTC";')
    room.stage()
    journal = room.folder / ".migc" / "journal.db"
    with sqlite3.connect(journal) as database:
        database.execute("UPDATE runs SET begun_ms = begun_ms + 7200000")
    database.close()
    room.hand_over()
    done = room.production("--without-evidence", "--because", "a test")
    is_closed("a clock before the journal's newest row", room, done, "it was set back, or was wrong then", "note: the clock says")
    room.script("")
    room.inventory(PLACES % "" + 'freezes: [{ from: "2001-01-01", to: "2001-01-02", zone: UTC, why: "long ago" }]\n')
    done = room.production("--without-evidence", "--because", "a test")
    is_closed("freezes need to know the time, too", room, done, "it was set back, or was wrong then")
    room.inventory(PLACES % "")
    done = room.production("--without-evidence", "--because", "a test")
    check("what does not ask the time runs", done.returncode == 0, done.text)
    room.remove()
    if user is not None:
        return  # it is the clock that differs, and libfaketime wants semaphores that are its user's
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        return print("the_clock: no faketime, so that no clock is set; tests/unit/calendar_test.cpp asks the gate itself")
    room = approved(user)
    room.approve("ops", "plan.json", "--valid", "1h")
    done = room.migc("run", "a.mig", "--stage", "staging", "--set", "height=9", environment={"LD_PRELOAD": str(library), "FAKETIME": "+2h", "DONT_FAKE_MONOTONIC": "1"})
    check("a run two hours later", done.returncode == 0, done.text)
    is_closed("an expired one with the clock set back", room, room.production("--approval", "ops.json"), "it expired")
    room.remove()


PARTS = (where_it_passed, out_of_reach, in_one_run, as_a_file, evidence_ends, used_up, gone, titles, names, who_runs_it, the_clock)
for part in PARTS:
    if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
        for user in users():
            print(f"\n== {part.__name__} as {user or 'who we are'}")
            part(user)
if not sys.argv[1:] or as_in_the_user_database.__name__ in sys.argv[1:]:
    as_in_the_user_database()
finish()
