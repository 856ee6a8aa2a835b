#!/usr/bin/env python3
"""What a plan says is what then happens: each script is planned in a world and run in the same one, and step by step every
value that the plan shows (before, after, captured), every "holds already" and every PROBLEM is compared with the run's own
events. What only the run can know the plan calls `known after`; nothing else may differ, and a run that fails where the plan
saw neither a PROBLEM nor something to be known later was planned wrongly, too.

    plan_truth.py MIGC [-v] [NAME...]"""
import concurrent.futures, json, pathlib, re, shutil, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, migc

verbose, names = "-v" in sys.argv, [a for a in sys.argv[1:] if not a.startswith("-")]

WORLD = """
contexts: [c, d]
current-context: c
clusters:
  c:
    nodes: { node-1: {}, node-2: {} }
    namespaces:
      staging:
        configmaps: { settings: { colour: blue, taste: sour } }
        workloads:
          web: { image: "web:1", replicas: 2, labels: { app: web, version: blue }, reads: [configmap/settings] }
          green: { image: "web:2", replicas: 0, labels: { app: web, version: green } }
          store: { kind: statefulset, image: "store:1" }
          scaled: { image: "web:1", replicas: 2 }
        services: { web: { selector: { app: web, version: blue } } }
        autoscalers: { scaled: { min: 1, max: 3 } }
  d:
    nodes: { node-1: {} }
    namespaces:
      production:
        configmaps: { settings: { colour: red } }
        workloads:
          web: { image: "web:0", replicas: 5, labels: { app: web, version: blue } }
          green: { image: "web:2", replicas: 1, labels: { app: web, version: green } }
        services: { web: { selector: { app: web, version: blue } } }
"""
FILES = {
    "world.yaml": WORLD,
    "migc.yaml": "order: [staging, production]\nenvironments:\n  staging: { context: c, namespace: staging }\n"
                 "  production: { context: d, namespace: production }\n",
    "k8s/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { colour: blue, taste: sour }\n",
    "k8s/new.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: fresh }\nspec:\n  replicas: 1\n"
                    "  selector: { matchLabels: { app: fresh } }\n  template:\n    metadata: { labels: { app: fresh } }\n"
                    "    spec: { containers: [{ name: fresh, image: \"web:1\" }] }\n",
    "k8s/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n  replicas: 3\n"
                    "  selector: { matchLabels: { app: web, version: blue } }\n  template:\n"
                    "    metadata: { labels: { app: web, version: blue } }\n"
                    "    spec: { containers: [{ name: web, image: \"web:1\" }] }\n",
    "k8s/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fresh-map }\ndata: { a: \"1\" }\n",
    "app.json": '{ "a": 1, "b": { "c": "x" } }\n',
    "app/Dockerfile": "FROM scratch\n",
}
# Each is the body of a stage of `staging`; what it is to show beyond being true: texts of the plan.
SCRIPTS = {
    "scale, scale": ("scale web to 4; scale web to 6;", ["replicas of web: 4 → 6"]),
    "scale, the same again": ("scale web to 4; scale web to 4;", ["holds already"]),
    "scale there and back": ("scale web to 4; scale web to 2;", ["replicas of web: 4 → 2"]),
    "scale, patch": ('scale web to 4; patch object "deployment/web" at "/spec/replicas" to 5; scale web to 6;',
                     ["replicas of web: 5 → 6", ": 4 → 5"]),
    "patch, patch": ('patch object "configmap/settings" at "/data/colour" to "green"; patch object "configmap/settings" at '
                     '"/data/colour" to "red"; patch object "configmap/settings" at "/data/taste" to "sweet";',
                     ["green → red", "sour → sweet"]),
    "patch a new place, then within it": ('patch object "deployment/web" at "/metadata/annotations" to [] ;', None),
    "edit, apply": ('set value of "k8s/settings.yaml" at "/data/colour" to "green"; apply "k8s/settings.yaml";',
                    ['/data/colour: "blue" → "green"']),
    "edit, apply, edit, apply": ('set value of "k8s/settings.yaml" at "/data/colour" to "green"; apply "k8s/settings.yaml";'
                                 'set value of "k8s/settings.yaml" at "/data/colour" to "red"; apply "k8s/settings.yaml";', []),
    "edit, edit": ('set value of "app.json" at "/a" to 2; set value of "app.json" at "/a" to 3; set value of "app.json" at "/b/c" to "y";'
                   'remove value of "app.json" at "/a";', ["2 → 3", "3 → absent"]),
    "edit back": ('set value of "app.json" at "/a" to 2; set value of "app.json" at "/a" to 1;', ["2 → 1"]),
    "let of an edited file": ('set value of "app.json" at "/a" to 4; let n = value of "app.json" at "/a"; if n is 4 < scale web to 4; > else < scale web to 9; >',
                              ["n = 4", "scale web to 4"]),
    "apply twice": ('apply "k8s/map.yaml"; apply "k8s/map.yaml";', ["holds already"]),
    "apply, set image": ('apply "k8s/web.yaml"; set image of web to "web:2";', ["web:1 → web:2"]),
    "set image, apply": ('set image of web to "web:2"; apply "k8s/web.yaml";', ["known after step 1"]),
    "scale, apply": ('scale web to 3; apply "k8s/web.yaml";', []),
    "apply, scale": ('apply "k8s/web.yaml"; scale web to 5;', ["replicas of web: 3 → 5"]),
    "apply new, verify, scale": ('apply "k8s/new.yaml"; verify pods ready of fresh; scale fresh to 2; set image of fresh to "web:3";',
                                 ["replicas of fresh: 1 → 2", "web:1 → web:3"]),
    "delete, apply": ('delete object "configmap/settings"; apply "k8s/settings.yaml";', []),
    "delete, delete": ('delete object "configmap/settings"; delete object "configmap/settings";', ["holds already"]),
    "delete new": ('apply "k8s/map.yaml"; delete object "configmap/fresh-map";', []),
    "switch, scale": ('scale green to 2; verify pods ready of green; switch service web to "version=green"; scale web to 1;',
                      ["version=blue → version=green"]),
    "switch, switch": ('scale green to 1; verify pods ready of green; switch service web to "version=green"; switch service web to "version=blue";',
                       ["version=green → version=blue"]),
    "switch to nobody": ('switch service web to "version=green";', ["PROBLEM"]),
    "scale a stranger": ("scale fresh to 2;", ["PROBLEM"]),
    "scale what an autoscaler scales": ("scale scaled to 2;", ["PROBLEM"]),
    "autoscaling": ('set autoscaling of scaled to "2..5"; set autoscaling of scaled to "2..6";', ["2..5 → 2..6"]),
    "restart, scale": ("restart web; scale web to 3; restart web;", ["known after step 1"]),
    "set image, restart, roll back": ('set image of web to "web:2"; verify pods ready; restart web; verify pods ready; roll back web;',
                                      ["web:1 → web:2"]),
    "a restart, a node, an image, and something else": (
        'restart web; cordon "node-1"; set image of green to "web:3"; patch object "configmap/settings" at "/data/colour" to "green"; set image of green to "web:4";',
        ["blue → green", "web:3 → web:4"]),
    "cordon, cordon": ('cordon "node-1"; cordon "node-1"; uncordon "node-1";', ["holds already"]),
    "drain": ('drain "node-2"; scale web to 3;', ["→ 3"]),
    "build, push, set": ('build image "cr.example.com/web:3" from "app" as id; push image "cr.example.com/web:3" as pushed; set image of web to pushed;',
                         ["known after step 1", "known after step 2"]),
    "build, tag": ('build image "cr.example.com/web:3" from "app"; tag image "cr.example.com/web:3" to "cr.example.com/web:4";',
                   ["known after step 1"]),
    "tag nothing": ('tag image "cr.example.com/none:1" to "cr.example.com/none:2";', ["PROBLEM"]),
    "an if that an earlier step decides": ('scale web to 4; if replicas of web is 4 < scale green to 3; > else < scale green to 4; >',
                                           ["scale green to 3"]),
    "an if that only the run can decide": ('restart web; if number of log lines of web is 0 < scale web to 4; > else < scale web to 4; > scale web to 6;',
                                           ["only if 2 holds", "only if 2 does not hold"]),
    "a loop over what is there": ('scale web to 3; for w in workloads of the namespace < restart w; >', []),
    "a loop over a manifest that was edited": ('set value of "k8s/map.yaml" at "/metadata/name" to "other-map"; for o in objects of "k8s/map.yaml" < apply object o from "k8s/map.yaml"; >',
                                               ["configmap/other-map"]),
    "parallel": ('parallel < scale web to 4; scale green to 1; set value of "app.json" at "/a" to 2; > scale web to 6; set value of "app.json" at "/a" to 3;',
                 ["replicas of web: 4 → 6", "2 → 3"]),
    "every workload": ("scale web to 3; restart every workload one at a time;", []),
    "execute": ('execute ["touch", "/tmp/x"] in web undo none because "a trace"; scale web to 3;', ["known after step 1"]),
    "a program": ('run script "scripts/none.sh" undo none because "none"; scale web to 3; set value of "app.json" at "/a" to 2;', None),
}
TWO_STAGES = """
stage staging < set value of "k8s/settings.yaml" at "/data/colour" to "green"; apply "k8s/settings.yaml"; scale web to 4; > on failure undo;
stage production repeats staging < gate staging passed; > on failure undo;
"""

