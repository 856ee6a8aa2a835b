#!/usr/bin/env python3
"""Somebody else acts on the same things of a real cluster, at each moment of a step and of its undo.

    interference.py [--long | --sample N | --case "STEP/DEED/MOMENT"]     without: a sample of 30, always the same; --case
                                                                          with * for whatever stands there

A wrapper on PATH lets a colleague act once, just before or just after a certain command of migc (a controller acts after each
write). What the colleague wrote is the judge: it stands at the end, unless it was there when the step looked; and what is called
done or undone is so, by what the cluster says. tests/fault/interference.cpp does the same in the simulated world."""
import concurrent.futures, fnmatch, itertools, json, os, pathlib, random, shutil, subprocess, sys, tempfile, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, kubectl, make_namespace
from harness import MIGC, Project, allowed, check, finish

REAL = shutil.which("kubectl")
SPACE = f"migc-{os.getpid()}-others"
SAMPLE = int(sys.argv[sys.argv.index("--sample") + 1]) if "--sample" in sys.argv else 30
WORKERS = 3

WRAPPER = """#!/bin/bash
here=HERE
words=" $* "
kind=look
if [[ "$words" =~ " "(scale|patch|apply|delete|create|replace|annotate|label|set|rollout|autoscale)" " && "$words" != *--dry-run* && "$words" != *" auth "* ]]; then kind=write; fi
now() {
    [ -e "$here/rule" ] && [ ! -e "$here/fired" ] && [ "$(<"$here/when")" = $1 ] && { [ "$(<"$here/rule")" = $kind ] || [[ "$words" == *"$(<"$here/rule")"* ]]; }
}
act() {
    [ -e "$here/again" ] || touch "$here/fired"
    bash -e "$here/colleague" </dev/null >>"$here/log" 2>&1 && echo acted >>"$here/acted"
}
now before && act
REAL "$@"
code=$?
now after && act
exit $code
"""

ABSENT = "absent"
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 1
  selector: {matchLabels: {LABELS}}
  template:
    metadata: {labels: {LABELS}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: web, image: "local/web:1", imagePullPolicy: IfNotPresent}]}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {colour: blue, size: small}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {selector: {app: front, version: blue}, ports: [{port: 80}]}\n"
SCALER = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: NAME}\nspec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}}\n"
SET_CONFIG = """KUBECTL get configmap/NAME && KUBECTL patch configmap/NAME --type=merge -p '{"data":{"KEY":VALUE}}' || KUBECTL create configmap NAME --from-literal=KEY=VALUE"""
SET_IMAGE = "KUBECTL set image deployment/NAME web=VALUE"


def web(name="NAME", labels="app: NAME"):
    return WEB.replace("NAME", name).replace("LABELS", labels.replace("NAME", name))


