#!/usr/bin/env python3
"""terraform with terraform_data, which needs no provider: plan, expect, apply, the way back, and what can go wrong."""
import contextlib, http.server, json, os, pathlib, signal, stat, subprocess, sys, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, need, wait_for

need("terraform")
VARIABLES = "# the pool\nnode_count = 3  # Changed by migrations\nlabel      = \"pool\"\n"
KUBECONFIG = """apiVersion: v1
current-context: main
contexts: [{ name: main, context: { cluster: one, user: admin } }]
clusters: [{ name: one, cluster: { server: "https://SERVER:6443", certificate-authority-data: QUJD } }]
users: [{ name: admin, user: { token: TOKEN } }]
"""
project = Project(**{
    "migc.yaml": """order: [staging]
environments:
  staging: { context: none, namespace: none, terraform: { dir: terraform, var-file: environments/staging.tfvars } }
""",
    "terraform/main.tf": """variable "node_count" { type = number }
variable "label" { type = string }
variable "extra" {
  type    = bool
  default = false
}
variable "token" {
  type      = string
  default   = "first-token"
  sensitive = true
}
variable "server" {
  type    = string
  default = "one.example.org"
}
resource "terraform_data" "node" {
  count = var.node_count
  input = var.label
  provisioner "local-exec" {
    command = "test ${count.index} -lt 8 && { test ! -e ${path.module}/slow || sleep 4; }"
  }
}
resource "terraform_data" "on_nodes" { input = terraform_data.node[0].id }
resource "terraform_data" "secret" { input = var.token }
resource "terraform_data" "extra" { count = var.extra ? 1 : 0 }
output "nodes" { value = length(terraform_data.node) }
output "kubeconfig" {
  sensitive = true
  value     = replace(replace(file("${path.module}/kubeconfig.template"), "TOKEN", var.token), "SERVER", var.server)
}
""",
    "terraform/kubeconfig.template": KUBECONFIG,
    "terraform/environments/staging.tfvars": VARIABLES,
    "world.yaml": """terraform:
  terraform:
    variables: { node_count: 3, label: pool }
    resources:
      - { address: terraform_data.node, count-from: node_count, attributes: { input: { variable: label } } }
      - { address: terraform_data.on_nodes, depends-on: [terraform_data.node] }
    outputs: { nodes: { variable: node_count } }
""",
})


def stage(text):
    return f"stage staging < {text} > on failure undo;\n"


def script(name, text):
    project.write(name, stage(text))
    return name


def state():
    return json.loads(subprocess.run(["terraform", "-chdir=" + str(project.folder / "terraform"), "state", "pull"], capture_output=True, text=True).stdout)


def nodes():
    return sorted(i["index_key"] for r in state()["resources"] if r["name"] == "node" for i in r["instances"])


def variables():
    return project.read("terraform/environments/staging.tfvars")


def run(text, *more, **options):
    return project.migc("run", script("script.mig", text), *more, **options)


def notes(text):
    return {e["body"]["name"]: e["body"]["value"] for e in map(json.loads, (l for l in text.splitlines() if l.startswith("{"))) if e["event"] == "noted" and "baseline" not in e["body"]}


def mode(path):
    return stat.S_IMODE((project.folder / path).stat().st_mode)


check("prepare", run("init terraform; plan terraform as p; expect p adds 5 changes 0 destroys 0; apply p;").returncode == 0)
check("three nodes", nodes() == [0, 1, 2])