failed, checked = [], {"values": 0, "known after": 0, "already": 0, "problems": 0, "steps": 0}


def show(value):
    """As migc shows a value of the journal; nothing for what it does not show in full."""
    if value is None: return "absent"
    if isinstance(value, bool): return "true" if value else "false"
    if isinstance(value, (int, float)): return str(value)
    if isinstance(value, str): return value
    if isinstance(value, list):
        items = [show(v) for v in value]
        return None if None in items else "[" + ", ".join(items) + "]"
    if "quantity" in value: return value["quantity"]
    if "resource" in value: return value["name"]
    if "json" in value and not isinstance(value["json"], (dict, list)): return show(value["json"])
    return None


def placed(text):
    """Without the folders that differ: the project, its scratch copy, the run's own."""
    return re.sub(r"\.migc/runs/[^/ ]+", ".migc/runs/RUN", re.sub(r"/tmp/(tmp\w+/project|migc-\w{6}|tmp\w+)(?=/)", "ROOT", text))


def is_open(text):
    """Also what a plan does not read: what is secret."""
    return "known after step" in text or text == "(secret)"


def object_of(value):
    return value["json"] if isinstance(value, dict) and isinstance(value.get("json"), dict) else None


class Truth:
    def __init__(self, name, plan, events):
        self.name, self.steps, self.acts, self.ends = name, {}, {}, {}
        for stage in plan["stages"]:
            for step in stage["steps"]:
                self.steps[step["step"]] = step
        self.open = any("known" in s for s in self.steps.values())
        for event in events:
            body = event.get("body", event)
            if event.get("kind", event.get("event")) == "intent": self.acts[body["step"]] = body
            if event.get("kind", event.get("event")) == "outcome": self.ends[body["step"]] = body

    def wrong(self, step, what):
        failed.append(f"{self.name}: {step}: {what}")

    def value(self, step, what, said, happened):
        if is_open(said):
            checked["known after"] += 1
            return
        text = show(happened)
        if text is None: return
        checked["values"] += 1
        tidy = lambda t: placed(re.sub(r"\s+", " ", t)[:180])
        if tidy(said) != tidy(text): self.wrong(step, f"{what}: the plan says {said}, the run found {text}")

    def effects(self, step, planned, act):
        act = {**act, "before": {placed(k): v for k, v in act["before"].items()}, "declared": {placed(k): v for k, v in act["declared"].items()}}
        for effect in planned.get("effects", []):
            probe = placed(effect["probe"])
            if probe not in act["before"]:
                if not is_open(probe) and not any(is_open(str(v)) for v in planned["captures"].values()):
                    self.wrong(step, f"the run knows no `{probe}`: {list(act['before'])}")
                continue
            was, becomes = act["before"][probe], act["declared"].get(probe)
            if object_of(was) is not None and not is_open(effect["before"]):
                checked["values"] += 1
                if effect.get("was") != object_of(was):
                    self.wrong(step, f"{probe}: the plan saw {effect.get('was')}, the run {object_of(was)}")
            else:
                self.value(step, probe, effect["before"], was)
            if effect["after"] != "different" and probe in act["declared"]:
                self.value(step, probe + " after", effect["after"], becomes)
            if "fields" in effect and object_of(becomes) is not None and object_of(was) is not None:
                flat = lambda o, at="": {k: v for key, x in (o.items() if isinstance(o, dict) else enumerate(o)) for k, v in (flat(x, f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}") if isinstance(x, (dict, list)) and x else {f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}": x}).items()}
                a, b = flat(object_of(was)), flat(object_of(becomes))
                real = {k: [a.get(k), b.get(k)] for k in a.keys() | b.keys() if a.get(k) != b.get(k)}
                checked["values"] += len(real)
                if real != effect["fields"]: self.wrong(step, f"{probe}: the plan changes {effect['fields']}, the run {real}")

    def step(self, step, planned):
        act, end = self.acts.get(step), self.ends.get(step)
        if planned["kind"] != "call" or "layer" not in planned or end is None: return
        checked["steps"] += 1
        # What the plan of a step would say once more: whether it can go well, and whether it is done already.
        text = json.dumps([planned.get(k) for k in ("effects", "captures", "needs", "command", "text")])
        problems, result = planned["problems"], end["result"]
        if problems and "when" not in planned:
            checked["problems"] += 1
            if result != "failed": self.wrong(step, f"the plan has the problem {problems}, and the run says {result}")
        looked = end.get("message", "").startswith("what `") or "could not be captured" in end.get("message", "")
        if result == "failed" and looked and not problems and not is_open(text):
            self.wrong(step, f"the plan sees no problem, and the run says: {end['message']}")
        if planned["already"]:
            checked["already"] += 1
            if result != "already": self.wrong(step, f"planned as done already, and the run says {result}: {end['message']}")
        if result == "already" and not planned["already"] and not is_open(text):
            self.wrong(step, "done already, and not planned as such")
        if act is None: return
        for name, said in planned["captures"].items():
            if "as it is (" not in said and ".migc/runs/next" not in said: self.value(step, f"`{name}`", said, act["captures"].get(name))
        self.effects(step, planned, act)

    def check(self):
        for step, planned in self.steps.items(): self.step(step, planned)
        for step in self.ends:
            if step not in self.steps and not self.open and "failure" not in step and "throughout" not in step:
                self.wrong(step, "the run has this step, and the plan does not")


