#!/usr/bin/env python3
"""terraform while somebody else acts, too: another folder of the same state, a workspace that is switched, a state that goes, a lock."""
import json, os, pathlib, shutil, signal, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, Project, check, finish, need, wait_for

need("terraform")
REAL = shutil.which("terraform")
INVENTORY = "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none, terraform: { dir: terraform, var-file: s.tfvars } }\n"
MAIN = """terraform {
  backend "local" { path = "STORE/terraform.tfstate" }
}
variable "node_count" { type = number }
variable "label" {
  type    = string
  default = "pool"
}
variable "extra" {
  type    = bool
  default = false
}
resource "terraform_data" "node" {
  count = var.node_count
  input = var.label
}
resource "terraform_data" "extra" { count = var.extra ? 1 : 0 }
output "nodes" { value = length(terraform_data.node) }
"""
# Before terraform's subcommand `word` once runs `hook`; the operator's own terraform is the real one.
WRAPPER = """#!/bin/sh
for word in "$@"; do
    if [ -e "HERE/hook-$word" ]; then
        mv "HERE/hook-$word" "HERE/hooked"
        sh "HERE/hooked" || exit 99
    fi
done
exec REAL "$@"
"""
GROW = 'stage staging < set variable "node_count" to 4; plan terraform as p; expect p adds 1 changes 0 destroys 0; apply p; > on failure undo;\n'
FAIL = GROW.replace("apply p;", 'apply p; verify terraform output "nodes" is 99 within 1s;')


class Folder:
    """A project whose state is in `store`, with a wrapper around terraform that lets others act in a chosen moment."""

    def __init__(self, store, count=3):
        self.store = store
        self.project = Project(**{"migc.yaml": INVENTORY, "terraform/main.tf": MAIN.replace("STORE", str(store)), "terraform/s.tfvars": f"node_count = {count}\n",
                                  "grow.mig": GROW, "fail.mig": FAIL})
        self.bin = pathlib.Path(tempfile.mkdtemp(prefix="migc-bin-"))
        (self.bin / "terraform").write_text(WRAPPER.replace("HERE", str(self.bin)).replace("REAL", REAL))
        (self.bin / "terraform").chmod(0o755)
        self.terraform("init", "-input=false")

    def terraform(self, *arguments):
        return subprocess.run([REAL, f"-chdir={self.project.folder}/terraform", *arguments], capture_output=True, text=True)

    def apply(self, *variables):
        done = self.terraform("apply", "-auto-approve", "-input=false", "-var-file=s.tfvars", *variables)
        assert done.returncode == 0, done.stderr

    def hook(self, word, *lines):
        (self.bin / f"hook-{word}").write_text("\n".join(("set -e", *lines)) + "\n")

    def typed(self, *arguments):
        """What a colleague types in this folder, for a hook."""
        return f"{REAL} -chdir={self.project.folder}/terraform {' '.join(arguments)} > /dev/null"

    def migc(self, *arguments, **environment):
        return self.project.migc(*arguments, environment={"PATH": f"{self.bin}:{os.environ['PATH']}", **environment})

    def nodes(self):
        state = json.loads(self.terraform("state", "pull").stdout or "{}")
        return {i["index_key"]: i["attributes"]["id"] for r in state.get("resources", []) if r["name"] == "node" for i in r["instances"]}

    def variables(self):
        return self.project.read("terraform/s.tfvars")

    def remove(self):
        self.project.remove()
        shutil.rmtree(self.bin, ignore_errors=True)


store = pathlib.Path(tempfile.mkdtemp(prefix="migc-store-"))
ours, theirs = Folder(store), Folder(store)
ours.apply()
start = ours.nodes()


def fresh():
    """Three nodes again, for both."""
    for folder in (ours, theirs):
        folder.terraform("workspace", "select", "default")
        folder.project.write("terraform/s.tfvars", "node_count = 3\n")
    ours.apply()


# Two folders grow one state at once: the other's apply comes between our look and our apply.
theirs_grow = f"cd {theirs.project.folder} && {MIGC} run grow.mig --allow-tools > theirs.log 2>&1 < /dev/null"
ours.hook("apply", theirs_grow)
done = ours.migc("run", "grow.mig")
made = theirs.nodes()
check("both grow at once: ours is refused, and is not taken for done", done.returncode == 3 and "stale" in done.stdout and "not ours" in done.stdout, done.stdout)
check("theirs is done", "done (exit code 0)" in theirs.project.read("theirs.log"), theirs.project.read("theirs.log"))
check("theirs stands", sorted(made) == [0, 1, 2, 3], made)
done = ours.migc("undo", "last")
check("an undo of ours leaves theirs", theirs.nodes() == made, done.stdout)
fresh()

