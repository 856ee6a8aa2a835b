#!/usr/bin/env python3
"""A real cluster: the one-line script and scenario 2, done, failed, undone, cut off, and changed by somebody else.

See cluster.py for which cluster."""
import os, pathlib, shutil, signal, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, DEPLOYMENT, kubectl, make_namespace
from harness import MIGC, SOURCE, Project, check, finish, wait_for

SHELF = DEPLOYMENT.replace("webapi", "shelf")
NAMESPACES = {"staging": f"migc-{os.getpid()}-staging", "production": f"migc-{os.getpid()}-production"}


def replicas(environment="staging", name="webapi", field="{.spec.replicas} {.status.readyReplicas}"):
    return kubectl("-n", NAMESPACES[environment], "get", f"deployment/{name}", "-o", f"jsonpath={field}")


for namespace in NAMESPACES.values():
    make_namespace(namespace)
    kubectl("-n", namespace, "apply", "-f", "-", stdin=DEPLOYMENT)
for namespace in NAMESPACES.values():
    kubectl("-n", namespace, "rollout", "status", "deployment/webapi", "--timeout=120s")

project = Project(**{
    "migc.yaml": f"""order: [staging, production]
environments:
  staging: {{ context: {CONTEXT}, namespace: {NAMESPACES['staging']} }}
  production: {{ context: {CONTEXT}, namespace: {NAMESPACES['production']}, protected: true }}
inside-image: local/web:1
""",
    "hello.mig": (SOURCE / "examples/hello.mig").read_text(),
    "fails.mig": "stage staging < scale webapi to 4; verify replicas of webapi is 5 within 3s; > on failure undo;\n",
    "image.mig": 'stage staging < set image of webapi to "local/missing:1"; verify pods ready; > on failure undo;\n',
    "slow.mig": "stage staging < scale webapi to 4; verify replicas of webapi is 5 within 10m; > on failure undo;\n",
    "restart.mig": "stage staging < restart webapi; verify pods ready; > on failure undo;\n",
    "two.mig": """stage staging < scale webapi to 3; verify pods ready; > on failure undo;
stage production repeats staging < gate staging passed; >
""",
    "objects.mig": 'stage staging < apply "objects.yaml"; verify replicas of shelf is 9 within 2s; > on failure undo;\n',
    "objects.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fresh }\ndata: { colour: blue }\n---\n" + SHELF.replace("replicas: 2", "replicas: 3"),
    "hostile.mig": 'stage staging < scale "webapi --all; $(touch pwned)" to 4; verify pods ready; > on failure undo;\n',
})

check("the one-line script runs", project.migc("run", "hello.mig").returncode == 0)
check("four ready pods at the end", replicas() == "4 4", replicas())
check("it is taken back later", project.migc("undo", "last").returncode == 0 and replicas() == "2 2", replicas())
check("a failing verification exits with 1", project.migc("run", "fails.mig").returncode == 1)
check("the captured number is back", replicas() == "2 2", replicas())
begun = time.monotonic()
done = project.migc("run", "image.mig")
check("an image that cannot be pulled is noticed when it happens", done.returncode == 1 and time.monotonic() - begun < 60, done.stdout)
check("with the tool's reason", "Pull" in done.stdout, done.stdout)
check("the image is back", replicas(field="{.spec.template.spec.containers[0].image} {.status.readyReplicas}") == "local/web:1 2")
check("a restart runs", project.migc("run", "restart.mig").returncode == 0)
check("staging, then production", project.migc("run", "two.mig").returncode == 0)
check("both have three", replicas() == "3 3" and replicas("production") == "3 3")
check("and both go back", project.migc("undo", "last").returncode == 0 and replicas() == "2 2" and replicas("production") == "2 2")
# Of its own: whose number of replicas `kubectl scale` has set is not applied over.
kubectl("-n", NAMESPACES["staging"], "apply", "-f", "-", stdin=SHELF)
kubectl("-n", NAMESPACES["staging"], "rollout", "status", "deployment/shelf", "--timeout=120s")
done = project.migc("run", "objects.mig")
check("several objects are applied, and undone", done.returncode == 1 and done.stdout.count("✓ apply object") == 2 and done.stdout.count("↩ apply object") == 2, done.stdout)
check("what was created is deleted, what was changed is restored", replicas(name="shelf") == "2 2" and not kubectl("-n", NAMESPACES["staging"], "get", "configmap/fresh", "--ignore-not-found", "-o", "name"))
done = project.migc("run", "hostile.mig")
check("a hostile name changes nothing", done.returncode in (1, 2) and replicas() == "2 2" and not (project.folder / "pwned").exists(), done.stdout)

