#!/usr/bin/env python3
"""A real cluster: objects, services, revisions, autoscalers, claims and nodes, done and taken back; and what the
cluster says when it refuses. See cluster.py for which cluster."""
import atexit, json, os, pathlib, sys, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, DEPLOYMENT, kubectl, make_namespace
from harness import Project, check, finish, wait_for

SPACE, GUARDED, NODE = f"migc-{os.getpid()}-objects", f"migc-{os.getpid()}-guarded", f"migc-{os.getpid()}"
WEB = DEPLOYMENT.replace("name: webapi", "name: web").replace("app: webapi", "app: web")
GREEN = WEB.replace("name: web}", "name: green}").replace("labels: {app: web}", "labels: {app: web, version: green}").replace("matchLabels: {app: web}", "matchLabels: {version: green}")
BLUE = WEB.replace("labels: {app: web}", "labels: {app: web, version: blue}")
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web, version: blue}, ports: [{port: 80, targetPort: 8080}]}\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n"
STORE = """apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 1
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {terminationGracePeriodSeconds: 1, containers: [{name: web, image: "local/web:1", imagePullPolicy: IfNotPresent}]}
"""
SCALED = WEB.replace("name: web}", "name: scaled}").replace("app: web", "app: scaled").replace("replicas: 2", "replicas: 1")
VOLUME = f"""apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: {NODE}}}
provisioner: kubernetes.io/no-provisioner
allowVolumeExpansion: true
---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {NODE}}}
spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], storageClassName: {NODE}, hostPath: {{path: /tmp/{NODE}}}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: [ReadWriteOnce], storageClassName: {NODE}, resources: {{requests: {{storage: 1Gi}}}}}}
"""
KEPT = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: kept}\nspec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}\n"
# A node without a kubelet: nothing of the real one is cordoned or drained. Its pods end without a grace period, since
# nobody would report their end; that they run is written by hand.
FAKE_NODE = f"""apiVersion: v1
kind: Node
metadata: {{name: {NODE}, labels: {{migc-test: {NODE}}}}}
spec: {{taints: [{{key: migc-test, value: "on", effect: NoSchedule}}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: guard}}
spec: {{minAvailable: 1, selector: {{matchLabels: {{app: held}}}}}}
"""


def on_fake_node(name):
    return f"""---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: {name}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{nodeSelector: {{migc-test: {NODE}}}, tolerations: [{{key: migc-test, operator: Exists}}, {{key: node.kubernetes.io/not-ready, operator: Exists}}, {{key: node.kubernetes.io/unreachable, operator: Exists}}], terminationGracePeriodSeconds: 0, containers: [{{name: web, image: "local/web:1"}}]}}
"""


def here(*arguments, stdin=None):
    return kubectl("-n", SPACE, *arguments, stdin=stdin)


def field(what, path):
    return here("get", what, "-o", f"jsonpath={path}")


