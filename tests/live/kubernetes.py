#!/usr/bin/env python3
"""A real cluster: the one-line script and scenario 2, done, failed, undone, cut off, and changed by somebody else.

Uses the cluster of KUBECONFIG, in namespaces of its own; without one it starts a cluster from the binaries in KUBE_BIN
(/opt/kube/bin); without these it is skipped."""
import atexit, hashlib, io, json, os, pathlib, shutil, signal, subprocess, tarfile, tempfile, time

from support import MIGC, SOURCE, Project, check, finish, need, skip, wait_for

need("kubectl")
IMAGES = {"local/pause:1": "pause", "local/web:1": "web", "adaptive-systems.cr.de-fra.ionos.com/monadic-pipeline-webapi:1.4.0": "web", "curlimages/curl:8.10.1": "web"}


def reachable():
    return subprocess.run(["kubectl", "get", "nodes"], capture_output=True, timeout=30).returncode == 0


def copy_with_libraries(program, root):
    """A program with the libraries that it loads, so that it runs in an image of its own."""
    libraries = [w for line in subprocess.run(["ldd", program], capture_output=True, text=True).stdout.splitlines() for w in line.split() if w.startswith("/")]
    for path in [program, *libraries]:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), target)


def root_of(kind):
    root = pathlib.Path(tempfile.mkdtemp())
    (root / "bin").mkdir()
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for applet in ("sh", "sleep", "httpd", "cat", "wget"):
        (root / "bin" / applet).symlink_to("busybox")
    if kind == "web":
        copy_with_libraries(shutil.which("curl"), root)
        (root / "www/api").mkdir(parents=True)
        (root / "www/health").write_text("ok\n")
    return root


def image(tag, kind, target):
    """An image as `docker save` writes it, made without docker."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(root_of(kind), arcname=".")
    command = ["/bin/sleep", "infinity"] if kind == "pause" else ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": command, "Env": ["PATH=/bin:/usr/bin"]}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(target, "w") as tar:
        for name, data in (("config.json", config), ("layer.tar", layer.getvalue()), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def start_cluster():
    binaries = os.environ.get("KUBE_BIN", "/opt/kube/bin")
    if not os.access(f"{binaries}/kubelet", os.X_OK):
        skip("no cluster: neither KUBECONFIG nor KUBE_BIN")
    if os.geteuid() != 0:
        skip("not root, so no cluster of its own")
    need("etcd", "containerd", "runc", "openssl", "busybox", "curl", "ip")
    run = pathlib.Path(tempfile.mkdtemp(prefix="migc-cluster-"))
    (run / "images").mkdir()
    for i, (tag, kind) in enumerate(IMAGES.items()):
        image(tag, kind, run / f"images/{i}.tar")
    environment = {**os.environ, "KUBE_BIN": binaries, "RUN": str(run)}
    script = SOURCE / "tests/live/cluster"
    atexit.register(lambda: (subprocess.run([script, "down"], env=environment, capture_output=True), shutil.rmtree(run, ignore_errors=True)))
    if subprocess.run([script, "up"], env=environment).returncode != 0:
        skip("the cluster does not start on this machine")
    os.environ["KUBECONFIG"] = str(run / "admin.kubeconfig")


if not (os.environ.get("KUBECONFIG") and reachable()):
    start_cluster()
CONTEXT = subprocess.run(["kubectl", "config", "current-context"], capture_output=True, text=True).stdout.strip()
NAMESPACES = {"staging": f"migc-{os.getpid()}-staging", "production": f"migc-{os.getpid()}-production"}


def kubectl(*arguments, stdin=None):
    return subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True).stdout.strip()


def replicas(environment="staging", name="webapi", field="{.spec.replicas} {.status.readyReplicas}"):
    return kubectl("-n", NAMESPACES[environment], "get", f"deployment/{name}", "-o", f"jsonpath={field}")


DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: webapi}
spec:
  replicas: 2
  selector: {matchLabels: {app: webapi}}
  template:
    metadata: {labels: {app: webapi}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: local/web:1
          imagePullPolicy: IfNotPresent
          readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 1}
"""
for namespace in NAMESPACES.values():
    kubectl("create", "namespace", namespace)
    atexit.register(kubectl, "delete", "namespace", namespace, "--wait=false")
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
    "objects.mig": 'stage staging < apply "objects.yaml"; verify replicas of webapi is 9 within 2s; > on failure undo;\n',
    "objects.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fresh }\ndata: { colour: blue }\n---\n" + DEPLOYMENT.replace("replicas: 2", "replicas: 3"),
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
done = project.migc("run", "objects.mig")
check("several objects are undone", done.returncode == 1, done.stdout)
check("what was created is deleted, what was changed is restored", replicas() == "2 2" and not kubectl("-n", NAMESPACES["staging"], "get", "configmap/fresh", "--ignore-not-found", "-o", "name"))
done = project.migc("run", "hostile.mig")
check("a hostile name changes nothing", done.returncode in (1, 2) and replicas() == "2 2" and not (project.folder / "pwned").exists(), done.stdout)

# Cut off in the middle, as when a laptop dies.
process = subprocess.Popen([os.path.abspath(MIGC), "run", "slow.mig"], cwd=project.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wait_for("the scale-up", lambda: replicas(field="{.spec.replicas}") == "4")
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
script = project.read("ouroboros/scale-webapi.mig").replace('    gate window "sat 02:00-04:00 Europe/Berlin";\n', "")
project.write("ouroboros/scale-webapi.mig", script)
manifest = project.read("ouroboros/k8s/webapi-deployment.cloud.yaml")
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
    check("four replicas each", replicas(name="monadic-pipeline-webapi") == "4 4" and replicas("production", "monadic-pipeline-webapi") == "4 4")
    check("no pod of `from inside` is left", "migc-inside" not in kubectl("-n", NAMESPACES["staging"], "get", "pods", "-o", "name"))
    check("scenario 2 is taken back", project.migc("undo", "last").returncode == 0 and replicas(name="monadic-pipeline-webapi") == "2 2")
    done = project.migc("run", "scale-webapi.mig", "--set", "soak-time=5s", "--set", f"health={health}-not")
    check("a wrong health check fails and is undone in staging", done.returncode == 1 and replicas(name="monadic-pipeline-webapi") == "2 2" and replicas("production", "monadic-pipeline-webapi") == "2 2", done.stdout)
finally:
    proxy.terminate()
finish()