# The guide's scenario 3, forward and back.
grow = 'set variable "node_count" to 5; plan terraform as p; expect p adds 2 changes 0 destroys 0; expect p touches only ["terraform_data.node"]; apply p; verify terraform output "nodes" is 5;'
check("three to five", run(grow).returncode == 0 and nodes() == [0, 1, 2, 3, 4])
check("the comment stays", variables() == VARIABLES.replace("3 ", "5 "), variables())
check("a saved plan is its owner's only", all(mode(p.relative_to(project.folder)) == 0o600 for p in project.folder.glob(".migc/runs/*/*") if p.is_file()))
before = variables()
done = run('set variable "node_count" to 7; set variable "label" to "other"; plan terraform as p; apply p; verify terraform output "nodes" is 99 within 1s;')
check("adds and changes are undone by a new plan", done.returncode == 1 and nodes() == [0, 1, 2, 3, 4] and variables() == before, done.stdout)
check("values are back, too", all(i["attributes"]["input"]["value"] == "pool" for r in state()["resources"] if r["name"] == "node" for i in r["instances"]))
done = run('set variable "node_count" to 6; plan terraform as p; expect p touches only ["terraform_data.other"]; apply p;')
check("a plan that touches something else is not applied, and that is named", done.returncode == 1 and nodes() == [0, 1, 2, 3, 4] and "terraform_data.node[5]" in done.stdout, done.stdout)

# Reviewed is applied.
serial = state()["serial"]
done = run('set variable "node_count" to 6; plan terraform as p; plan terraform as q; apply q; apply p;')
check("somebody applied meanwhile", done.returncode == 1 and "somebody applied meanwhile" in done.stdout and nodes() == [0, 1, 2, 3, 4] and state()["serial"] > serial, done.stdout)
done = run('plan terraform as p; set variable "node_count" to 6; apply p;')
check("the configuration was changed after the plan", done.returncode == 1 and "changed after the plan" in done.stdout, done.stdout)
done = run('set variable "node_count" to 6; plan terraform as p; set variable "node_count" to 5; plan terraform as q; expect q mirrors p;')
check("a plan that does not mirror another", done.returncode == 1 and "would not take back terraform_data.node[5]" in done.stdout, done.stdout)
done = run('set variable "node_count" to 6; plan terraform as p; expect p mirrors p;')
check("a plan does not mirror itself", done.returncode == 1 and "would also add terraform_data.node[5]" in done.stdout, done.stdout)

# A part fails: what stands is told, and taken back.
done = run('set variable "node_count" to 9; plan terraform as p; apply p;')
check("an apply that failed half-way is taken back", done.returncode == 1 and nodes() == [0, 1, 2, 3, 4] and "create terraform_data.node[5] complete" in done.stdout, done.stdout)

# Destroying.
done = run('destroy "terraform_data.node[0]";')
check("what depends on it would go, too: told, not destroyed", done.returncode == 1 and "terraform_data.on_nodes" in done.stdout and nodes() == [0, 1, 2, 3, 4], done.stdout)
done = run('destroy "terraform_data.on_nodes"; verify terraform output "nodes" is 99 within 1s;')
check("a destruction is undone by creating it anew, and the loss is told", done.returncode == 1 and "held is lost" in done.stdout and any(r["name"] == "on_nodes" for r in state()["resources"]), done.stdout)
done = run('destroy "terraform_data.node; touch pwned $(id)";')
check("a hostile address reaches no shell", done.returncode == 1 and not (project.folder / "pwned").exists() and "Invalid target" in done.stdout, done.stdout)

# The way back is held if it would do anything else: here, what nobody has applied yet.
project.write("terraform/environments/staging.tfvars", variables() + "extra = true\n")
done = run('destroy "terraform_data.on_nodes"; verify terraform output "nodes" is 99 within 1s;')
check("a way back that would do more is held, and is told", done.returncode == 3 and "would also add terraform_data.extra[0]" in done.stdout and "`terraform apply" not in done.stdout, done.stdout)
project.write("terraform/environments/staging.tfvars", before)
check("mended by hand", run("plan terraform as p; expect p adds 1 changes 0 destroys 0; apply p;").returncode == 0)

# Secrets.
shown = run('let a = terraform output "kubeconfig";')
check("a sensitive output is not given out", "first-token" not in shown.stdout and "sensitive" in shown.stdout, shown.stdout)
shown = run('let a = terraform state at "/outputs";')
check("nor a part of the state that holds one", "first-token" not in shown.stdout and "sensitive" in shown.stdout, shown.stdout)

