#!/usr/bin/env python3
"""What works for a run is ended by force at a random moment: migc, the tool that it has started, both, or the server that the tool
speaks to stands still for a while. `resume` and `undo` then bring the world to where it should be, or say what is in doubt. What the
tool itself has written down is the judge.

    killed.py terraform|docker|kubernetes [--long]     --long: forty times, else once or twice in each way"""
import json, os, pathlib, random, re, signal, subprocess, sys, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, need

kind = sys.argv[1]
seed = int(os.environ.get("FAULT_SEED", "7"))
chance = random.Random(seed)
ends = {}


class Subject:
    def as_before(self, world):
        return world == self.START

    def twice(self):
        return []

    def remove(self):
        self.project.remove()


class Terraform(Subject):
    """Four nodes in place of three; each creation is noted once by a provisioner."""
    SECONDS, TOOL, WAYS = 6.0, "terraform", ["migc"]
    PLACES = {"staging/1": 1, "staging/3": 0}  # which of the world's values a step is about
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


class Docker(Subject):
    """An image that is built anew, of layers that take a moment to push, over one that is there."""
    SECONDS, TOOL, WAYS = 5.0, "docker", ["migc", "migc and its tool", "the tool"]
    PLACES = {"staging/1": 0, "staging/2": 1}
    START, END = ("one", "one"), ("two", "two")

    def __init__(self):
        self.repository = f"web{chance.randrange(10**9)}"
        self.image = f"{registry}/{self.repository}:staging"
        self.project = Project(**{
            "migc.yaml": "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none }\n",
            "app/Dockerfile": "FROM scratch\nLABEL version=one\nCOPY a /a\n", "app/a": self.image,
            "script.mig": f'stage staging < build image "{self.image}" from "app"; push image "{self.image}"; > on failure undo;\n'})
        for arguments in (("build", "-q", "-t", self.image, f"{self.project.folder}/app"), ("push", "-q", self.image)):
            subprocess.run(["docker", *arguments], check=True, capture_output=True)
        self.id, self.digest = self.local("{{.Id}}"), self.pushed()[0]
        for name in "abc":
            (self.project.folder / "app" / name).write_bytes(chance.randbytes(8 << 20))
        self.project.write("app/Dockerfile", "FROM scratch\nLABEL version=two\nCOPY a /a\nCOPY b /b\nCOPY c /c\n")

    def local(self, what):
        return subprocess.run(["docker", "image", "inspect", "-f", what, self.image], capture_output=True, text=True).stdout.strip()

    def pushed(self):
        """The digest and the label of what the registry has."""
        def ask(path, *more):
            return subprocess.run(["curl", "-s", *more, f"http://{registry}/v2/{self.repository}/{path}"], capture_output=True, text=True).stdout
        accept = ("-H", f"Accept: {ONE}")
        digest = re.search(r"(?i)docker-content-digest: (\S+)", ask("manifests/staging", "-I", *accept))
        config = json.loads(ask("manifests/staging", *accept)).get("config", {}).get("digest")
        return digest and digest.group(1), json.loads(ask(f"blobs/{config}"))["config"]["Labels"]["version"]

    def as_before(self, world):
        return world[1] == "one"  # a build has no undo: an image that nobody runs changes nothing

    def world(self):
        digest, label = self.pushed()
        here = "one" if self.local("{{.Id}}") == self.id else self.local("{{.Config.Labels.version}}").replace("one", "another one")
        return here, "one" if digest == self.digest else label.replace("one", "another one")

    def remove(self):
        subprocess.run(["docker", "image", "prune", "-af"], capture_output=True)
        self.project.remove()


class Kubernetes(Subject):
    """A number of replicas and a new object."""
    SECONDS, TOOL = 8.0, "kubectl"
    WAYS = ["migc", "migc and its tool", "the tool", "the server for a while", "the server for a while, and migc"]
    PLACES = {"staging/1": 0, "staging/2": 1}
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


def decided(subject, step):
    """What a person says who looks at what the tool has written down."""
    shown = subject.project.migc("show", "last").stdout
    inverse = re.search(r"\? the undo of [^\n]*" + re.escape(step) + r"\b", shown) is not None
    place = subject.PLACES.get(step, 0)
    return "done" if subject.world()[place] == (subject.START if inverse else subject.END)[place] else "not-done"


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
        subject.project.migc("resolve", "last", step, decided(subject, step), "--because", "the tool's own record says so")
    return done


