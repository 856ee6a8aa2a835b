#!/usr/bin/env python3
"""migc doctor on a real cluster: what is well, rights that are missing forward or for the undo, credentials that end, a namespace
that is not there, a cluster that does not answer; and an undo through a context that leads to another cluster by now."""
import json, os, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, DEPLOYMENT, kubectl, make_namespace
from harness import Project, check, finish, need

need("openssl")
NAMESPACE = f"migc-{os.getpid()}-doctor"
make_namespace(NAMESPACE)
kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=DEPLOYMENT)
kubectl("-n", NAMESPACE, "rollout", "status", "deployment/webapi", "--timeout=120s")

# A person who may look and scale, and not delete; whose token ends in an hour.
kubectl("-n", NAMESPACE, "create", "serviceaccount", "night-shift")
kubectl("-n", NAMESPACE, "create", "role", "scaler", "--verb=get,list,watch,patch,update", "--resource=deployments,deployments/scale,pods,replicasets.apps,services,configmaps")
kubectl("-n", NAMESPACE, "create", "rolebinding", "scaler", "--role=scaler", f"--serviceaccount={NAMESPACE}:night-shift")
token = kubectl("-n", NAMESPACE, "create", "token", "night-shift", "--duration=1h")
config = json.loads(kubectl("config", "view", "--raw", "--flatten", "-o", "json"))


def kubeconfig(server=None, user=None):
    changed = json.loads(json.dumps(config))
    changed["current-context"] = CONTEXT
    for cluster in changed["clusters"]:
        cluster["cluster"]["server"] = server or cluster["cluster"]["server"]
    for entry in changed["users"]:
        entry["user"] = user or entry["user"]
    return json.dumps(changed)


ENVIRONMENTS = f"""order: [staging]
environments:
  staging: {{ context: {CONTEXT}, namespace: {NAMESPACE}, kubeconfig: kubeconfig.json }}
"""
project = Project(**{
    "migc.yaml": ENVIRONMENTS,
    "kubeconfig.json": kubeconfig(),
    "scale.mig": "stage staging < scale webapi to 3; verify pods ready; > on failure undo;\n",
    "create.mig": 'stage staging < apply "fresh.yaml"; verify exists object "configmap/fresh"; > on failure undo;\n',
    "long.mig": "stage staging < scale webapi to 3; verify pods ready; soak 3h while restarts of webapi is 0; > on failure undo;\n",
    "fresh.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fresh }\ndata: { colour: blue }\n",
})


def doctor(*arguments):
    return project.migc("doctor", *arguments)


done = doctor("staging", "--for", "scale.mig")
check("all is well for the administrator", done.returncode == 0, done.stdout)
check("the cluster is named", kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}") in done.stdout)
check("a certificate says until when it is good", "credentials are good until" in done.stdout)

project.write("kubeconfig.json", kubeconfig(user={"token": token}))
done = doctor("staging", "--for", "scale.mig")
check("whoever may scale is told so", done.returncode == 0 and "rights that the steps and their undo take are granted" in done.stdout, done.stdout)
check("which cluster it is may not be readable", "cannot be pinned" in done.stdout, done.stdout)
check("the token is nowhere", token not in done.stdout and token[-40:] not in done.stdout)
done = doctor("staging", "--for", "create.mig")
check("a right that a step takes is missed", done.returncode == 1 and "you may not create configmap" in done.stdout, done.stdout)
kubectl("-n", NAMESPACE, "create", "role", "maker", "--verb=create", "--resource=configmaps")
kubectl("-n", NAMESPACE, "create", "rolebinding", "maker", "--role=maker", f"--serviceaccount={NAMESPACE}:night-shift")
done = doctor("staging", "--for", "create.mig")
check("and one that only the undo takes", done.returncode == 1 and "you may not delete configmap" in done.stdout and "the undo of" in done.stdout, done.stdout)
done = doctor("staging", "--for", "long.mig")
check("credentials that end before the soak does", done.returncode == 1 and "before the run and its undo might" in done.stdout, done.stdout)

project.write("kubeconfig.json", kubeconfig())
project.write("migc.yaml", ENVIRONMENTS.replace(NAMESPACE, "not-there"))
check("a namespace that is not there", "there is no namespace not-there" in doctor().stdout)
project.write("migc.yaml", ENVIRONMENTS)
project.write("kubeconfig.json", kubeconfig(server="https://127.0.0.1:1"))
done = doctor()
check("a cluster that does not answer", done.returncode == 1 and "does not answer" in done.stdout, done.stdout)

# What the journal pins is not found again: somebody has repointed the context.
project.write("kubeconfig.json", kubeconfig())
check("a run", project.migc("run", "scale.mig").returncode == 0)
shim = project.folder / "bin"
shim.mkdir()
real = subprocess.run(["which", "kubectl"], capture_output=True, text=True).stdout.strip()
(shim / "kubectl").write_text(f'#!/bin/sh\ncase "$*" in *kube-system*) echo \'{{"metadata":{{"uid":"another"}}}}\';; *) exec {real} "$@";; esac\n')
(shim / "kubectl").chmod(0o755)
done = project.migc("undo", "last", environment={"PATH": f"{shim}:{os.environ['PATH']}"})
check("an undo refuses another cluster", done.returncode == 2 and "leads to another cluster" in done.stdout, done.stdout)
check("and has touched nothing", kubectl("-n", NAMESPACE, "get", "deployment/webapi", "-o", "jsonpath={.spec.replicas}") == "3")
check("through the right one it undoes", project.migc("undo", "last").returncode == 0)
project.remove()
finish()
