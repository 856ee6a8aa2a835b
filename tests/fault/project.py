"""A project whose tools are fakes: they keep their state in files, and write each thing that they do into a ledger. Whatever
migc says about a run is held against both."""
import contextlib, json, os, pathlib, re, shutil, sqlite3, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC

# What is in the ledger has happened: a tool that is ended before has done nothing. (An interrupt is for the whole group,
# so it may end the `mv` of a tool that goes on.)
TOOL = """#!/bin/sh
cd '@' || exit 9
case "$1" in
get) [ ! -f down ] || { echo "no route to host" >&2; exit 7; }
    [ -f "state/$2" ] || { echo "no such thing" >&2; exit 1; }; cat "state/$2" ;;
set) printf %s "$3" > "new/$2.$$"; mv "new/$2.$$" "state/$2" && echo "set $2 $3" >> ledger ;;
del) rm -f "state/$2"; echo "del $2" >> ledger ;;
count) echo x >> "counts/$2"; echo "count $2" >> ledger ;;
uncount) echo "uncount $2" >> ledger; sed -i '$d' "counts/$2" ;;
late) touch "at-work"; sleep 0.5; echo "uncount $2" >> ledger; sed -i '$d' "counts/$2" ;;
latecount) touch "at-work"; sleep 0.5; echo x >> "counts/$2"; echo "count $2" >> ledger ;;
slow) sleep "${4:-0.5}"; printf %s "$3" > "new/$2.$$"; mv "new/$2.$$" "state/$2" && echo "set $2 $3" >> ledger ;;
deaf) trap 'echo "int $$" >> signals' INT; trap 'echo "term $$" >> signals' TERM
    for i in 1 2 3 4 5 6; do sleep 0.05; done
    printf %s "$3" > "new/$2.$$"; mv "new/$2.$$" "state/$2" && echo "set $2 $3" >> ledger ;;
say) echo "say $2" >> ledger ;;
no) echo "no: $2" >&2; exit 1 ;;
esac
"""

VERBS = """
tool fake < program "@/fake"; within 20s; >
resource thing;

probe value of (name: string): string < read fake ["get", name] absent on "no such thing"; >

verb drop (name: string) <
    effect value of name becomes absent;
    do fake ["del", name];
    undo none because "it is a way back";
>
verb put (name: string) to (value: string) <
    capture prior = value of name;
    effect value of name becomes value;
    do fake ["set", name, value];
    undo < if prior is absent < drop name; > else < put name to prior; > >;
>
# Nobody can see whether it was done, and doing it twice is twice too many.
verb count (name: string) < do fake ["count", name]; undo < uncount name; >; >
verb uncount (name: string) < do fake ["uncount", name]; undo none because "it is a way back"; >
verb pair (one: string) with (two: string) <
    capture before = value of one;
    steps < put one to "${one}-1"; put two to "${two}-1"; >
>
verb slowly count (name: string) < do fake ["latecount", name]; undo < uncount name; >; >
verb very slowly put (name: string) to (value: string) <
    effect value of name becomes value;
    do fake ["slow", name, value, "1.5"];
    undo drop name;
>
verb slowly uncount (name: string) < do fake ["late", name]; undo none because "it is a way back"; >
verb slowly put (name: string) to (value: string) <
    effect value of name becomes value;
    do fake ["slow", name, value];
    undo drop name;
>
# Notes each signal that it gets, and goes on.
verb stubbornly put (name: string) to (value: string) <
    effect value of name becomes value;
    do fake ["deaf", name, value];
    undo drop name;
>
verb say (text: string) < do fake ["say", text]; undo none because "words"; >
verb refuse (why: string) < do fake ["no", why]; undo none because "it does nothing"; >
"""