# What the step is, what there is before, which field of which object it changes, from what to what, and what a colleague
# writes there, and how; the manifest that it applies.
STEPS = {
    "scale": ("scale NAME to 2;", web(), "deployment/NAME", "/spec/replicas", 1, 2, 3, "KUBECTL scale deployment/NAME --replicas=VALUE", ""),
    "set image": ('set image of NAME to "local/web:2";', web(), "deployment/NAME", "/spec/template/spec/containers/0/image", "local/web:1", "local/web:2", "local/pause:1", SET_IMAGE, ""),
    "set autoscaling": ('set autoscaling of NAME to "1..5";', web() + "---\n" + SCALER, "hpa/NAME", "/spec/maxReplicas", 3, 5, 7, """KUBECTL patch hpa/NAME --type=merge -p '{"spec":{"maxReplicas":VALUE}}'""", ""),
    "patch": ('patch object "configmap/NAME" at "/data/colour" to "green";', CONFIG, "configmap/NAME", "/data/colour", "blue", "green", "red", SET_CONFIG.replace("KEY", "colour"), ""),
    "patch a new field": ('patch object "configmap/NAME" at "/data/shape" to "round";', CONFIG, "configmap/NAME", "/data/shape", None, "round", "square", SET_CONFIG.replace("KEY", "shape"), ""),
    "apply": ('apply "it.yaml";', CONFIG, "configmap/NAME", "/data/colour", "blue", "green", "red", SET_CONFIG.replace("KEY", "colour"), CONFIG.replace("blue", "green")),
    "apply a new object": ('apply "it.yaml";', "", "configmap/NAME", "/data/colour", ABSENT, "blue", "red", SET_CONFIG.replace("KEY", "colour"), CONFIG),
    "apply a workload": ('apply "it.yaml";', web(), "deployment/NAME", "/spec/template/spec/containers/0/image", "local/web:1", "local/web:2", "local/pause:1", SET_IMAGE, web().replace("web:1", "web:2")),
    "switch": ('switch service NAME to "version=green";', SERVICE, "service/NAME", "/spec/selector/version", "blue", "green", "violet", """KUBECTL patch service/NAME --type=merge -p '{"spec":{"selector":{"version":VALUE}}}'""", ""),
    "delete": ('delete object "configmap/NAME";', CONFIG, "configmap/NAME", "/data/colour", "blue", ABSENT, "red", SET_CONFIG.replace("KEY", "colour"), ""),
}
DEEDS = ["sets another value", "sets the same value", "sets another field", "deletes it", "deletes it and makes it anew"]
# Of the run or of the undo, the command (a look, a write, one with these words), and the side of it; without a command, between the two.
MOMENTS = {
    "before the capture": ("run", "NAME", "before"),
    "between capture and act": ("run", "write", "before"),
    "between act and look": ("run", "write", "after"),
    "while it is verified": ("run", "configmap/marker", "before"),
    "before the stage ends": ("run", "configmap/marker", "after"),
    "before the undo": ("", "", ""),
    "between the undo's look and its write": ("undo", "write", "before"),
    "after the undo's write": ("undo", "write", "after"),
}
CONTROLLER = "annotates after each write"
# What is theirs though it is as migc left it. Of a field that is gone nothing tells who took it away, and of a moment before
# migc has looked at what it wrote nobody can know it where a tool writes under its own name.
AGAIN = ["sets another value and that one again", "applies the same value"]
AGAIN_MOMENTS = ["while it is verified", "before the stage ends", "before the undo", "between the undo's look and its write"]


