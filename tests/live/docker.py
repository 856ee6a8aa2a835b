#!/usr/bin/env python3
"""docker with a registry, both private to this test: build, push, and the tag that comes back."""
import os, pathlib, shutil, signal, socket, subprocess, tempfile

from support import Project, check, finish, need, skip, wait_for

need("docker", "dockerd", "docker-registry", "busybox", "curl")
if os.geteuid() != 0:
    skip("not root, so no docker engine of its own")
work = pathlib.Path(tempfile.mkdtemp(prefix="migc-docker-"))
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
registry = f"127.0.0.1:{port}"
(work / "registry.yml").write_text(f"version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {work}/registry }} }}\nhttp: {{ addr: {registry} }}\n")
os.environ["DOCKER_HOST"] = f"unix://{work}/docker.sock"
processes = [
    subprocess.Popen(["docker-registry", "serve", work / "registry.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
    subprocess.Popen(["dockerd", "--host", os.environ["DOCKER_HOST"], "--data-root", work / "data", "--exec-root", work / "exec", "--pidfile", work / "pid",
                      "--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"], stdout=subprocess.DEVNULL, stderr=open(work / "dockerd.log", "w")),
]


def digest(tag):
    answer = subprocess.run(["curl", "-sI", "-H", "Accept: application/vnd.docker.distribution.manifest.v2+json", f"http://{registry}/v2/web/manifests/{tag}"], capture_output=True, text=True).stdout
    return next((line.split(":", 1)[1].strip() for line in answer.splitlines() if line.lower().startswith("docker-content-digest")), None)


def docker_is_up():
    if processes[1].poll() is not None:
        skip("the docker engine does not start here: " + (work / "dockerd.log").read_text().strip().splitlines()[-1])
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


try:
    wait_for("the docker engine", docker_is_up, 60)
    image = f"{registry}/web:staging"
    project = Project(**{
        "migc.yaml": "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none }\n",
        "app/Dockerfile": "FROM scratch\nCOPY version /version\n",
        "app/version": "one\n",
        "push.mig": f'stage staging < build image "{image}" from "app"; push image "{image}"; verify digest of image "{image}" is not absent; > on failure undo;\n',
        "fail.mig": f'stage staging < build image "{image}" from "app"; push image "{image}"; verify http get "http://{registry}/v2/nothing/manifests/x" is 200 within 1s; > on failure undo;\n',
    })
    environment = {"DOCKER_BUILDKIT": "0"}
    check("build and push", project.migc("run", "push.mig", environment=environment).returncode == 0)
    first = digest("staging")
    check("the registry has it", first is not None)
    project.write("app/version", "two\n")
    done = project.migc("run", "fail.mig", environment=environment)
    check("a failed verification is undone", done.returncode == 1, done.stdout)
    check("the tag is what it was, by digest", digest("staging") == first, f"{digest('staging')} in place of {first}")
    check("the second image was really pushed", "push" in done.stdout)
    project.remove()
finally:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait(timeout=30)
    subprocess.run(["umount", "-R", work / "data"], capture_output=True)
    shutil.rmtree(work, ignore_errors=True)
finish()