# The same effect by hand, and another one.
ours.hook("apply", theirs.typed("apply", "-auto-approve", "-input=false", "-var", "node_count=4"))
done = ours.migc("run", "fail.mig")
check("the same made by hand meanwhile is not ours", done.returncode == 3 and sorted(ours.nodes()) == [0, 1, 2, 3], done.stdout)
fresh()
ours.hook("apply", theirs.typed("apply", "-auto-approve", "-input=false", "-var", "node_count=3", "-var", "extra=true"))
done = ours.migc("run", "grow.mig")
check("something else made meanwhile: nothing of ours is begun", done.returncode in (1, 3) and sorted(ours.nodes()) == [0, 1, 2] and "extra" in ours.terraform("state", "list").stdout, done.stdout)
check("and our own file is as it was", ours.variables() == "node_count = 3\n")
fresh()

# A lock that somebody holds: refused, and a later run goes well.
(ours.bin / "lock.py").write_text(f"""import fcntl, json, os, time
info = "{store}/.terraform.tfstate.lock.info"
held = open("{store}/terraform.tfstate", "r+")
fcntl.lockf(held, fcntl.LOCK_EX)
json.dump({{"ID": "4711", "Operation": "OperationTypeApply", "Info": "", "Who": "anna@ci-3", "Version": "1.11.4", "Created": "2026-01-10T00:58:12Z", "Path": ""}}, open(info, "w"))
time.sleep(4)
os.unlink(info)
os._exit(0)  # at once: whoever is refused by a lock without its note is not told that it is one
""")
ours.hook("apply", f"python3 {ours.bin}/lock.py &", "sleep 1")
done = ours.migc("run", "grow.mig")
check("a lock is waited for", done.returncode == 0 and sorted(ours.nodes()) == [0, 1, 2, 3], done.stdout)

# Undone in another workspace: nothing is said to be undone, and afterwards it is.
grown = ours.nodes()
ours.terraform("workspace", "new", "other")
done = ours.migc("undo", "last")
check("another workspace: not undone, and why", done.returncode in (3, 4) and "workspace other is selected" in done.stdout and "terraform workspace select default" in done.stdout, done.stdout)
check("nothing was made there", ours.nodes() == {})
ours.terraform("workspace", "select", "default")
check("what was made stands", ours.nodes() == grown)
done = ours.migc("undo", "last", TF_WORKSPACE="other")
check("mended, a later undo makes a new plan and takes it back; TF_WORKSPACE does not get in", done.returncode == 0 and sorted(ours.nodes()) == [0, 1, 2], done.stdout)
fresh()

# Switched between plan and apply, and between the undo's look and its plan.
ours.terraform("workspace", "new", "third")
ours.terraform("workspace", "select", "default")
ours.hook("apply", ours.typed("workspace", "select", "third"))
done = ours.migc("run", "grow.mig")
check("switched right before the apply: nothing is made in the other workspace", ours.nodes() == {} and done.returncode != 0, done.stdout)
ours.terraform("workspace", "select", "default")
check("nor in this one", sorted(ours.nodes()) in ([0, 1, 2], [0, 1, 2, 3]), ours.nodes())
ours.migc("undo", "last")
fresh()
check("grown", ours.migc("run", "grow.mig").returncode == 0)
ours.hook("plan", ours.typed("workspace", "select", "third"))
done = ours.migc("undo", "last")
check("switched while the undo plans: held", done.returncode in (3, 4) and ours.nodes() == {}, done.stdout)
ours.terraform("workspace", "select", "default")
check("nothing was taken back", sorted(ours.nodes()) == [0, 1, 2, 3])
done = ours.migc("undo", "last")
check("and later it is", done.returncode == 0 and sorted(ours.nodes()) == [0, 1, 2], done.stdout)
fresh()