def tools_of(process, name):
    children = " ".join(path.read_text() for path in pathlib.Path(f"/proc/{process.pid}/task").glob("*/children"))
    return [int(pid) for pid in children.split() if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name]


def end_tools(process, name):
    """The one that is at work, or the next one."""
    for _ in range(200):
        try:
            found = tools_of(process, name)
        except FileNotFoundError:  # it has ended just now
            found = []
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        if found or process.poll() is not None:
            return
        time.sleep(0.01)


def still(seconds):
    """The API server stands still for so long; in the background."""
    server = int((pathlib.Path(os.environ["KUBECONFIG"]).parent / "apiserver.pid").read_text())
    os.kill(server, signal.SIGSTOP)
    wake = threading.Timer(seconds, os.kill, (server, signal.SIGCONT))
    wake.start()
    return wake


def strike(way, process, tool):
    """The exit code of migc if it has come to its end by itself, and what is still to be waited for."""
    wake = still(chance.uniform(1, 12)) if "server" in way else None
    if "tool" in way:
        end_tools(process, tool)
    if "migc" in way:
        time.sleep(chance.uniform(0, 1) if wake else 0)
        ended = process.poll()
        process.kill()
        process.wait()
        return ended, wake
    code = process.wait(timeout=300)
    return code, wake


def begin(subject):
    return subject.project.start("run", "script.mig", "--no-preflight", stdout=subprocess.DEVNULL)


def attempt(number, subject, way, word):
    moment = chance.uniform(0.1, subject.SECONDS)
    process = begin(subject)
    time.sleep(moment)
    code, wake = strike(way, process, subject.TOOL)
    begun = code is not None or "unfinished" in subject.project.migc("runs").stdout
    what = f"{number}: {way} after {moment:.2f} s, then {word}"
    if not begun or code == 2:
        end = "before the run began"
        wake and wake.join()
        check(f"{what}: nothing had begun", subject.as_before(subject.world()), subject.world())
    elif code == 1:
        end = "undone by the run itself"
        wake and wake.join()
        check(f"{what}: the world is as it was", subject.as_before(subject.world()), subject.world())
    else:
        done = go_on(subject, word)
        wake and wake.join()
        if done.returncode == 3 and wake:  # nothing could be seen; now it can
            done = go_on(subject, word)
        undone = word == "undo" or done.returncode == 1
        world = subject.world()
        right = subject.as_before(world) if undone else world == subject.END
        well = done.returncode in ((0, 1) if word == "resume" else (0,))
        check(f"{what}: the world is as it should be", well and right, f"exit code {done.returncode}, {world}\n{done.stdout}")
        end = "undone" if undone else "done"
    ends[end] = ends.get(end, 0) + 1
    check(f"{what}: nothing was made twice", not subject.twice(), subject.twice())
    subject.remove()


if kind == "terraform":
    need("terraform")
    Chosen = Terraform
elif kind == "docker":
    from engine import ONE, Engine
    engine = Engine("killed")
    registry = engine.registry("registry")
    engine.start()
    Chosen = Docker
else:
    from cluster import CONTEXT, DEPLOYMENT, kubectl, make_namespace
    Chosen = Kubernetes
    if not (pathlib.Path(os.environ["KUBECONFIG"]).parent / "apiserver.pid").exists():
        print("the API server is not this test's own: it is not stopped")
        Chosen.WAYS = [way for way in Chosen.WAYS if "server" not in way]
rounds = 40 if "--long" in sys.argv else max(4, 2 * len(Chosen.WAYS))
for number in range(rounds):
    way = Chosen.WAYS[number // 2 % len(Chosen.WAYS)]
    attempt(number + 1, Chosen(), way, ("resume", "undo")[number % 2])
# Of a run that did not begin nothing can be seen: one that is refused each time would be well each time.
check("most of the runs had begun", ends.get("before the run began", 0) <= rounds // 3, ends)
print(f"{kind}: {rounds} times with seed {seed}: " + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
finish()
