#!/usr/bin/env python3
"""Whom a run trusts: what is reviewed is what runs, approvals, promotion evidence, secrets. Live runs of a small tool of our own,
which writes down everything that it was given.

    MIGC=build/cli/migc trust.py"""
import base64, json, os, pathlib, re, shutil, sqlite3, stat, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, Project, check, finish

CANARIES = {"file": "canary-file-8d1f4c", "env": "canary-env-77ab02", "command": "canary-command-5e9d31"}

TOOL = """#!/bin/sh
state={state}
{{ printf 'argv'; printf ' <%s>' "$@"; echo; env; }} >> "$state/ledger"
case "$1" in
get) cat "$state/$2" 2>/dev/null || echo 1 ;;
set) echo "$3" > "$state/$2"; if [ -f "$state/on-set" ]; then sh "$state/on-set"; fi ;;
login) read token; echo "$token" > "$state/received"; echo "session of $token"; echo "warning: $token" >&2 ;;
refuse) read token; echo "rejected: $token, $(printf '%s' "$token" | base64)" >&2; exit 1 ;;
check) exit 0 ;;
esac
"""

DECLARATIONS = """
tool box < program "box"; >
probe level of (name: string): int < read box ["get", name]; >
verb raise (name: string) to (n: int) <
    capture prior = level of name;
    effect level of name becomes n;
    do box ["set", name, n];
    undo raise name to prior;
>
verb log in with (token: secret) < do box ["login"] stdin token; undo none because "a session ends by itself"; >
verb present (token: secret) < do box ["refuse"] stdin token; undo none because "it is refused"; >
verb examine (file: path) < do box ["check", file]; undo none because "it only reads"; >
"""

INVENTORY = """
order: [staging, production]
environments:
  staging: {}
  production: { protected: true }
"""

BOTH = """
param height: int = 4;
stage staging < examine "conf/a.txt"; raise "pump" to height; verify level of "pump" is height; > on failure undo;
stage production repeats staging < gate staging passed; %s > on failure undo;
"""


class Shop(Project):
    def __init__(self, script, inventory=INVENTORY):
        super().__init__()
        self.state, self.bin, self.keys = (pathlib.Path(f"{self.folder}-{n}") for n in ("state", "bin", "keys"))
        for folder in (self.state, self.bin):
            folder.mkdir()
        self.tool = self.bin / "box"
        self.tool.write_text(TOOL.format(state=self.state))
        self.tool.chmod(0o755)
        self.write("migc.yaml", inventory)
        self.write("box.mig", DECLARATIONS)
        self.write("a.mig", 'use "box.mig";\n' + script)
        self.write("conf/a.txt", "one\n")

    def migc(self, *arguments, keys=None, **more):
        environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", "MIGC_KEYS": str(keys or self.keys), **more}
        return super().migc(*arguments, environment=environment)

    def digests(self, *arguments):
        lines = self.migc("plan", "a.mig", "--digest", *arguments).stdout.split()
        return lines[lines.index("change") + 1], lines[lines.index("run") + 1]

    def sets(self):
        ledger = self.state / "ledger"
        return [line for line in ledger.read_text().splitlines() if line.startswith("argv <set>")] if ledger.exists() else []

    def remove(self):
        super().remove()
        for folder in (self.state, self.bin, self.keys):
            shutil.rmtree(folder, ignore_errors=True)


def refused(what, done, *words, code=5):
    check(what, done.returncode == code and all(word in done.stdout for word in words), done.stdout)