# Files.
done = run('backup terraform state to "backups" as file;')
backups = list((project.folder / "backups").glob("*.tfstate"))
check("a backup of the state", done.returncode == 0 and len(backups) == 1 and json.loads(backups[0].read_text()) == state() and mode(backups[0].relative_to(project.folder)) == 0o600, done.stdout)
refresh = 'refresh kubeconfig from terraform output "kubeconfig" to "kube config.yaml";'
done = run(refresh + ' verify terraform valid is false within 1s;')
check("a new kubeconfig goes again", done.returncode == 1 and not (project.folder / "kube config.yaml").exists(), done.stdout)
project.write("kube config.yaml", KUBECONFIG.replace("SERVER", "one.example.org").replace("TOKEN", "old-token"))
done = run(refresh + ' verify terraform valid is false within 1s;')
check("an old one comes back", done.returncode == 1 and "old-token" in project.read("kube config.yaml"), done.stdout)
done = run(refresh)
check("refreshed, its owner's only", done.returncode == 0 and "first-token" in project.read("kube config.yaml") and mode("kube config.yaml") == 0o600, done.stdout)
project.write("kube config.yaml", KUBECONFIG.replace("SERVER", "two.example.org"))
done = run(refresh)
check("another cluster is refused", done.returncode == 1 and "another cluster" in done.stdout, done.stdout)
leaks = [f for f in (project.folder / ".migc").glob("journal.db*") if b"first-token" in f.read_bytes() or b"old-token" in f.read_bytes()]
check("no token is in the journal", not leaks, leaks)

# The environment.
done = run(grow, environment={"TF_CLI_ARGS_plan": "-destroy", "TF_CLI_ARGS_apply": "-auto-approve", "TF_WORKSPACE": "other", "TF_VAR_extra": "false"})
check("TF_CLI_ARGS and TF_WORKSPACE do not creep in, and are told", nodes() == [0, 1, 2, 3, 4] and "TF_CLI_ARGS_apply, TF_WORKSPACE" in done.stdout.replace("TF_CLI_ARGS_plan, ", "") or "not passed on" in done.stdout, done.stdout)
check("TF_VAR_ is passed on, and told", "TF_VAR_extra of the environment reaches" in done.stdout, done.stdout)

# What is wrong with the configuration is said in one line.
project.write("terraform/broken.tf", "resource \"terraform_data\" \"x\" { inpt = 1 }\n")
done = run("verify terraform valid;")
check("a mistake in the configuration, with its place", done.returncode == 1 and "broken.tf:1" in done.stdout, done.stdout)
(project.folder / "terraform/broken.tf").unlink()

# Real and simulated answers agree.
probes = 'plan terraform as p; let adds = adds of p; let changes = changes of p; let destroys = destroys of p; let everything = planned changes of p; let present = changes of p in the state; let missing = terraform output "none"; let nodes = terraform output "nodes"; let version = terraform state at "/version"; let there = terraform state at "/resources/0/type";'
project.write("terraform/environments/staging.tfvars", VARIABLES)
run("plan terraform as p; apply p;")
project.write("terraform/environments/staging.tfvars", VARIABLES.replace("3 ", "4 ").replace("pool\"", "new\""))
script("read.mig", probes)
real, simulated = (notes(project.migc("run", "read.mig", "--json", *more).stdout) for more in ([], ["--world", "world.yaml"]))
for answers in (real, simulated):
    answers.pop("p", None)
check("real and simulated answers agree", real == simulated and real.get("adds") == 1 and real.get("changes") == 3, f"{real}\n{simulated}")
project.write("terraform/environments/staging.tfvars", VARIABLES)