# Cut off in the middle, as when a laptop dies.
process = project.start("run", "slow.mig", stdout=subprocess.DEVNULL)
# Killed before it has written down how the command ended, it would be in doubt: kubectl scale leaves no name of whoever scaled.
shown = lambda: subprocess.run([MIGC, "show", "last"], cwd=project.folder, capture_output=True, text=True).stdout
wait_for("the scale-up", lambda: "✓ scale webapi to 4" in shown())
process.send_signal(signal.SIGKILL)
process.wait()
check("a killed run shows as unfinished", "unfinished" in project.migc("runs").stdout)
check("and is undone from the journal", project.migc("undo", "last").returncode == 0 and replicas() == "2 2", replicas())

# Somebody else changes the same field meanwhile.
check("scaled to four once more", project.migc("run", "hello.mig").returncode == 0)
kubectl("-n", NAMESPACES["staging"], "scale", "deployment/webapi", "--replicas=5")
done = project.migc("undo", "last")
check("what somebody else changed is not overwritten", done.returncode == 3 and replicas(field="{.spec.replicas}") == "5", done.stdout)
check("unless a person says so", project.migc("undo", "last", "--overwrite").returncode == 0 and replicas(field="{.spec.replicas}") == "2")

# Scenario 2 of the guide; the service is asked through the API server's proxy, since this cluster has no DNS.
shutil.copytree(SOURCE / "examples/ouroboros", project.folder / "ouroboros")
inventory = project.read("ouroboros/migc.yaml").replace("ionos-staging", CONTEXT).replace("ionos-prod", CONTEXT)
inventory = inventory.replace("namespace: monadic-pipeline-staging", f"namespace: {NAMESPACES['staging']}").replace("namespace: monadic-pipeline\n", f"namespace: {NAMESPACES['production']}\n")
project.write("ouroboros/migc.yaml", inventory)
# Neither the window of a Saturday night, nor what the pods log: the server of the test's image logs no requests.
script = "".join(line for line in project.read("ouroboros/scale-webapi.mig").splitlines(keepends=True) if "gate window" not in line and "serving" not in line)
project.write("ouroboros/scale-webapi.mig", script)
# See cluster.py for the probe's seconds.
manifest = project.read("ouroboros/k8s/webapi-deployment.cloud.yaml").replace("periodSeconds: 1\n", "periodSeconds: 1\n            timeoutSeconds: 10\n")
project.write("ouroboros/k8s/webapi-deployment.cloud.yaml", manifest)
for namespace in NAMESPACES.values():
    kubectl("-n", namespace, "apply", "-f", "-", stdin=manifest.replace("replicas: 4", "replicas: 2"))
    kubectl("-n", namespace, "rollout", "status", "deployment/monadic-pipeline-webapi", "--timeout=120s")
gateway = "10.244.0.1"
proxy = subprocess.Popen(["kubectl", "proxy", f"--address={gateway}", "--port=18001", "--accept-hosts=.*"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    health = f"http://{gateway}:18001/api/v1/namespaces/{NAMESPACES['staging']}/services/monadic-pipeline-webapi-service:80/proxy/health"
    os.chdir(project.folder / "ouroboros")
    project.folder = project.folder / "ouroboros"
    done = project.migc("run", "scale-webapi.mig", "--set", "soak-time=5s", "--set", f"health={health}")
    check("scenario 2 runs live, staging then production", done.returncode == 0, done.stdout)
    numbers = [replicas(environment, "monadic-pipeline-webapi") for environment in NAMESPACES]
    check("four replicas each", numbers == ["4 4", "4 4"], f"{numbers}\n" + "\n".join(kubectl("-n", namespace, "get", "events") for namespace in NAMESPACES.values()))
    check("no pod of `from inside` is left", "migc-inside" not in kubectl("-n", NAMESPACES["staging"], "get", "pods", "-o", "name"))
    check("scenario 2 is taken back", project.migc("undo", "last").returncode == 0 and replicas(name="monadic-pipeline-webapi") == "2 2")
    done = project.migc("run", "scale-webapi.mig", "--set", "soak-time=5s", "--set", f"health={health}-not")
    check("a wrong health check fails and is undone in staging", done.returncode == 1 and replicas(name="monadic-pipeline-webapi") == "2 2" and replicas("production", "monadic-pipeline-webapi") == "2 2", done.stdout)
finally:
    proxy.terminate()
finish()