def call(folder, *arguments):
    done = migc(*arguments, cwd=folder, timeout=300)
    return done.returncode, done.stdout, done.stderr


def events_of(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def compare(name, folder, script, arguments, wanted=()):
    code, plain, errors = call(folder, "plan", script, *arguments)
    if wanted is None and code == 2: return
    plan_code, text, errors = call(folder, "plan", script, *arguments, "--json")
    if plan_code not in (0, 1):
        failed.append(f"{name}: no plan: {errors[-200:]}{text[:300]}")
        return
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".migc" not in p.parts}
    plan = json.loads(text)
    for words in wanted or []:
        if words not in plain: failed.append(f"{name}: the plan does not show `{words}`:\n{plain}")
    problems = [p for stage in plan["stages"] for s in stage["steps"] if "when" not in s for p in s["problems"]] + plan["problems"]
    if (plan_code == 1) != bool(problems): failed.append(f"{name}: exit code {plan_code} with the problems {problems}")
    if "(known after" in " ".join(problems): failed.append(f"{name}: what is to be known later is no problem: {problems}")
    _, text, _ = call(folder, "run", script, *arguments, "--json")
    if before != {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".migc" not in p.parts}:
        failed.append(f"{name}: files of the project were changed")
    Truth(name, plan, events_of(text)).check()
    if verbose: print(f"---- {name}\n{plain}")