def what_is_reviewed():
    shop = Shop(BOTH % "")
    change, run = shop.digests()
    plan = shop.migc("plan", "a.mig").stdout
    check("plan prints both digests", f"change digest {change[:12]}\n" in plan and f"run digest    {run[:12]}\n" in plan)
    shop.write("a.mig", shop.read("a.mig").replace("stage staging", "# a comment\nstage   staging"))
    check("layout and comments are no matter", shop.digests() == (change, run))
    check("a value is part of the run only", shop.digests("--set", "height=5")[0] == change and shop.digests("--set", "height=5")[1] != run)
    check("one stage is part of the run only", shop.digests("--stage", "production")[0] == change and shop.digests("--stage", "production")[1] != run)
    shop.write("conf/a.txt", "two\n")
    check("a file is part of both", shop.digests()[0] != change and shop.digests()[1] != run)
    shop.write("conf/a.txt", "one\n")

    refused("another digest is refused", shop.migc("run", "a.mig", "--expect", "0" * 64), "nothing is begun", change[:12])
    refused("what is no digest is refused", shop.migc("run", "a.mig", "--expect", "run"), "wants a digest", code=2)
    check("and nothing was done", shop.sets() == [])

    shop.migc("plan", "a.mig", "--save", "plan.json")
    check("a plan is for its owner", stat.S_IMODE(os.stat(shop.folder / "plan.json").st_mode) == 0o600)
    shop.write("conf/a.txt", "two\n")
    refused("a file that drifted is named", shop.migc("run", "a.mig", "--plan", "plan.json"), "the file conf/a.txt was changed")
    shop.write("conf/a.txt", "one\n")
    refused("a value that drifted is named", shop.migc("run", "a.mig", "--plan", "plan.json", "--set", "height=9"), "value of height was 4 and is 9")
    (shop.state / "pump").write_text("3\n")
    refused("a live value that drifted is named", shop.migc("run", "a.mig", "--plan", "plan.json"), 'level of "pump" is 3, the plan was made when it was 1')
    (shop.state / "pump").unlink()
    text = shop.tool.read_text()
    shop.tool.write_text(text + "# another build\n")
    refused("a tool that drifted is named", shop.migc("run", "a.mig", "--plan", "plan.json"), "the tool box", "another program")
    shop.tool.write_text(text)
    script = shop.read("a.mig")
    shop.write("a.mig", script.replace('verify level of "pump" is height;', ""))
    refused("a script that drifted is named", shop.migc("run", "a.mig", "--plan", "plan.json"), "the script, or a file that it uses")
    shop.write("a.mig", script)
    edited = json.loads(shop.read("plan.json"))
    edited["digests"]["parts"]["change"]["files"]["conf/a.txt"] = "0" * 64
    shop.write("edited.json", json.dumps(edited))
    refused("an edited plan is refused", shop.migc("run", "a.mig", "--plan", "edited.json"), "was edited")
    shop.write("wrong.json", "[]")
    refused("what is no plan is refused", shop.migc("run", "a.mig", "--plan", "wrong.json"), "is no plan")
    check("and still nothing was done", shop.sets() == [])

    done = shop.migc("run", "a.mig", "--plan", "plan.json", "--expect", run)
    check("what is as it was planned runs", done.returncode == 0 and len(shop.sets()) == 1, done.stdout)
    runs = list((shop.folder / ".migc" / "runs").iterdir())
    copy = runs[0] / "inputs" / "conf" / "a.txt"
    check("the run has its own copy", copy.read_text() == "one\n")
    private = [p for p in (shop.folder / ".migc").rglob("*") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    check("which is for its owner only", private == [], private)
    check("the journal names both digests", all(f"digest {digest[:12]}\n" in shop.migc("show", "last").stdout for digest in (change, run)))
    shop.remove()


def in_the_middle():
    script = 'stage staging < raise "pump" to 4; examine "conf/a.txt"; raise "tank" to 5; > on failure undo;'
    shop = Shop(script)
    (shop.state / "on-set").write_text(f"echo changed > {shop.folder}/conf/a.txt\n")
    refused("a file that is changed in the middle holds the run", shop.migc("run", "a.mig"), "conf/a.txt was changed", code=3)
    check("and nothing more is done", len(shop.sets()) == 1)
    (shop.state / "on-set").unlink()
    done = shop.migc("undo", "last")
    check("which can be undone all the same", done.returncode == 0 and (shop.state / "pump").read_text() == "1\n", done.stdout)
    shop.remove()

    # What differs when a run is to go on is named in one line, whatever a file is called.
    forged = "a\nmigc: all is as it was"
    shop = Shop(r'stage staging < raise "pump" to 4; examine "conf/a\nmigc: all is as it was"; > on failure hold;')
    (shop.folder / "conf" / forged).write_text("one\n")
    (shop.state / "on-set").write_text(f"echo changed > '{shop.folder}/conf/{forged}'\n")
    shop.migc("run", "a.mig")
    done = shop.migc("resume", "last")
    check("a name with a line break forges no line", done.returncode == 5 and "not as when" in done.stdout and "\nmigc: all is" not in done.stdout, done.stdout)
    shop.remove()

    shop = Shop(script)
    tool = pathlib.Path(shop.tool)
    before = tool.read_text()
    (shop.state / "on-set").write_text(f"echo '# changed' >> {shop.tool}\n")
    refused("what a tool did that was changed meanwhile is not looked at with it", shop.migc("run", "a.mig"), "is not the program that it was", code=4)
    check("nor does it undo anything", shop.migc("undo", "last").returncode == 4)
    (shop.state / "on-set").unlink()
    tool.write_text(before)
    shop.migc("resolve", "last", "staging/1", "done", "--because", "the pump shows 4")
    check("with the one that it was it can be undone", shop.migc("undo", "last").returncode == 0)
    shop.remove()

    shop = Shop('stage staging < run script "make.sh" undo none because "a draft"; examine "conf/a.txt"; > on failure undo;')
    shop.program("make.sh", "#!/bin/sh\necho made > conf/a.txt\n")
    check("what the run's own program writes is no drift", shop.migc("run", "a.mig").returncode == 0)
    shop.remove()

    shop = Shop('stage staging < examine "conf"; > on failure undo;')
    os.symlink("/etc/passwd", shop.folder / "conf" / "link")
    refused("a link out of the project is refused", shop.migc("run", "a.mig"), "conf/link: it leads out of the project's folder", code=2)
    shop.remove()


def approvals():
    shop = Shop(BOTH % 'gate approval by 2 of ["ops", "lead"];')
    others = pathlib.Path(f"{shop.folder}-others")
    made = {name: shop.migc("approver", "new", name, "--no-passphrase", keys=others).stdout for name in ("ops", "lead")}
    shop.write("pass", "correct horse\n")
    made["boss"] = shop.migc("approver", "new", "boss", "--passphrase-file", "pass", keys=others).stdout
    key = {name: re.search(r"migc-key:\S{43}", text).group() for name, text in made.items()}
    modes = {stat.S_IMODE(p.stat().st_mode) for p in others.iterdir()}
    check("private keys are for their owner", modes == {0o600} and stat.S_IMODE(others.stat().st_mode) == 0o700)
    check("a key is not made twice", shop.migc("approver", "new", "ops", "--no-passphrase", keys=others).returncode == 2)
    shop.write("migc.yaml", INVENTORY + "approvers:\n" + "".join(f'  {name}: "{text}"\n' for name, text in key.items()))

    shop.migc("plan", "a.mig", "--save", "plan.json")
    approve = lambda name, *more: shop.migc("approve", *more, "--as", name, "--out", f"{name}.json", keys=others)
    check("an approver signs a plan", approve("ops", "plan.json").returncode == 0)
    check("a passphrase is needed", shop.migc("approve", "plan.json", "--as", "boss", keys=others).returncode == 2)
    check("and is enough", approve("boss", "plan.json", "--passphrase-file", "pass").returncode == 0)
    check("without a key nothing is signed", shop.migc("approve", "plan.json", "--as", "ops").returncode == 2)
    run = lambda *files, **more: shop.migc("run", "a.mig", *[w for f in files for w in ("--approval", f)], **more)

    approve("lead", shop.digests()[1])
    original = shop.read("lead.json")
    refused("one of two is not enough", run("ops.json"), "1 of 2 approvals, by ops")
    shop.write("lead.json", original.replace("lead@", "kim@").replace('"title": ""', '"title": "x"'))
    refused("a tampered one is refused", run("ops.json", "lead.json"), "changed after it was signed")
    refused("the same twice is refused", run("ops.json", "ops.json"), "ops has approved already")
    refused("one who is not asked is refused", run("ops.json", "boss.json"), "boss is not asked here")
    approve("lead", "plan.json", "--valid", "1s")
    time.sleep(1.1)
    refused("an expired one is refused", run("ops.json", "lead.json"), "it expired")
    approve("lead", "0" * 64)
    refused("one of another run is refused", run("ops.json", "lead.json"), "approves another run")
    shop.write("lead.json", original)
    refused("the one who runs it does not count", run("ops.json", "lead.json", keys=others), "runs it, and so cannot approve it")
    refused("another value is another run", shop.migc("run", "a.mig", "--set", "height=5", "--approval", "ops.json", "--approval", "lead.json"), "2 files approve another run")
    (shop.folder / ".migc" / "approvals").mkdir(parents=True)
    shutil.copy(shop.folder / "lead.json", shop.folder / ".migc" / "approvals")
    (shop.state / "pump").unlink(missing_ok=True)
    done = run("ops.json")
    check("two of two open the gate, one from .migc/approvals", done.returncode == 0 and "approved by lead, ops" in done.stdout, done.stdout)
    check("who approved is in the journal", "approved by lead, ops" in shop.migc("show", "last").stdout)
    shutil.rmtree(others)
    shop.remove()


def promotion():
    shop = Shop(BOTH % "")
    refused("production alone is refused", shop.migc("run", "a.mig", "--stage", "production"), "no live run in which staging passed")
    refused("an unknown stage is refused", shop.migc("run", "a.mig", "--stage", "producton"), "did you mean `production`", code=2)
    check("staging alone passes", shop.migc("run", "a.mig", "--stage", "staging").returncode == 0)
    shop.write("conf/a.txt", "two\n")
    refused("another change has not passed", shop.migc("run", "a.mig", "--stage", "production"), "with this change")
    shop.write("conf/a.txt", "one\n")
    done = shop.migc("run", "a.mig", "--stage", "production")
    check("the same change has", done.returncode == 0 and "staging passed in run" in done.stdout, done.stdout)

    others = pathlib.Path(f"{shop.folder}-others")
    key = re.search(r"migc-key:\S{43}", shop.migc("approver", "new", "ci", "--no-passphrase", keys=others).stdout).group()
    first = re.findall(r"(\S+-2)\s", shop.migc("runs").stdout)[-1]
    shop.migc("evidence", "export", first, "--stage", "staging", "--as", "ci", "--out", "evidence.json", keys=others)
    shop.migc("undo", first)
    refused("an undo takes the evidence back", shop.migc("run", "a.mig", "--stage", "production"), "no live run in which staging passed")
    check("of what is undone there is none to export", shop.migc("evidence", "export", first, "--stage", "staging", "--as", "ci", keys=others).returncode == 2)

    other = Shop(BOTH % "", INVENTORY + f'approvers: {{ ci: "{key}" }}\n')
    shutil.copy(shop.folder / "evidence.json", other.folder)
    done = other.migc("run", "a.mig", "--stage", "production", "--evidence", "evidence.json")
    check("signed evidence opens the gate elsewhere", done.returncode == 0 and "says evidence.json" in done.stdout, done.stdout)
    other.write("evidence.json", other.read("evidence.json").replace('"live"', '"alive"'))
    refused("tampered evidence does not", other.migc("run", "a.mig", "--stage", "production", "--evidence", "evidence.json"), "changed after it was signed")
    other.write("migc.yaml", INVENTORY)
    shutil.copy(shop.folder / "evidence.json", other.folder)
    refused("nor one of a stranger", other.migc("run", "a.mig", "--stage", "production", "--evidence", "evidence.json"), "no key of ci")
    other.remove()
    shutil.rmtree(others)
    shop.remove()


def edited_files():
    script = """
stage staging < set value of "conf/b.json" at "/size" to 4; > on failure undo;
stage production repeats staging < gate staging passed; > on failure undo;
"""
    shop = Shop(script)
    shop.write("conf/b.json", '{"size": 2}\n')
    check("a stage that edits a file passes", shop.migc("run", "a.mig", "--stage", "staging").returncode == 0)
    runs = list((shop.folder / ".migc" / "runs").iterdir())
    check("the run's copy is edited alike", json.loads((runs[0] / "inputs/conf/b.json").read_text()) == {"size": 4})
    check("the edited file is the same change", shop.migc("run", "a.mig", "--stage", "production").returncode == 0)
    shop.write("conf/b.json", '{"size": 2}\n')
    check("and so is the file as it was reviewed", shop.migc("run", "a.mig", "--stage", "production").returncode == 0)
    shop.remove()


def emergencies():
    script = 'migration "Fire" < emergency "the pump burns"; >\nstage production < gate approval by 1 of ["ops"]; gate window "mon 00:00-00:01 UTC"; raise "pump" to 4; %s > on failure undo;'
    shop = Shop(script % "", INVENTORY + 'freezes: [{ from: "2001-01-01", to: "2999-01-01", zone: UTC, why: "holidays" }]\n')
    plan = shop.migc("plan", "a.mig").stdout
    check("a plan says that it is an emergency", "!!! EMERGENCY: the pump burns !!!" in plan, plan)
    done = shop.migc("run", "a.mig")
    check("an emergency waives gates and freezes", done.returncode == 0 and done.stdout.count("WAIVED BY THE EMERGENCY") >= 2 and "holidays" in done.stdout, done.stdout)
    check("which the run says", "!!! EMERGENCY: the pump burns !!!" in done.stdout)
    check("and the journal", "!!! EMERGENCY: the pump burns !!!" in shop.migc("show", "last").stdout)
    shop.write("a.mig", 'use "box.mig";\n' + script % 'verify level of "pump" is 5 within 1s;')
    (shop.state / "pump").unlink()
    done = shop.migc("run", "a.mig")
    check("but never its undo", done.returncode == 1 and (shop.state / "pump").read_text() == "1\n", done.stdout)
    shop.write("a.mig", 'use "box.mig";\nstage production < raise "pump" to 4; > on failure undo;')
    refused("a freeze closes a protected environment", shop.migc("run", "a.mig"), "changes are frozen until 2999-01-02", "holidays")
    shop.write("a.mig", 'use "box.mig";\nstage staging < raise "pump" to 4; > on failure undo;')
    check("and no other", shop.migc("run", "a.mig").returncode == 0)
    shop.remove()


def bytes_of(folder):
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path, path.read_bytes()


def secrets():
    inventory = """
order: [staging]
environments:
  staging:
    secrets:
      one: { file: .secrets/one }
      two: { env: CANARY }
      three: { command: [./vault.sh, read] }
"""
    script = """
param one: secret;
param two: secret;
param three: secret;
stage staging < raise "pump" to 4; verify level of "pump" is 4; log in with one; log in with two; log in with three; %s > on failure undo;
"""
    shop = Shop(script % "", inventory)
    shop.write(".secrets/one", CANARIES["file"] + "\n")
    shop.program("vault.sh", f"#!/bin/sh\necho {CANARIES['command']}\n")
    outputs = []

    def migc(*arguments, code=None):
        done = shop.migc(*arguments, CANARY=CANARIES["env"])
        outputs.append(done.stdout)
        if code is not None:
            check(f"migc {' '.join(arguments[:2])} ends with {code}", done.returncode == code, done.stdout)
        return done

    migc("check", "a.mig", code=0)
    migc("plan", "a.mig", "--json", code=0)
    migc("plan", "a.mig", "--save", "plan.json", code=0)
    migc("run", "a.mig", "--record", "transcript", code=0)
    check("the tool got each of them", (shop.state / "received").read_text().strip() == CANARIES["command"])
    (shop.state / "received").unlink()
    migc("run", "a.mig", "--json", code=0)
    migc("run", "a.mig", "--replay", "transcript", code=0)
    migc("show", "last", "--json")
    shop.write("a.mig", 'use "box.mig";\n' + script % 'raise "tank" to 3; present three;')
    migc("run", "a.mig", code=1)
    migc("run", "a.mig", "--json", "--record", "transcript2", code=1)
    migc("show", "last", "--json")
    migc("show", "last")
    migc("undo", "last")
    refused("a secret is not given on the command line", migc("run", "a.mig", "--set", "one=canary-argv"), "everybody on this machine", code=2)
    (shop.state / "received").unlink(missing_ok=True)

    database = sqlite3.connect(shop.folder / ".migc" / "journal.db")
    database.execute("PRAGMA wal_checkpoint")
    database.close()
    for kind, canary in CANARIES.items():
        own = {shop.folder / ".secrets/one", shop.folder / "vault.sh"}
        forms = [canary.encode(), base64.b64encode(canary.encode())]
        hits = [str(path) for folder in (shop.folder, shop.state) for path, data in bytes_of(folder) if path not in own and any(f in data for f in forms)]
        hits += [f"output {i}" for i, text in enumerate(outputs) if any(f.decode() in text for f in forms)]
        check(f"the secret from {kind}: 0 hits in argv, environment, journal, .migc, transcripts, plan and {len(outputs)} outputs", hits == [], hits)
    shop.write(".secrets/one", "abc\n")
    refused("a secret that could not be hidden is refused", migc("run", "a.mig"), "shorter than 4 characters", code=2)
    (shop.folder / ".secrets/one").unlink()
    refused("one that is not there is named", migc("run", "a.mig"), ".secrets/one cannot be read: there is no such file", code=2)
    for body, words in (('do box ["login", token];', "cannot be an argument"), ('do box ["login", "${token}"];', "cannot become part of a string")):
        shop.write("b.mig", 'use "box.mig";\nparam one: secret;\nverb leak (token: secret) < %s undo none because "x"; >\nstage staging < leak one; > on failure undo;' % body)
        done = migc("check", "b.mig")
        check(f"refused: {body}", done.returncode != 0 and words in done.stdout, done.stdout)
    shop.remove()


def what_children_see():
    shop = Shop('stage staging < raise "pump" to 4; > on failure undo;')
    shop.migc("run", "a.mig", UNRELATED="canary-unrelated", LD_PRELOAD="", TF_CLI_ARGS_apply="-auto-approve")
    ledger = (shop.state / "ledger").read_text()
    check("children get an allow-listed environment", not any(n in ledger for n in ("canary-unrelated", "LD_PRELOAD", "TF_CLI_ARGS", "MIGC_KEYS")))
    shop.remove()


def example():
    """examples/approved, in the simulated world, with keys of its own."""
    project = Project()
    source = SOURCE / "examples" / "approved"
    others = {name: f"{project.folder}-{name}" for name in ("ops", "lead")}
    project.write("deploy.mig", (source / "deploy.mig").read_text())
    inventory = (source / "migc.yaml").read_text()
    migc = lambda *arguments, who="nobody": project.migc(*arguments, environment={"MIGC_KEYS": others.get(who, f"{project.folder}-none")})
    for name in others:
        key = re.search(r"migc-key:\S{43}", migc("approver", "new", name, "--no-passphrase", who=name).stdout).group()
        inventory = re.sub(rf"{name}: \"migc-key:.*\"", f'{name}: "{key}"', inventory)
    project.write("migc.yaml", inventory)
    simulated = ("--world", "learning")
    check("the example passes in staging", migc("run", "deploy.mig", "--stage", "staging", *simulated).returncode == 0)
    migc("plan", "deploy.mig", "--stage", "production", "--save", "plan.json", *simulated)
    production = ("run", "deploy.mig", "--stage", "production", "--plan", "plan.json", *simulated)
    refused("production waits for its approvals", migc(*production), "0 of 2 approvals")
    for name in others:
        migc("approve", "plan.json", "--as", name, "--out", f"{name}.json", who=name)
    refused("one approval is not enough", migc(*production, "--approval", "ops.json"), "1 of 2 approvals, by ops")
    done = migc(*production, "--approval", "ops.json", "--approval", "lead.json")
    check("with both it runs", done.returncode == 0 and "approved by lead, ops" in done.stdout, done.stdout)
    for folder in others.values():
        shutil.rmtree(folder, ignore_errors=True)
    project.remove()


for part in (what_is_reviewed, in_the_middle, approvals, promotion, edited_files, emergencies, secrets, what_children_see, example):
    if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
        print(f"\n== {part.__name__}")
        part()
finish()
