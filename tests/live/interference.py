#!/usr/bin/env python3
"""Somebody else acts on the same objects of a real cluster, at every moment of a run.   interference.py [--long]

A wrapper on PATH lets a colleague act just before or just after a certain command of migc. The oracle is what the
colleague wrote: it stands at the end, and the run does not say "done" or "undone" about it. The short form tries each
kind of step at the moments at which something was once lost; --long tries everything."""
import itertools, json, os, pathlib, re, shutil, subprocess, sys, tempfile

from cluster import CONTEXT, DEPLOYMENT, kubectl, make_namespace
from support import Project, check, finish

LONG = "--long" in sys.argv
REAL = shutil.which("kubectl")
SPACE = f"migc-{os.getpid()}-others"

WRAPPER = """#!/bin/bash
here=HERE
words=" $* "
if [ ! -e "$here/fired" ] && [[ "$words" =~ $(<"$here/rule") ]]; then
    count=$(($(cat "$here/count") - 1)); echo $count > "$here/count"
    if [ $count -le 0 ]; then
        touch "$here/fired"
        input=$(mktemp); [[ "$words" =~ " -f - "|/dev/stdin ]] && cat > "$input"
        [ "$(<"$here/when")" = before ] && bash "$here/colleague" >> "$here/log" 2>&1
        REAL "$@" < "$input"; code=$?
        [ "$(<"$here/when")" = after ] && bash "$here/colleague" >> "$here/log" 2>&1
        exit $code
    fi
fi
exec REAL "$@"
"""

# What of a command line changes something in the cluster.
ACTS = r" (scale|patch|apply|delete|create|replace|set|rollout|annotate|label|cordon|autoscale) "



class Colleague:
    def __init__(self, commands, rule, nth=1, when="before"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="migc-colleague-"))
        (self.folder / "rule").write_text(rule)
        (self.folder / "count").write_text(str(nth))
        (self.folder / "when").write_text(when)
        (self.folder / "colleague").write_text("\n".join(f"{REAL} -n {SPACE} {c}" for c in commands) + "\n")
        program = self.folder / "kubectl"
        program.write_text(WRAPPER.replace("REAL", REAL).replace("HERE", str(self.folder)))
        program.chmod(0o755)

    def __enter__(self):
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def acted(self):
        return (self.folder / "fired").exists()


def get(what, pointer):
    text = kubectl("-n", SPACE, "get", what, "-o", "json", "--ignore-not-found")
    value = json.loads(text) if text else None
    for part in pointer.strip("/").split("/") if pointer else []:
        if value is None:
            return None
        part = part.replace("~1", "/")
        value = value[int(part)] if isinstance(value, list) else value.get(part)
    return value


CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue, size: small}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: front}\nspec: {selector: {app: webapi}, ports: [{port: 80}]}\n"
OBJECTS = DEPLOYMENT + "\n---\n" + CONFIG + "---\n" + SERVICE

# step, what it is about, the field, what it writes, what a colleague writes in its place, how, and who looks at it
STEPS = {
    "scale": ("scale webapi to 3;", "deployment/webapi", "/spec/replicas", 3, 4, "scale deployment/webapi --replicas={}"),
    "set image": ('set image of webapi to "local/web:2";', "deployment/webapi", "/spec/template/spec/containers/0/image", "local/web:2", "local/pause:1",
                  "set image deployment/webapi web={}"),
    "patch": ('patch object "configmap/settings" at "/data/colour" to "green";', "configmap/settings", "/data/colour", "green", "red",
              """patch configmap/settings --type=merge -p '{{"data":{{"colour":"{}"}}}}'"""),
    "apply": ('apply "green.yaml";', "configmap/settings", "/data/colour", "green", "red",
              """patch configmap/settings --type=merge -p '{{"data":{{"colour":"{}"}}}}'"""),
    "switch": ('switch service front to "version=green";', "service/front", "/spec/selector/version", "green", "violet",
               """patch service/front --type=merge -p '{{"spec":{{"selector":{{"version":"{}"}}}}}}'"""),
    "delete": ('delete object "configmap/settings";', "configmap/settings", "/data/colour", None, "red",
               """patch configmap/settings --type=merge -p '{{"data":{{"colour":"{}"}}}}'"""),
}
FAILS = "verify replicas of webapi is 77 within 1s;"