# A reviewed plan is run, and a run goes on, only in the workspace that was selected then.
ours.migc("plan", "grow.mig", "--save", "plan.json")
ours.terraform("workspace", "select", "third")
done = ours.migc("run", "grow.mig", "--plan", "plan.json")
check("a reviewed plan is refused in another workspace", done.returncode in (2, 5) and ("workspace" in done.stdout or "`state` of plan terraform is empty" in done.stdout) and ours.nodes() == {}, done.stdout)
ours.terraform("workspace", "select", "default")
ours.hook("plan", "kill -9 $(ps -o ppid= -p $PPID)", "sleep 1")
ours.migc("run", "grow.mig")
ours.terraform("workspace", "select", "third")
done = ours.migc("resume", "last")
check("a run goes on in no other workspace", done.returncode == 2 and "workspace third is selected" in done.stdout and ours.nodes() == {}, done.stdout)
ours.terraform("workspace", "select", "default")
done = ours.migc("resume", "last")
check("and in its own it does", done.returncode == 0 and sorted(ours.nodes()) == [0, 1, 2, 3], done.stdout)
fresh()

# The state goes, and another one comes.
check("grown again", ours.migc("run", "grow.mig").returncode == 0)
(store / "terraform.tfstate").rename(store / "away")
done = ours.migc("undo", "last")
check("the state is missing: not undone, and why", done.returncode in (3, 4) and "there is no state any more" in done.stdout, done.stdout)
theirs.apply("-var", "node_count=4")
done = ours.migc("undo", "last")
check("another state in its place: not undone, and why", done.returncode in (3, 4) and "another state" in done.stdout and sorted(theirs.nodes()) == [0, 1, 2, 3], done.stdout)
(store / "away").rename(store / "terraform.tfstate")
done = ours.migc("undo", "last")
check("back in its place, it is taken back", done.returncode == 0 and sorted(ours.nodes()) == [0, 1, 2], done.stdout)
fresh()

# Somebody has replaced or changed what ours had made: the undo leaves it.
for what, more in (("made anew", ("-replace=terraform_data.node[3]",)), ("changed", ("-var", "label=theirs"))):
    check("grown", ours.migc("run", "grow.mig").returncode == 0)
    theirs.apply("-var", "node_count=4", *more)
    changed = theirs.nodes()
    done = ours.migc("undo", "last")
    check(f"what somebody has {what} since is not destroyed", done.returncode == 3 and ours.nodes() == changed, done.stdout)
    fresh()
check("grown", ours.migc("run", "grow.mig").returncode == 0)
ours.hook("plan", theirs.typed("apply", "-auto-approve", "-input=false", "-var", "node_count=4", "-replace='terraform_data.node[3]'"))
done = ours.migc("undo", "last")
check("nor what somebody makes anew between the undo's look and its plan", done.returncode == 3 and sorted(ours.nodes()) == [0, 1, 2, 3], done.stdout)
fresh()

# Held because of what nobody has applied yet; no stale plan is ever what to do; mended, a new plan is made.
check("grown", ours.migc("run", "grow.mig").returncode == 0)
ours.project.write("terraform/extra.auto.tfvars", "extra = true\n")
done = ours.migc("undo", "last")
check("held with what it would do, and without a plan to apply by hand", done.returncode == 3 and "terraform_data.extra[0]" in done.stdout and "terraform apply" not in done.stdout, done.stdout)
(ours.project.folder / "terraform/extra.auto.tfvars").unlink()
done = ours.migc("undo", "last")
check("mended, it is taken back by a new plan", done.returncode == 0 and sorted(ours.nodes()) == [0, 1, 2] and "extra" not in ours.terraform("state", "list").stdout, done.stdout)
fresh()

# kill -9 in the middle of the undo's plan, which changes nothing.
check("grown", ours.migc("run", "grow.mig").returncode == 0)
ours.hook("plan", f"touch {ours.bin}/planning", "sleep 5")
process = ours.project.start("undo", "last", stdout=subprocess.DEVNULL, environment={"PATH": f"{ours.bin}:{os.environ['PATH']}"})
wait_for("the undo's plan", lambda: (ours.bin / "planning").exists(), 120)
process.send_signal(signal.SIGKILL)
process.wait()
codes = []
wait_for("the end of what was left", lambda: (code := ours.migc("undo", "last").returncode) != 5 and codes.append(code) is None, 120)
check("a plan that was cut off is made again", codes == [0] and sorted(ours.nodes()) == [0, 1, 2], codes)
for folder in (ours, theirs):
    folder.remove()
shutil.rmtree(store, ignore_errors=True)
finish()