def state():
    """What a person wrote of the objects here, without what the cluster counts."""
    items = json.loads(here("get", "deployments,services,configmaps,statefulsets,hpa", "-o", "json"))["items"]
    for one in items:
        for key in ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"):
            one["metadata"].pop(key, None)
        one["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
        one["metadata"].pop("annotations", None) if not one["metadata"].get("annotations") else None
        one.pop("status", None)
        # How many there are of what is autoscaled is the autoscaler's work.
        for key in ("clusterIP", "clusterIPs", *(["replicas"] if one["metadata"]["name"] == "scaled" else [])):
            one.get("spec", {}).pop(key, None)
    return items


for namespace in (SPACE, GUARDED):
    make_namespace(namespace)
for kind in ("node", "pv", "storageclass"):
    atexit.register(kubectl, "delete", kind, NODE, "--ignore-not-found", "--wait=false")
here("apply", "-f", "-", stdin="---\n".join([BLUE, GREEN, SERVICE, SETTINGS, STORE, SCALED, VOLUME]))
here("apply", "-f", "-", stdin=KEPT)
here("autoscale", "deployment/scaled", "--min=1", "--max=3")
for name in ("deployment/web", "deployment/green", "deployment/scaled", "statefulset/store"):
    here("rollout", "status", name, "--timeout=120s")

VERBS = """
    verify exists service web; verify exists claim data; verify not exists object "configmap/nope";
    verify endpoints of web is 2;
    let first = revision of "statefulset/store";
    patch object "configmap/settings" at "/data/colour" to "green";
    patch object "configmap/settings" at "/data/taste" to "sweet";
    set autoscaling of scaled to "2..4";
    switch service web to "version=green";
    set image of web to "local/web:2";
    set image of "statefulset/store" to "local/web:2";
    verify pods ready;
    roll back web;
    roll back "statefulset/store" to revision first;
    delete object "configmap/settings";
    apply "k8s";
"""
project = Project(**{
    "migc.yaml": f"order: [guarded, nowhere, staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {SPACE} }}\n  guarded: {{ context: {CONTEXT}, namespace: {GUARDED} }}\n  nowhere: {{ context: {CONTEXT}, namespace: {SPACE}-none }}\n",
    "verbs.mig": f"stage staging <{VERBS}> on failure undo;\n",
    "verbs-fail.mig": f"stage staging <{VERBS} verify replicas of web is 77 within 1s; > on failure undo;\n",
    "k8s/README.md": "what is here",
    "k8s/kustomization.yaml": "resources: [a.yaml]\n",
    "k8s/a.yaml": SETTINGS.replace("settings", "fresh"),
    "k8s/b.yaml": SERVICE.replace("name: web", "name: fresh"),
    "remove.mig": 'stage staging < apply "store.yaml"; delete objects of "store.yaml"; > on failure undo;\n',
    "store.yaml": SETTINGS.replace("settings", "kept") + "---\n" + KEPT,
})

# Slow by nature, so it runs beside the rest: a container that crashes again and again.
CRASHING = SCALED.replace("name: scaled}", "name: crashing}").replace("app: scaled", "app: crashing").replace("          image: local/web:1", '          image: local/web:1\n          command: ["/bin/cat", "/none"]')
crashing = Project(**{"migc.yaml": project.read("migc.yaml"), "crash.yaml": CRASHING, "crash.mig": 'stage guarded < apply "crash.yaml"; verify pods ready within 10m; > on failure undo;\n'})
begun = time.monotonic()
crash = crashing.start("run", "crash.mig")
crash_ended = []  # when; the tests in between take their own time


def note_the_end():
    crash.wait()
    crash_ended.append(time.monotonic())


watcher = threading.Thread(target=note_the_end)
watcher.start()

before = state()
done = project.migc("run", "verbs-fail.mig")
check("every verb is undone exactly", done.returncode == 1 and state() == before, done.stdout)
check("what a folder holds besides manifests is told", "README.md, kustomization.yaml" in done.stdout, done.stdout)
check("what making again cannot bring back is told", "its identity is a new one" in done.stdout, done.stdout)
check("every verb runs", project.migc("run", "verbs.mig").returncode == 0)
check("the service has switched", field("service/web", "{.spec.selector}") == '{"app":"web","version":"green"}')
check("the autoscaler has its range, and the workload follows", field("hpa/scaled", "{.spec.minReplicas}..{.spec.maxReplicas}") == "2..4" and field("deployment/scaled", "{.spec.replicas}") == "2")
check("the revision before is back", field("deployment/web", "{.spec.template.spec.containers[0].image}") == "local/web:1")
check("later it is all taken back", project.migc("undo", "last").returncode == 0 and state() == before)
done = project.migc("run", "remove.mig")
check("claims are left standing, and told", done.returncode == 0 and "persistentvolumeclaim/kept" in done.stdout and here("get", "pvc/kept", "-o", "name") and not here("get", "configmap/kept", "--ignore-not-found", "-o", "name"), done.stdout)


def fails(what, script, *words, stage="staging", code=1, environment=None, within=60, where=None):
    """where: a place that check does not know, so that it is the server that refuses."""
    project.write("one.mig", ("param where: string;\n" if where else "") + f"stage {stage} < {script} > on failure undo;\n")
    begun = time.monotonic()
    # What a step itself says of a right that is missing; before a run begins, it is asked for: see doctor.py.
    done = project.migc("run", "one.mig", "--no-preflight", *(["--set", f"where={where}"] if where else []), environment=environment)
    told = "".join(line for line in done.stdout.splitlines() if "✗" in line)
    plain = all(word in done.stdout for word in words) and '{"' not in told and "v1." not in told
    check(what, done.returncode == code and plain and time.monotonic() - begun < within, done.stdout)


fails("an immutable field", 'patch object "deployment/web" at where to "other";', 'Deployment "web" is invalid', "immutable", where="/spec/selector/matchLabels/app")
fails("a value of the wrong type", 'patch object "deployment/web" at where to "seven";', "cannot unmarshal string", where="/spec/replicas")
fails("a field that the server does not know", 'patch object "deployment/web" at "/spec/nonsense" to 1;', "the server drops it")
fails("a field of the server itself", 'patch object "deployment/web" at where to 9;', "written by the cluster itself", where="/status/replicas")
fails("an autoscaled workload", "scale scaled to 3;", "autoscaler of scaled is scaled", "set autoscaling")
fails("a namespace that is not there", "scale web to 3;", f"there is no namespace {SPACE}-none", stage="nowhere")
fails("nobody behind the new selector", 'switch service web to "version=red";', "there is no pod with app=web,version=red")
fails("a revision that is not there", "roll back web to revision 99;", "web has no revision 99")
fails("an object that another one makes", f'delete object "pod/{here("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}")}";', "is made by ReplicaSet")

here("patch", "configmap/settings", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/keep"]}}')
fails("a finalizer that nobody takes away", 'delete object "configmap/settings";', "finalizer example.com/keep holds it", code=4)
here("patch", "configmap/settings", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
fails("a larger claim that nobody resizes", "grow volume data to 2Gi; verify claim data has grown within 3s;", "data has 1Gi of 2Gi", "waits for the controller that resizes", code=3)
fails("a claim cannot shrink", "grow volume data to 1Gi;", "a claim cannot shrink")

# Rights: a service account that may only read.
here("create", "serviceaccount", "reader")
here("create", "rolebinding", "reader", "--clusterrole=view", f"--serviceaccount={SPACE}:reader")
config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
config["users"][0]["user"] = {"token": here("create", "token", "reader")}
project.write("reader.kubeconfig", json.dumps(config))
reader = {"KUBECONFIG": str(project.folder / "reader.kubeconfig")}
project.write("map.yaml", SETTINGS)
fails("a forbidden verb", "scale web to 3;", "is forbidden", "deployments/scale", environment=reader)
fails("a forbidden apply", 'apply "map.yaml";', "is forbidden", "configmaps", environment=reader)
fails("a forbidden dry run", 'verify dry run of apply "map.yaml" accepted;', "configmap/settings", "is forbidden", environment=reader, within=10)
fails("nodes that may not be read", "cordon vm;", "nodes", "is forbidden", environment=reader)

# Admission: what may not run is told when the cluster says so.
kubectl("-n", GUARDED, "create", "quota", "few", "--hard=count/services=0")
project.write("web.yaml", WEB)
project.write("service.yaml", SERVICE)
fails("a quota", 'apply "service.yaml";', "exceeded quota: few", stage="guarded")
fails("a quota, by the dry run", 'verify dry run of apply "service.yaml" accepted;', "exceeded quota: few", stage="guarded", within=10)
project.write("large.yaml", WEB.replace("imagePullPolicy: IfNotPresent", "imagePullPolicy: IfNotPresent\n          resources: {limits: {memory: 128Mi}}"))
kubectl("apply", "-f", "-", stdin=f"apiVersion: v1\nkind: LimitRange\nmetadata: {{name: limits, namespace: {GUARDED}}}\nspec: {{limits: [{{type: Container, max: {{memory: 64Mi}}}}]}}\n")
fails("a limit range", 'apply "large.yaml"; verify pods ready;', "maximum memory usage per Container is 64Mi", stage="guarded")
out = crash.communicate()[0]
watcher.join()
print(out)
check("a crash loop is told long before the limit", crash.returncode == 1 and "CrashLoopBackOff: container web ended" in out and crash_ended[0] - begun < 240)
kubectl("label", "namespace", GUARDED, "pod-security.kubernetes.io/enforce=restricted")
kubectl("-n", GUARDED, "delete", "limitrange", "limits")
fails("pod security", 'apply "web.yaml"; verify pods ready;', 'violates PodSecurity "restricted', stage="guarded")

# Nodes.
here("apply", "-f", "-", stdin=FAKE_NODE)
kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"}, "conditions": [{"type": "Ready", "status": "True", "reason": "Test"}]}}))
here("apply", "-f", "-", stdin=on_fake_node("free") + on_fake_node("held"))
wait_for("pods on the node", lambda: field("pods", f'{{.items[?(@.spec.nodeName=="{NODE}")].metadata.name}}').count("-") == 2)
for name in field("pods", f'{{.items[?(@.spec.nodeName=="{NODE}")].metadata.name}}').split():
    here("patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}))
wait_for("the budget", lambda: field("pdb/guard", "{.status.currentHealthy}") == "1")
fails("a disruption budget that never lets go", f'drain "{NODE}";', f"disruption budget {SPACE}/guard lets none of its 1 pods go", within=45)
check("the node is schedulable again", kubectl("get", "node", NODE, "-o", "jsonpath={.spec.unschedulable}") == "")
here("delete", "pdb", "guard")
project.write("drain.mig", f'stage staging < let taints = taints of nodes at "/{NODE}"; cordon "{NODE}"; drain "{NODE}" waiting 15s; > on failure undo;\n')
done = project.migc("run", "drain.mig")
check("a node is drained", done.returncode == 0 and "migc-test=on:NoSchedule" in done.stdout, done.stdout)
check("and comes back", project.migc("undo", "last").returncode == 0 and kubectl("get", "node", NODE, "-o", "jsonpath={.spec.unschedulable}") == "")
finish()
