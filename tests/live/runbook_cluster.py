#!/usr/bin/env python3
"""The undo runbook typed on a real cluster, from another folder and with another current context, after the verbs that act
there: as tests/live/runbook.py does it with a fake, so that a server's own ideas about these lines are known.

    runbook_cluster.py [PART...]     See cluster.py for which cluster."""
import json, os, pathlib, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, kubectl, make_namespace
from harness import Project, check, finish
from runbook import CASES, comparable, manifest, typed_lines

SPACE = f"migc-{os.getpid()}-runbook"
PARTS = sys.argv[1:]
# There is one node, and nobody else may be sent away from it; classes of storage are the cluster's own.
LEFT_OUT = ("cordoned", "uncordoned")
IMAGES = {"web:1": "local/web:1", "web:2": "local/web:2", "web:9": "local/pause:1"}


def real(value):
    """With images that the cluster has."""
    text = json.dumps(value)
    for name, image in IMAGES.items():
        text = text.replace(f'"{name}"', f'"{image}"').replace(f'\\"{name}\\"', f'\\"{image}\\"').replace(f"web={name}", f"web={image}")
    return json.loads(text)


def asked(*words):
    done = subprocess.run(["kubectl", "--namespace", SPACE, *words], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr)
    return done.stdout


def world():
    """What people have made in the namespace."""
    kinds = "configmaps,secrets,services,deployments,horizontalpodautoscalers"
    items = json.loads(asked("get", kinds, "-o", "json"))["items"]
    return comparable({f"/{i['kind'].lower()}/{i['metadata']['name']}": {**i, "metadata": {k: v for k, v in i["metadata"].items() if k != "creationTimestamp"}}
                       for i in items if i["metadata"]["name"] != "kube-root-ca.crt"})


def submitted(obj):
    obj = real(obj)
    for key in ("uid", "resourceVersion", "generation", "namespace"):
        obj["metadata"].pop(key, None)
    return json.dumps(obj)


def start(case):
    asked("delete", "configmaps,secrets,services,deployments,horizontalpodautoscalers", "--all", "--wait=true")
    for obj in case.objects:
        # What is applied was applied before, by kubectl: its fields are taken over.
        how = "apply" if "apply" in case.stage else "create"
        kubectl("--namespace", SPACE, how, "-f", "-", stdin=submitted(obj))
    for obj in case.objects:
        if obj["kind"] == "Deployment":
            asked("rollout", "status", f"deployment/{obj['metadata']['name']}", "--timeout=120s")
    for command in case.prepare:
        asked(*real(list(command)))
        asked("rollout", "status", "deployment/web", "--timeout=120s")
    return Project(**{"migc.yaml": f"order: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {SPACE} }}\n",
                      "a.mig": f"stage staging < {real(case.stage)} > on failure hold;", **case.files})


def typed(project):
    """From another folder; kubectl's own context leads elsewhere."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="migc-elsewhere-"))
    sheet = project.migc("sheet", "last").stdout
    shutil.copy(os.environ["KUBECONFIG"], folder / "config")
    environment = {**os.environ, "KUBECONFIG": str(folder / "config")}
    subprocess.run(["kubectl", "config", "set-context", "elsewhere", "--cluster=none", "--namespace=default"], env=environment, capture_output=True)
    subprocess.run(["kubectl", "config", "use-context", "elsewhere"], env=environment, capture_output=True)
    done = subprocess.run(["bash", "-e"], input=sheet, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    print(done.stdout)
    shutil.rmtree(folder)
    return sheet, done


def main():
    make_namespace(SPACE)
    counts = dict.fromkeys(("runbooks", "lines typed", "worlds as before", "changes of others kept"), 0)
    for name, case in CASES.items():
        if name in LEFT_OUT or (PARTS and name not in PARTS):
            continue
        print(f"\n== {name}")
        project = start(case)
        before = world()
        done = project.migc("run", "a.mig")
        sheet, ended = typed(project)
        after = world()
        check(f"{name}: the run changed something, and the runbook runs", done.returncode == 0 and ended.returncode == 0, done.stdout + sheet + ended.stdout)
        check(f"{name}: all is as before", after == before, json.dumps([before, after]))
        counts["runbooks"] += 1
        counts["lines typed"] += len(typed_lines(sheet))
        counts["worlds as before"] += after == before
        project.remove()
        if not case.theirs:
            continue
        project = start(case)
        project.migc("run", "a.mig")
        command, which, path, value = case.theirs
        project.write("theirs.json", manifest("settings", "theirs"))
        asked(*real([str(project.folder / "theirs.json") if word == "THEIRS" else word for word in command]))
        sheet, ended = typed(project)
        found = world().get(which.removeprefix("shop"))
        for part in path.split("/"):
            found = found[int(part)] if isinstance(found, list) else (found or {}).get(part)
        kept = found == real(value)
        check(f"{name}: somebody else's change is not overwritten, and bash says so", kept and ended.returncode != 0, sheet + ended.stdout + json.dumps(found))
        counts["changes of others kept"] += kept
        project.remove()
    print("\n" + ", ".join(f"{count} {what}" for what, count in counts.items()))
    finish()


main()