class Case:
    numbers = itertools.count(1)

    def __init__(self, step, deed, moment):
        self.step, self.deed, self.moment = step, deed, moment
        self.title = f"{step}/{deed}/{moment}"
        self.name = f"it-{next(self.numbers)}"
        self.text, self.objects, self.about, self.pointer, self.before, self.ours, self.theirs, self.setter, self.manifest = (
            value.replace("NAME", self.name) if isinstance(value, str) else value for value in STEPS[step])

    def read(self):
        """The field, the object's identity and its annotations by others; all are absent without the object."""
        text = kubectl("-n", SPACE, "get", self.about, "-o", "json", "--ignore-not-found")
        if not text:
            return ABSENT, ABSENT, ABSENT
        whole = value = json.loads(text)
        for part in self.pointer.strip("/").split("/"):
            value = value[int(part)] if isinstance(value, list) else (value or {}).get(part)
        return value, whole["metadata"]["uid"], whole["metadata"].get("annotations", {}).get("colleague")

    def writes(self, value):
        if value == ABSENT:
            return f"KUBECTL delete {self.about} --wait=true"
        quoted = json.dumps(value) if "patch" in self.setter else str(value)
        return self.setter.replace("VALUE", quoted)

    def colleague(self):
        """What the colleague does, as a script."""
        undoing = self.moment in list(MOMENTS)[5:]
        command = {
            "sets another value": lambda: self.writes(self.theirs),
            "sets the same value": lambda: self.writes(self.before if undoing else self.ours),
            "sets another field": lambda: f"KUBECTL annotate --overwrite {self.about} colleague=was-here",
            "sets another value and that one again": lambda: self.writes(self.theirs) + "\n" + self.writes(self.ours),
            "applies the same value": lambda: f"KUBECTL apply --server-side --force-conflicts --field-manager=colleague -f - <<< '{json.dumps(self.only_field())}'",
            "deletes it": lambda: f"KUBECTL delete {self.about} --wait=true",
            "deletes it and makes it anew": lambda: f"KUBECTL get {self.about} -o json > $0.json; KUBECTL delete {self.about} --wait=true; "
                f"""python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); [o["metadata"].pop(k, 0) for k in ("uid", "resourceVersion", "creationTimestamp")]; o.pop("status", 0); print(json.dumps(o))' $0.json | KUBECTL create -f -""",
            CONTROLLER: lambda: f"KUBECTL annotate --field-manager=note-taker --overwrite {self.about} colleague=$(date +%s%N)",
        }[self.deed]()
        version = f"KUBECTL get {self.about} --ignore-not-found -o jsonpath='{{.metadata.resourceVersion}}'"
        # What changes nothing leaves no trace that anybody could see.
        return f'before=$({version})\n{command}\n[ "$before" != "$({version})" ]\n'.replace("KUBECTL", f"{REAL} -n {SPACE}")

    def only_field(self):
        """The object with this field alone, as somebody would apply it; of a list the one item, by its name."""
        kind = {"deployment": ("apps/v1", "Deployment"), "configmap": ("v1", "ConfigMap"), "service": ("v1", "Service"), "hpa": ("autoscaling/v2", "HorizontalPodAutoscaler")}
        value = self.ours
        for part in reversed(self.pointer.strip("/").split("/")):
            value = [{"name": "web", **value}] if part.isdigit() else {part: value}
        version, name = kind[self.about.partition("/")[0]]
        return {"apiVersion": version, "kind": name, "metadata": {"name": self.name}, **value}

    def prepare(self):
        if self.objects:
            kubectl("-n", SPACE, "apply", "--server-side", "--field-manager=migc:shop", "-f", "-", stdin=self.objects)
        if "Deployment" in self.objects:
            kubectl("-n", SPACE, "rollout", "status", f"deployment/{self.name}", "--timeout=60s")
        self.project = Project(**{
            "migc.yaml": f"project: shop\norder: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {SPACE} }}\n",
            "script.mig": f'stage staging < {self.text} verify exists object "configmap/marker"; > on failure undo;\n', "it.yaml": self.manifest})
        self.bin = pathlib.Path(tempfile.mkdtemp(prefix="migc-colleague-"))
        (self.bin / "colleague").write_text(self.colleague())
        (self.bin / "kubectl").write_text(WRAPPER.replace("REAL", REAL).replace("HERE", str(self.bin)))
        (self.bin / "kubectl").chmod(0o755)
        if self.deed == CONTROLLER:
            (self.bin / "again").touch()

    def migc(self, phase, *words):
        own, rule, when = ("", "write", "after") if self.deed == CONTROLLER else MOMENTS[self.moment]
        (self.bin / "rule").unlink(missing_ok=True)
        if own in ("", phase) and rule:
            (self.bin / "when").write_text(when)
            (self.bin / "rule").write_text(rule.replace("NAME", self.name))
        done = subprocess.run([MIGC, *allowed(words)], cwd=self.project.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=600, env={**os.environ, "LANG": "C.UTF-8", "PATH": f"{self.bin}:{os.environ['PATH']}"})
        self.said.append(f"$ migc {' '.join(words)}\n{done.stdout}exit code {done.returncode}")
        return done.returncode

    def stands(self, found):
        value, identity, note = found
        undoing = self.moment in list(MOMENTS)[5:]
        if self.deed == "sets another value":
            return value == self.theirs
        if self.deed == "sets the same value":
            return value == (self.before if undoing else self.ours)
        if self.deed in AGAIN:
            return value == self.ours
        if self.deed == "deletes it":
            return identity == ABSENT
        if self.deed == "deletes it and makes it anew":
            return identity not in (ABSENT, self.identity) and value == self.remade
        return note not in (None, ABSENT)

    def run(self):
        """What is wrong, by its kind; nothing if the colleague had no occasion."""
        self.said, self.wrong, self.acted = [], [], False
        self.prepare()
        try:
            self.go()
        finally:
            kubectl("-n", SPACE, "delete", "deployment,configmap,service,hpa", self.name, "--ignore-not-found", "--wait=false", "--grace-period=0")
            self.project.remove()
            shutil.rmtree(self.bin, ignore_errors=True)
        return self

    def go(self):
        early = self.moment == "before the capture"
        _, self.identity, _ = self.read()
        code = self.migc("run", "run", "script.mig", "--no-preflight")
        after_run = self.read()
        if self.moment == "before the undo":
            done = subprocess.run(["bash", "-e", self.bin / "colleague"], capture_output=True)
            (self.bin / "acted").write_text("acted\n" * (done.returncode == 0))
        undone = code == 1
        if code not in (1, 2):
            undone = self.migc("undo", "undo", "last") == 0
        self.acted = (self.bin / "acted").exists() and (self.bin / "acted").read_text() != ""
        if not self.acted:
            return
        end = self.read()
        self.remade = self.value_when_remade()
        if not self.stands(end) and not (early and not undone) and not self.own_removal(end):
            self.wrong.append("overwritten")
        if code == 0 and after_run[0] != self.ours:
            self.wrong.append("wrong done")
        if undone and end[0] != self.was_there(early):
            self.wrong.append("wrong undone")
        self.said.append(f"after the run {after_run}, at the end {end}\nthe colleague: {(self.bin / 'log').read_text() if (self.bin / 'log').exists() else ''}")

    def value_when_remade(self):
        path = self.bin / "colleague.json"
        if not path.exists():
            return None
        value = json.loads(path.read_text())
        for part in self.pointer.strip("/").split("/"):
            value = value[int(part)] if isinstance(value, list) else (value or {}).get(part)
        return value

    def own_removal(self, end):
        """What a colleague noted on an object that the script deletes, or that the undo of its making does, goes with it."""
        return end[0] == ABSENT and self.deed == CONTROLLER and ABSENT in (self.before, self.ours)

    def was_there(self, early):
        if not early:
            return self.before
        return {"sets another value": self.theirs, "sets the same value": self.ours, "deletes it": ABSENT}.get(self.deed, self.before)