# migc is killed while terraform applies: terraform goes on, and is waited for.
project.write("terraform/slow", "")
script("slow.mig", 'set variable "node_count" to 4; plan terraform as p; apply p;')
process = project.start("run", "slow.mig", stdout=subprocess.DEVNULL)
wait_for("the apply", lambda: any(project.folder.glob(".migc/runs/*/terraform.tfplan.apply")) and (project.folder / "terraform/.terraform.tfstate.lock.info").exists())
held = run("plan terraform as p;")
check("two runs at a time are refused", held.returncode == 5, held.stdout)
process.kill()
process.wait()
codes = []
wait_for("the end of terraform", lambda: (code := project.migc("undo", "last").returncode) != 5 and codes.append(code) is None, 60)
check("what a dead run applied is found and undone", codes == [0] and nodes() == [0, 1, 2] and variables() == VARIABLES, codes)

# terraform itself is killed: something may have been created that no state knows of.
process = project.start("run", "slow.mig")


def applying():
    """Terraform's own processes, once they are at it: a plan locks the state, too."""
    found = []
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            line = file.read_bytes()
            if str(project.folder).encode() in line and b"apply\0" in line:
                found.append(int(file.parent.name))
    return found


wait_for("the apply", lambda: applying() and (project.folder / "terraform/.terraform.tfstate.lock.info").exists())
time.sleep(1)
pids = applying()
for pid in pids:
    os.kill(pid, signal.SIGKILL)
killed = time.monotonic()
output = process.communicate()[0]
check("a killed terraform is in doubt, and what to look for is said", process.returncode == 4 and "terraform_data.node[3]" in output and "may have been created" in output, output)
check("and said soon, not when the step's time is over", time.monotonic() - killed < 60)
(project.folder / "terraform/slow").unlink()
project.write("terraform/environments/staging.tfvars", VARIABLES)
(project.folder / "terraform/.terraform.tfstate.lock.info").unlink(missing_ok=True)


class Store(http.server.BaseHTTPRequestHandler):
    """A backend that keeps a state in memory, and can refuse to take or to lock it."""
    kept, broken, lock = b"", False, None

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        self.answer(200 if Store.kept else 404, Store.kept)

    def do_POST(self):
        body = self.body()
        if Store.broken:
            return self.answer(400)
        Store.kept = body
        self.answer(200)

    def do_LOCK(self):
        self.body()
        self.answer(423 if Store.lock else 200, json.dumps(Store.lock).encode() if Store.lock else b"")

    def do_UNLOCK(self):
        self.body()
        self.answer(200)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/state"
(project.folder / "terraform/terraform.tfstate").unlink()
project.write("terraform/backend.tf", f'terraform {{\n  backend "http" {{\n    address = "{address}"\n    lock_address = "{address}"\n    unlock_address = "{address}"\n    retry_max = 0\n  }}\n}}\n')
subprocess.run(["terraform", "-chdir=" + str(project.folder / "terraform"), "init", "-reconfigure", "-input=false"], capture_output=True)
check("a state elsewhere", run("plan terraform as p; apply p;").returncode == 0)
Store.lock = {"ID": "4711", "Operation": "OperationTypeApply", "Info": "", "Who": "anna@ci-3", "Version": "1.11.4", "Created": "2026-01-10T00:58:12Z", "Path": ""}
script("locked.mig", "plan terraform as p;")
done = project.migc("run", "locked.mig", timeout=180)
check("which lock is held is told in one line, and by whom where terraform knows", done.returncode == 1 and ("locked by anna@ci-3 since 2026-01-10" in done.stdout or "lock 4711; terraform does not say by whom" in done.stdout), done.stdout)
Store.lock = None
Store.broken = True
done = run('set variable "node_count" to 4; plan terraform as p; apply p;')
check("a state that could not be stored is noticed at once", done.returncode == 4 and "errored.tfstate" in done.stdout and "state push" in done.stdout, done.stdout)
check("it is still there", (project.folder / "terraform/errored.tfstate").exists())
Store.broken = False
done = run("plan terraform as p;")
check("and no plan is made without it", done.returncode == 1 and "errored.tfstate" in done.stdout, done.stdout)
project.remove()
finish()
