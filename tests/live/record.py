#!/usr/bin/env python3
"""Records anew what the goldens of replayed runs hear from a cluster.   record.py [NAME..]

Each is run on the real cluster as its golden says, in the namespace that it names, which is made for it and removed again; the
transcript goes beside the goldens. Then read what `tests/golden/run.py --accept` makes of them."""
import os, pathlib, shlex, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, DEPLOYMENT, kubectl
from harness import MIGC, SOURCE

GOLDEN = SOURCE / "tests/golden"


def workload(name, **labels):
    written = ", ".join(f"{key}: {value}" for key, value in labels.items())
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{{written}}}}}
  template:
    metadata: {{labels: {{{written}}}}}
    spec: {{terminationGracePeriodSeconds: 0, containers: [{{name: web, image: "local/web:1", imagePullPolicy: IfNotPresent}}]}}
"""


SETTINGS = ["create", "configmap", "settings", "--from-literal=colour=blue"]
WEB = workload("web", app="web", version="blue")
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web, version: blue}, ports: [{port: 80, targetPort: 8080}]}\n"
# What is there before each: manifests that are applied, and commands.
BEFORE = {
    "conflict": ([], [SETTINGS]),
    "finalizer": ([], [["create", "configmap", "stuck"], ["patch", "configmap/stuck", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/keep"]}}']]),
    "immutable": ([WEB], []),
    "objects": ([DEPLOYMENT], []),
    "objects-verbs": ([WEB, workload("green", app="web", version="green"), SERVICE], [SETTINGS]),
    "pod-security": ([], [["label", "namespace/NAMESPACE", "pod-security.kubernetes.io/enforce=restricted"]]),
    "quota": ([SERVICE], [["create", "quota", "few", "--hard=count/services=1"], ["wait", "--for=jsonpath={.status.used.count/services}=1", "quota/few", "--timeout=30s"]]),
    "wrong-type": ([WEB], []),
}


def sections(golden):
    """[(kind, argument, body)] of a golden; see tests/golden/run.py."""
    found = []
    for line in golden.read_text().splitlines(keepends=True):
        if line.startswith("=== "):
            kind, _, argument = line[4:].rstrip("\n").partition(": ")
            found.append([kind, argument, ""])
        elif found:
            found[-1][2] += line
    return found


def kubeconfig(folder):
    """That of the cluster, with the name for its context that the goldens use."""
    path = folder / ".kubeconfig"
    path.write_bytes(pathlib.Path(os.environ["KUBECONFIG"]).read_bytes())
    subprocess.run(["kubectl", "config", f"--kubeconfig={path}", "rename-context", CONTEXT, "c"], check=True, capture_output=True)
    return path


def prepare(name, namespace):
    kubectl("create", "namespace", namespace)
    manifests, commands = BEFORE[name]
    if manifests:
        kubectl("-n", namespace, "apply", "-f", "-", stdin="---\n".join(manifests))
        kubectl("-n", namespace, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=120s")
    for command in commands:
        kubectl("-n", namespace, *[word.replace("NAMESPACE", namespace) for word in command])


def record(name):
    golden = sections(GOLDEN / f"run/replayed-{name}.golden")
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        for kind, argument, body in golden:
            if kind == "file":
                (folder / argument).write_text(body)
        (command,) = [argument for kind, argument, _ in golden if kind == "run"]
        words = shlex.split(command)
        assert words[0] == "migc" and words[-2:] == ["--replay", name]
        namespace = "kube-lab" if "kube-lab" in (folder / "migc.yaml").read_text() else "staging"
        prepare(name, namespace)
        done = subprocess.run([MIGC, *words[1:-2], "--allow-tools", "--no-preflight", "--record", name], cwd=folder, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LANG": "C.UTF-8", "KUBECONFIG": str(kubeconfig(folder))})
        print(f"{name}: exit code {done.returncode}")
        (GOLDEN / f"transcripts/{name}").write_bytes((folder / name).read_bytes())
    if name == "finalizer":
        kubectl("-n", namespace, "patch", "configmap/stuck", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    kubectl("delete", "namespace", namespace)


for name in sys.argv[1:] or BEFORE:
    record(name)
