#!/usr/bin/env python3
"""The real cluster of the live tests: that of KUBECONFIG; without one, a cluster that is started from the binaries in
KUBE_BIN (/opt/kube/bin); without these the test is skipped. What a test makes is in namespaces of its own."""
import atexit, hashlib, io, json, os, pathlib, shutil, subprocess, sys, tarfile, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, need, skip

need("kubectl")
BINARIES = os.environ.get("KUBE_BIN", "/opt/kube/bin")
IMAGES = {"local/pause:1": "pause", "local/web:1": "web", "local/web:2": "web", "adaptive-systems.cr.de-fra.ionos.com/monadic-pipeline-webapi:1.4.0": "web", "curlimages/curl:8.10.1": "web"}


def reachable():
    return bool(os.environ.get("KUBECONFIG")) and subprocess.run(["kubectl", "get", "nodes"], capture_output=True, timeout=30).returncode == 0


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
    for applet in ("sh", "sleep", "httpd", "cat", "wget", "echo", "true", "tar", "df"):
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


def missing():
    """Why no cluster can be started on this machine, or nothing."""
    if not os.access(f"{BINARIES}/kubelet", os.X_OK):
        return "no cluster: neither KUBECONFIG nor KUBE_BIN"
    if os.geteuid() != 0:
        return "not root, so no cluster of its own"
    absent = [p for p in ("etcd", "containerd", "runc", "openssl", "busybox", "curl", "ip", "nsenter") if not shutil.which(p)]
    return f"no {absent[0]}" if absent else ""


def in_network_of(folder, *command, **environment):
    """Runs a command in the network namespace of the cluster: what an earlier cluster left on this machine is not there."""
    environment = {**os.environ, "KUBE_BIN": BINARIES, "RUN": str(folder), **environment}
    return subprocess.run(["nsenter", f"--net=/run/netns/{folder.name}", *command], env=environment).returncode


def up(folder):
    down(folder)
    (folder / "images").mkdir(parents=True)
    for i, (tag, kind) in enumerate(IMAGES.items()):
        image(tag, kind, folder / f"images/{i}.tar")
    subprocess.run(["ip", "netns", "add", folder.name], check=True)
    in_network_of(folder, "ip", "link", "set", "lo", "up")
    if in_network_of(folder, SOURCE / "tests/live/cluster", "up") != 0:
        down(folder)
        skip("the cluster does not start on this machine")


def down(folder):
    if pathlib.Path(f"/run/netns/{folder.name}").exists():
        in_network_of(folder, SOURCE / "tests/live/cluster", "down")
        subprocess.run(["ip", "netns", "delete", folder.name])
    shutil.rmtree(folder, ignore_errors=True)


def run_this_test_in_a_cluster():
    """In the one that was started for all tests, if there is one, else in one for this test alone."""
    shared = os.environ.get("MIGC_CLUSTER")
    folder = pathlib.Path(shared or tempfile.mkdtemp(prefix="migc-cluster-"))
    if not shared:
        up(folder)
    elif not (folder / "admin.kubeconfig").exists():
        skip("the cluster does not start on this machine")
    try:
        code = in_network_of(folder, sys.executable, *sys.argv, KUBECONFIG=str(folder / "admin.kubeconfig"))
    finally:
        if not shared:
            down(folder)
    sys.exit(code)


if __name__ == "__main__":  # the fixture of the tests: cluster.py up|down FOLDER
    reason = "KUBECONFIG names one" if reachable() else missing()
    if reason:
        skip(reason)
    sys.exit({"up": up, "down": down}[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve()))
if not reachable():
    if missing():
        skip(missing())
    run_this_test_in_a_cluster()
CONTEXT = subprocess.run(["kubectl", "config", "current-context"], capture_output=True, text=True).stdout.strip()


def kubectl(*arguments, stdin=None):
    return subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True).stdout.strip()


def make_namespace(name):
    kubectl("create", "namespace", name)
    atexit.register(kubectl, "delete", "namespace", name, "--wait=false")


# A probe that has to be answered within a second fails on a machine that has other things to do, and its pod is not ready then.
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
          readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 1, timeoutSeconds: 10}
"""