class Project:
    def __init__(self, stages, **state):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="migc-fault-"))
        for name in ("state", "new", "counts"):
            (self.folder / name).mkdir()
        tool = self.folder / "fake"
        tool.write_text(TOOL.replace("@", str(self.folder)))
        tool.chmod(0o755)
        (self.folder / "verbs.mig").write_text(VERBS.replace("@", str(self.folder)))
        (self.folder / "script.mig").write_text('use "verbs.mig";\n' + stages)
        for name, value in state.items():
            (self.folder / "state" / name).write_text(value)
        self.initial = self.state()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *arguments):
        extra = [] if arguments[0] in ("resolve", "show", "runs", "sheet") else ["--context", "none", "--allow-tools"]
        return [MIGC, *arguments, *extra]

    def migc(self, *arguments, under=(), **options):
        """The exit code and everything that it said."""
        done = subprocess.run([*under, *self.command(*arguments)], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **options)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def run(self, **options):
        return self.migc("run", "script.mig", **options)

    def ledger(self):
        path = self.folder / "ledger"
        return path.read_text().splitlines() if path.exists() else []

    def state(self):
        values = {p.name: p.read_text() for p in sorted((self.folder / "state").iterdir())}
        for path in sorted((self.folder / "counts").iterdir()):
            if path.read_text():
                values["#" + path.name] = path.read_text()
        return values

    def twice(self):
        """What was done although it was there already, or taken back although it was not."""
        there, wrong = dict(self.initial), []
        for line in self.ledger():
            what, _, rest = line.partition(" ")
            name, _, value = rest.partition(" ")
            if what == "set":
                if there.get(name) == value:
                    wrong.append(line)
                there[name] = value
            elif what == "del" and there.pop(name, None) is None:
                wrong.append(line)
            elif what == "count":
                there["#" + name] = there.get("#" + name, 0) + 1
                if there["#" + name] > 1:
                    wrong.append(line)
            elif what == "uncount":
                there["#" + name] = there.get("#" + name, 0) - 1
                if there["#" + name] < 0:
                    wrong.append(line)
        return wrong

    def declared_is_there(self, step, inverse):
        """Whether what the newest intent of a step declared is in the state; None where it declared nothing."""
        kind = "undo-intent" if inverse else "intent"
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/.migc/journal.db?mode=ro", uri=True)) as journal:
            bodies = [json.loads(b) for k, b in journal.execute("SELECT kind, body FROM history ORDER BY number") if k == kind]
        mine = [b for b in bodies if b.get("step") == step]
        if not mine or not mine[-1].get("declared"):
            return None
        state = self.state()
        return all(state.get(phrase.split('"')[1]) == (None if isinstance(value, dict) else value)
                   for phrase, value in mine[-1]["declared"].items())

    def resolve_truly(self, said):
        """Does what a person does about a step in doubt: looks, and says how it was."""
        step = re.search(r"`migc resolve \\S+ (\\S+) ".replace("\\\\", "\\"), said)
        if not step:
            return False
        shown = self.migc("show", "last")[1]
        inverse = re.search(r"\? the undo of [^\n]*" + re.escape(step.group(1)) + r"\b", shown) is not None
        there = self.declared_is_there(step.group(1), inverse)
        if there is None:  # a step that nobody can see
            there = (self.state().get("#mark") is None) if inverse else (self.state().get("#mark") is not None)
        done = there
        code, text = self.migc("resolve", "last", step.group(1), "done" if done else "not-done", "--because", "looked")
        assert code == 0, text
        return True


class Failed(Exception):
    """Something is not as it should be. Where only that is asked (mutants.py), it is the end of the test."""

    def __init__(self, words):
        super().__init__(words)
        if "FAULT_FIRST" in os.environ:
            print(f"wrong: {words}", flush=True)
            os._exit(1)


def check(condition, project, *words):
    if not condition:
        raise Failed(" ".join(str(w) for w in words) + f"\n  ledger: {project.ledger()}\n  state: {project.state()}\n"
                     + project.migc("show", "last")[1])


def to_the_end(project, command, expected, tries=6):
    """Goes on until the run is no longer in doubt; a person decides where only a person can."""
    for _ in range(tries):
        code, said = project.migc(command, "last")
        if code == 2 and "no run" in said or "there are no runs yet" in said:
            return "nothing", said
        if code != 4:
            check(code in expected, project, command, "exit code", code, said)
            return code, said
        check(project.resolve_truly(said), project, command, "in doubt without a step to decide about:", said)
    raise Failed(f"{command} stays in doubt: {said}")
