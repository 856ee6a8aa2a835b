#!/usr/bin/env python3
"""migc is killed with -9 at a random moment while a real tool works; `resume` and `undo` then bring the world to where it should
be, or say what is in doubt. What the tool itself has written down is the judge.

    killed.py terraform|kubernetes [--long]     --long: forty kills, else four"""
import json, os, random, subprocess, sys, time

from support import MIGC, Project, check, finish, need

kind, rounds = sys.argv[1], 40 if "--long" in sys.argv else 4
seed = int(os.environ.get("FAULT_SEED", "7"))
chance = random.Random(seed)
ends = {}


class Terraform:
    """Four nodes in place of three; each creation is noted once by a provisioner."""
    SECONDS = 6.0
    SCRIPT = 'stage staging < set variable "node_count" to 4; plan terraform as p; expect p adds 1 changes 0 destroys 0; apply p; verify terraform output "nodes" is 4; > on failure undo;\n'

    def __init__(self):
        self.project = Project(**{
            "migc.yaml": "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none, terraform: { dir: terraform, var-file: s.tfvars } }\n",
            "terraform/main.tf": """variable "node_count" { type = number }
resource "terraform_data" "node" {
  count = var.node_count
  provisioner "local-exec" {
    command = "test ! -e slow || sleep 2; echo ${count.index} >> ledger"
  }
}
output "nodes" { value = length(terraform_data.node) }
""",
            "terraform/s.tfvars": "node_count = 3\n",
            "script.mig": self.SCRIPT})
        self.terraform("init")
        self.terraform("apply", "-auto-approve", "-var-file=s.tfvars")
        self.project.write("terraform/slow", "")

    def terraform(self, *arguments):
        return subprocess.run(["terraform", f"-chdir={self.project.folder}/terraform", *arguments], capture_output=True, text=True)

    def world(self):
        state = json.loads(self.terraform("state", "pull").stdout)
        return sum(len(r["instances"]) for r in state["resources"]), self.project.read("terraform/s.tfvars").split()[-1]

    START, END = (3, "3"), (4, "4")

    def twice(self):
        made = self.project.read("terraform/ledger").split()
        return [n for n in set(made) if made.count(n) > 1]


class Kubernetes:
    """A number of replicas and a new object."""
    SECONDS = 8.0
    SCRIPT = 'stage staging < scale webapi to 3; apply "fresh.yaml"; verify pods ready within 2m; > on failure undo;\n'
    START, END = ("1", ""), ("3", "blue")

    def __init__(self):
        self.namespace = f"migc-{os.getpid()}-{chance.randrange(10**6)}"
        make_namespace(self.namespace)
        kubectl("-n", self.namespace, "apply", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 2", "replicas: 1"))
        kubectl("-n", self.namespace, "rollout", "status", "deployment/webapi", "--timeout=120s")
        self.project = Project(**{
            "migc.yaml": f"order: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {self.namespace} }}\n",
            "fresh.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fresh }\ndata: { colour: blue }\n",
            "script.mig": self.SCRIPT})

    def world(self):
        return (kubectl("-n", self.namespace, "get", "deployment/webapi", "-o", "jsonpath={.spec.replicas}"),
                kubectl("-n", self.namespace, "get", "configmap/fresh", "--ignore-not-found", "-o", "jsonpath={.data.colour}"))

    def twice(self):
        return []


def go_on(subject, word):
    """The word's exit code, once the tool that outlived migc has ended; a step in doubt is decided by the world itself."""
    for _ in range(120):
        done = subject.project.migc(word, "last")
        if done.returncode == 5:  # a tool that outlived migc holds the lock
            time.sleep(0.5)
            continue
        if done.returncode != 4 or "migc resolve" not in done.stdout:
            return done
        step = done.stdout.split("migc resolve ", 1)[1].split()[1]
        ends["in doubt, told and decided"] = ends.get("in doubt, told and decided", 0) + 1
        verdict = "done" if subject.world()[0] == subject.END[0] else "not-done"
        subject.project.migc("resolve", "last", step, verdict, "--because", "the tool's own record says so")
    return done


def attempt(number, subject, word):
    moment = chance.uniform(0.1, subject.SECONDS)
    process = subprocess.Popen([os.path.abspath(MIGC), "run", "script.mig", "--no-preflight"], cwd=subject.project.folder,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(moment)
    ended = process.poll() is not None
    process.kill()
    process.wait()
    begun = "unfinished" in subject.project.migc("runs").stdout or ended
    what = f"{number}: killed after {moment:.2f} s, then {word}"
    if not begun:
        check(f"{what}: nothing had begun", subject.world() == subject.START, subject.world())
        end = "before the run began"
    else:
        done = go_on(subject, word)
        wanted = subject.END if word == "resume" else subject.START
        well = done.returncode in ((0, 1) if word == "resume" else (0,))
        world = subject.world()
        right = world == (subject.START if word == "resume" and done.returncode == 1 else wanted)
        check(f"{what}: the world is as it should be", well and right, f"exit code {done.returncode}, {world} and not {wanted}\n{done.stdout}")
        end = {0: "done" if word == "resume" else "undone", 1: "undone"}.get(done.returncode, f"exit code {done.returncode}")
    ends[end] = ends.get(end, 0) + 1
    check(f"{what}: nothing was made twice", not subject.twice(), subject.twice())
    subject.project.remove()


if kind == "terraform":
    need("terraform")
    Subject = Terraform
else:
    from cluster import CONTEXT, DEPLOYMENT, kubectl, make_namespace
    Subject = Kubernetes
for number in range(rounds):
    attempt(number + 1, Subject(), ("resume", "undo")[number % 2])
print(f"{kind}: {rounds} kills with seed {seed}: " + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
finish()
