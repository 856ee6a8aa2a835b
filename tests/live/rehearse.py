#!/usr/bin/env python3
"""`migc rehearse` on the real thing: terraform, files, docker, a cluster. Done, taken back, compared with what its verbs declare,
done again; and an undo that leaves something is found, with the line of the step.   rehearse.py terraform|files|docker|kubernetes"""
import os, pathlib, shutil, signal, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, need, skip, wait_for

TOOL = sys.argv[1]


def rehearse(project, script, what, *, good=True, says="", environment=None):
    done = project.migc("rehearse", script, "--stage", "staging", environment=environment)
    check(f"{what}: {'as declared' if good else 'the difference is found'}", done.returncode == (0 if good else 3), done.stdout)
    check(f"{what}: it was done, undone and done again" if good else f"{what}: it is said what is left", (says or ": as declared: ") in done.stdout, done.stdout)


def files():
    project = Project(**{
        "settings.json": '{\n  "Redis": "localhost:6379", // moves\n  "Features": {}\n}\n',
        "good.mig": 'stage staging <\n    set value of "settings.json" at "/Redis" to "redis:6379";\n    set flag "UseRedis" in "settings.json" to true;\n> on failure undo;\n',
        # The program's second half is not in its declaration: it leaves a line behind at each undo.
        "leaves.mig": '''tool sh < program "/bin/sh"; >
probe first of (file: path): string <
    read sh ["-c", "head -n 1 ${file}"] as text;
>
verb put (text: string) into (file: path) <
    capture prior = first of file;
    effect first of file becomes text;
    do sh ["-c", "echo ${text} > ${file}"];
    undo < put (prior) back into file; >;
>
verb put (text: string) back into (file: path) <
    do sh ["-c", "echo not ${text} > ${file}"];
    undo none because "it is the way back";
>
stage staging < put "new" into "note"; > on failure undo;
''',
        "note": "old\n",
    })
    before = project.read("settings.json")
    rehearse(project, "good.mig", "files")
    check("files: the stage is left done", '"redis:6379"' in project.read("settings.json") and project.read("settings.json") != before)
    rehearse(project, "leaves.mig", "an undo that writes something else", good=False, says="after the undo, first of note is not old, not old as before")
    project.remove()


def terraform():
    need("terraform")
    project = Project(**{
        "migc.yaml": "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none, terraform: { dir: terraform, var-file: staging.tfvars } }\n",
        "terraform/main.tf": 'variable "node_count" { type = number }\nresource "terraform_data" "node" {\n  count = var.node_count\n  input = "pool"\n}\n',
        "terraform/staging.tfvars": "node_count = 2\n",
        "grow.mig": '''stage staging <
    set value of "terraform/staging.tfvars" at "/node_count" to 3;
    plan terraform as larger;
    expect larger adds 1 changes 0 destroys 0;
    apply larger;
> on failure undo;
''',
    })
    terraform = lambda *words: subprocess.run(["terraform", "-chdir=terraform", *words], cwd=project.folder, capture_output=True, text=True)
    terraform("init", "-input=false")
    terraform("apply", "-auto-approve", "-input=false", "-var-file=staging.tfvars")
    check("terraform: two nodes before", terraform("state", "list").stdout.count("terraform_data.node") == 2)
    rehearse(project, "grow.mig", "terraform")
    check("terraform: three after it, since the stage is left done", terraform("state", "list").stdout.count("terraform_data.node") == 3)
    project.remove()


def docker():
    need("docker", "dockerd", "busybox")
    if os.geteuid() != 0:
        skip("not root, so no docker engine of its own")
    work = pathlib.Path(tempfile.mkdtemp(prefix="migc-docker-"))
    host = {"DOCKER_HOST": f"unix://{work}/docker.sock", "DOCKER_BUILDKIT": "0"}
    os.environ.update(host)
    log = open(work / "log", "w")
    daemon = subprocess.Popen(["dockerd", "--host", host["DOCKER_HOST"], "--data-root", work / "data", "--exec-root", work / "exec", "--pidfile", work / "pid",
                               "--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"], stdout=log, stderr=log)
    try:
        def up():
            if daemon.poll() is not None:
                skip("the docker engine does not start here: " + (work / "log").read_text().strip().splitlines()[-1])
            return subprocess.run(["docker", "info"], capture_output=True).returncode == 0
        wait_for("dockerd", up)
        project = Project(**{
            "app/Dockerfile": 'FROM scratch\nCOPY hello /hello\nCMD ["/hello"]\n', "app/hello": "hello\n",
            "build.mig": 'stage staging <\n    build image "web:1.1" from "app";\n    tag image "web:1.1" to "web:stable";\n> on failure undo;\n',
        })
        ids = lambda: subprocess.run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"], capture_output=True, text=True).stdout.split()
        rehearse(project, "build.mig", "docker", environment=host)
        check("docker: the images are there, since the stage is left done", {"web:1.1", "web:stable"} <= set(ids()), ids())
        project.remove()
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
        shutil.rmtree(work, ignore_errors=True)


def kubernetes():
    from cluster import CONTEXT, DEPLOYMENT, kubectl, make_namespace
    space = f"migc-{os.getpid()}-rehearsal"
    make_namespace(space)
    here = lambda *words, stdin=None: kubectl("--namespace", space, *words, stdin=stdin)
    here("apply", "-f", "-", stdin=DEPLOYMENT + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n")
    here("rollout", "status", "deployment/webapi", "--timeout=120s")
    project = Project(**{
        "migc.yaml": f"order: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {space} }}\n",
        "change.mig": '''stage staging <
    verify at least 1 of webapi ready;
    scale webapi to 3;
    patch object "configmap/settings" at "/data/colour" to "green";
    restart webapi;
    verify at least 3 of webapi ready within 2m;
> on failure undo;
''',
        "leaves.mig": "stage staging < scale webapi to 2 undo scale webapi to 1; verify pods ready within 2m; > on failure undo;\n",
    })
    state = lambda: (here("get", "deployment/webapi", "-o", "jsonpath={.spec.replicas}"), here("get", "configmap/settings", "-o", "jsonpath={.data.colour}"))
    rehearse(project, "change.mig", "kubernetes")
    check("kubernetes: the stage is left done", state() == ("3", "green"), state())
    rehearse(project, "leaves.mig", "an undo to another number", good=False, says="after the undo, replicas of webapi is 1, not 3 as before")
    project.remove()


{"files": files, "terraform": terraform, "docker": docker, "kubernetes": kubernetes}[TOOL]()
finish()