def cases():
    every = [Case(*one) for one in itertools.product(STEPS, DEEDS, MOMENTS)]
    every += [Case(step, CONTROLLER, "always") for step in STEPS]
    every += [Case(*one) for one in itertools.product(STEPS, AGAIN, AGAIN_MOMENTS) if one[0] != "delete"]
    if "--case" in sys.argv:
        return [one for one in every if fnmatch.fnmatchcase(one.title, sys.argv[sys.argv.index("--case") + 1])]
    return every if "--long" in sys.argv else random.Random(13).sample(every, SAMPLE)


def all_cases():
    tried, writes, none, counts, lock = 0, 0, 0, {"overwritten": 0, "wrong done": 0, "wrong undone": 0}, threading.Lock()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for case in pool.map(Case.run, cases()):
            if not case.acted:
                none += 1
                print(f"     {case.title}: the colleague had no occasion")
                continue
            tried, writes = tried + 1, writes + 1
            for wrong in case.wrong:
                counts[wrong] += 1
            check(case.title + (": " + ", ".join(case.wrong) if case.wrong else ""), not case.wrong, "\n".join(case.said))
            if "--case" in sys.argv:
                print("\n".join(case.said))
    print(f"{tried} cases with {writes} writes of others: {counts['overwritten']} overwritten, {counts['wrong done']} wrong done, "
          f"{counts['wrong undone']} wrong undone; in {none} more the colleague had no occasion")


def two_operators():
    """In two clones at the same time: nobody undoes the other's change."""
    lost, times = 0, 10 if "--long" in sys.argv else 3
    clones = [Project(**{"migc.yaml": f"project: shop\norder: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {SPACE} }}\n",
                         "script.mig": f"stage staging < scale both to {number}; verify pods ready of both; > on failure undo;\n"}) for number in (3, 4)]
    kubectl("-n", SPACE, "apply", "-f", "-", stdin=web("both"))
    for _ in range(times):
        kubectl("-n", SPACE, "scale", "deployment/both", "--replicas=2")
        kubectl("-n", SPACE, "rollout", "status", "deployment/both", "--timeout=60s")
        runs = [c.start("run", "script.mig") for c in clones]
        texts = [run.communicate(timeout=300)[0] for run in runs]
        codes = [run.returncode for run in runs]
        now = int(kubectl("-n", SPACE, "get", "deployment/both", "-o", "jsonpath={.spec.replicas}"))
        winners = [number for code, number in zip(codes, (3, 4)) if code == 0]
        # Both may have won, one after the other; then the second one's number is there.
        if (winners and now not in winners) or (1 in codes and now == 2 and winners):
            lost += 1
            print(f"codes {codes}, now {now}\n" + "\n".join(texts))
    check(f"of two operators nobody undoes the other's change, {times} times", lost == 0)


make_namespace(SPACE)
kubectl("-n", SPACE, "create", "configmap", "marker")
kubectl("-n", SPACE, "apply", "-f", "-", stdin=web("blue", "app: front, version: blue") + "---\n" + web("green", "app: front, version: green"))
kubectl("-n", SPACE, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=60s")
all_cases()
if "--case" not in sys.argv:
    two_operators()
finish()