def own(name, text, wanted):
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for path, content in FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        (folder / "script.mig").write_text(text)
        compare(name, folder, "script.mig", ["--world", "world.yaml"], wanted)


def example(name, world):
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work, "project")
        shutil.copytree(SOURCE / "examples" / "ouroboros", folder, symlinks=True)
        arguments = ["--world", world]
        if "param soak-time" in (folder / name).read_text(): arguments += ["--set", "soak-time=3m"]
        compare("example " + name, folder, name, arguments)


def golden(path):
    """Each script of a golden case that is run in a world, and that no fault is asked for."""
    sections = re.split(r"(?m)^=== ", path.read_text())[1:]
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for section in sections:
            kind, _, rest = section.partition(": ")
            argument, _, body = rest.partition("\n")
            if kind == "file":
                (folder / argument).parent.mkdir(parents=True, exist_ok=True)
                (folder / argument).write_text(body)
            words = argument.split()
            if kind != "run" or words[:2] != ["migc", "run"] or "--world" not in words or '"' in argument: continue
            if any(w in words for w in ("--fault", "--replay", "--state", "--plan", "--expect", "--record")): words = [w for i, w in enumerate(words) if w != "--state" and words[i - 1] != "--state"]
            if any(w in words for w in ("--fault", "--replay", "--plan", "--expect", "--record")): continue
            script, arguments = words[2], [w for w in words[3:] if w != "--json"]
            with tempfile.TemporaryDirectory() as copy:
                again = pathlib.Path(copy, "project")
                shutil.copytree(folder, again)
                compare(f"golden {path.stem} ({script})", again, script, arguments, None)