def reset():
    for name in ("deployment/webapi", "configmap/settings", "service/front", "deployment/green"):
        kubectl("-n", SPACE, "delete", name, "--ignore-not-found", "--wait=true", "--grace-period=1")
    kubectl("-n", SPACE, "create", "-f", "-", stdin=OBJECTS)
    green = DEPLOYMENT.replace("name: webapi", "name: green").replace("app: webapi", "app: webapi, version: green").replace("replicas: 2", "replicas: 1")
    kubectl("-n", SPACE, "create", "-f", "-", stdin=green)
    for name in ("webapi", "green"):
        kubectl("-n", SPACE, "rollout", "status", f"deployment/{name}", "--timeout=60s")


def script(step, fails):
    return f"stage staging < {step} {FAILS if fails else 'verify at least 1 of webapi ready;'} > on failure undo;\n"


# (moment, fails afterwards, rule, nth, when)
def moments(about):
    name = about.split("/")[1]
    return {
        "between capture and act": (False, ACTS, 1, "before"),
        "between act and look": (False, ACTS, 1, "after"),
        "before the undo": (True, f" get .*{name}", 6, "before"),
        "between the undo's look and its write": (True, ACTS, 2, "before"),
        "after the undo's write": (True, ACTS, 2, "after"),
    }




def attempt(verb, kind, moment):
    step, about, pointer, ours, theirs, how = STEPS[verb]
    fails, rule, nth, when = moments(about)[moment]
    reset()
    wanted = {"another value": theirs, "the same value": ours}.get(kind)
    if kind in ("another value", "the same value"):
        commands = [how.format(wanted)] if wanted is not None else [f"delete {about} --wait=true"]
    elif kind == "another field":
        commands = [f"annotate --overwrite {about} colleague=was-here"]
    else:
        commands = [f"delete {about} --wait=true --grace-period=1"]
    project.write("script.mig", script(step, fails))
    colleague = Colleague(commands, rule, nth, when)
    with colleague as environment:
        done = project.migc("run", "script.mig", environment=environment)
        acted = colleague.acted()
        code, said = done.returncode, done.stdout
        if not fails and acted and code == 0 and kind == "another field":
            code = project.migc("undo", "last").returncode
            code = 0 if code == 0 else code
    title = f"{verb}: {kind}, {moment}"
    if not acted:
        return print(f"     {title}: the colleague had no occasion")
    now = get(about, pointer)
    if kind == "another value":
        check(title, now == theirs and code in (3, 4), f"now {now}, exit {code}\n{said}")
    elif kind == "the same value":
        check(title, now == ours and code in (3, 4) or moment == "after the undo's write" and now == ours, f"now {now}, exit {code}\n{said}")
    elif kind == "another field":
        stands = get(about, "/metadata/annotations/colleague") == "was-here" or get(about, "") is None
        check(title, stands and code in (0, 1, 3), f"exit {code}\n{said}")
    else:
        check(title, get(about, "") is None and code in (1, 3, 4), f"exit {code}\n{said}")


make_namespace(SPACE)
project = Project(**{
    "migc.yaml": f"order: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {SPACE} }}\n",
    "green.yaml": CONFIG.replace("blue", "green"),
})
KINDS = ["another value", "the same value", "another field", "it is deleted"]
everything = list(itertools.product(STEPS, KINDS, moments("x/y")))
chosen = everything if LONG else [c for i, c in enumerate(everything) if c[2] in ("between capture and act", "between the undo's look and its write") and c[1] == "another value"
                                  or c == ("scale", "the same value", "between capture and act")]
for case in chosen:
    attempt(*case)

# Two operators in two clones at the same time.
reset()
other = Project(**{"migc.yaml": project.read("migc.yaml")})
for p, number in ((project, 3), (other, 4)):
    p.write("script.mig", script(f"scale webapi to {number};", False))
lost = 0
for _ in range(10 if LONG else 3):
    kubectl("-n", SPACE, "scale", "deployment/webapi", "--replicas=2")
    migc = os.path.abspath(os.environ.get("MIGC", "build/cli/migc"))
    runs = [subprocess.Popen([migc, "run", "script.mig"], cwd=p.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for p in (project, other)]
    texts = [r.communicate(timeout=300)[0] for r in runs]
    codes = [r.returncode for r in runs]
    now = get("deployment/webapi", "/spec/replicas")
    winners = [number for code, number in zip(codes, (3, 4)) if code == 0]
    if len(winners) == 1 and now != winners[0] or 1 in codes:
        lost += 1
        print(f"codes {codes}, now {now}\n" + "\n".join(texts))
check("of two operators nobody undoes the other's change", lost == 0)
finish()