def main():
    jobs = [("own: " + name, own, (name, "stage staging < " + body + " > on failure undo;\n", wanted)) for name, (body, wanted) in SCRIPTS.items()]
    jobs.append(("own: two stages", own, ("two stages", TWO_STAGES, ['/data/colour: "red" → "green"', "replicas of web: 5 → 4"])))
    for script in sorted((SOURCE / "examples" / "ouroboros").glob("*.mig")):
        world = {"emergency.mig": "world-emergency.yaml", "return-from-emergency.mig": "world-after-emergency.yaml"}.get(script.name, "world.yaml")
        jobs.append(("example " + script.name, example, (script.name, world)))
    for path in sorted((SOURCE / "tests/golden/run").glob("*.golden")): jobs.append(("golden " + path.stem, golden, (path,)))
    jobs = [job for job in jobs if not names or any(n in job[0] for n in names)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (name, _, _), done in zip(jobs, pool.map(lambda job: attempt(*job), jobs)):
            if done: failed.append(f"{name}: {done}")
    print("".join(f"WRONG {one}\n" for one in failed), end="")
    print(f"plan_truth: {len(jobs)} plans; compared: " + ", ".join(f"{count} {what}" for what, count in checked.items()) + f"; {len(failed)} wrong")
    return 1 if failed or not names and min(checked.values()) == 0 else 0


def attempt(name, work, arguments):
    try:
        work(*arguments)
    except Exception as problem:  # a test that breaks must not look as if it held
        return f"{type(problem).__name__}: {problem}"


sys.exit(main())
