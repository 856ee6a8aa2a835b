#!/usr/bin/env python3
"""The prover and the engine tell the same story of random scripts: where `migc prove` finds no hole, no run of `migc drill`
ends where it must not; where it finds one, one does; and after each kind of fault, a kill and a resume included, the engine
ends only as the prover says that it may. What `migc check` calls a wrong way back is none that is proved.

The scripts named `seed` are on one workload; those named `wide` on services, manifests with several objects, secrets, files, nodes
and verbs of the script's own; with those named `others` somebody else acts: what the drill finds lost then is not proved."""
import json, os, pathlib, random, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import check, finish, migc, options_of_cases, run_cases

IMAGES = ["registry.example.com/webapi:1.0", "registry.example.com/webapi:1.1"]


# What the drill does to a run, in the words of the prover.
SAME = {
    "fail-before": {"it fails, and nothing is done"},
    "fail-after": {"it reports a failure, but has taken effect"},
    "timeout-after": {"no answer comes in time, but it has taken effect"},
    "stop": {"the operator stops the run here"},
    # The look that a resume begins with finds either, or finds nothing and leaves it to a person.
    "kill": {"", "it reports a failure, but has taken effect", "whether it took effect cannot be read", "it does not hold in time"},
}


def elsewhere(proof, drill):
    """Ends that the engine comes to, and of which the prover does not know."""
    known = {kind: {"done"}.union(*(proof["ends"].get(text, []) for text in texts)) for kind, texts in SAME.items()}
    return [(kind, end) for kind, ends in drill.get("ends_by_fault", {}).items() if kind in known for end in ends if end not in known[kind]]


def stage(dice, name):
    """Steps on the one workload of the learning world. An undo in numbers is right only where a step before it has set that
    very number; what the world has at the beginning (2) no script may know."""
    size, lines = None, []
    for _ in range(dice.randint(1, 4)):
        kind = dice.choice(["scale", "scale", "scale", "image", "restart", "verify"])
        if kind == "scale":
            wanted = dice.choice([n for n in (3, 4, 5, 6) if n != size])
            undo = dice.choice(["", "", "", " undo scale webapi to 9", f" undo scale webapi to {size}" if size else ""])
            lines.append(f"scale webapi to {wanted}{undo};")
            size = wanted
        elif kind == "image":
            undo = dice.choice(["", "", f' undo set image of webapi to "{IMAGES[1]}"'])
            lines.append(f'set image of webapi to "{IMAGES[1]}"{undo};')
        elif kind == "restart":
            lines += ["restart webapi;", "verify pods ready within 2m;"]
        else:
            lines.append("verify pods ready within 2m;")
    lines.append("verify pods ready within 2m;")
    end = dice.choice(["undo", "undo", "undo", "undo all", "hold"])
    return f"stage {name} <\n" + "".join(f"    {line}\n" for line in lines) + f"> on failure {end};\n"


def script(seed):
    dice = random.Random(seed)
    return "".join(stage(dice, name) for name in ["staging", "production"][:dice.choice([1, 1, 2])])


OBJECT = "apiVersion: v1\nkind: {kind}\nmetadata: {{ name: {name} }}\n{data}: {{ {key}: {value} }}\n"
WORKLOAD = "          {name}: {{ image: \"registry.example.com/{name}:1.0\", replicas: 2, labels: {{ app: {app}, colour: {colour} }} }}\n"
# No value of it stands in any script.
WIDE = {
    "migc.yaml": "environments: { staging: { context: c, namespace: staging } }\n",
    "settings.json": '{"level": "quiet", "other": 1}\n',
    "k8s/two.yaml": OBJECT.format(kind="ConfigMap", name="settings", data="data", key="LogLevel", value="loud")
    + "---\n" + OBJECT.format(kind="ConfigMap", name="fresh", data="data", key="Size", value='"9"'),
    "k8s/secret.yaml": OBJECT.format(kind="Secret", name="token", data="stringData", key="value", value="other"),
    "world.yaml": "contexts: [c]\ncurrent-context: c\nclusters:\n  c:\n    nodes: { node-1: {}, node-2: {} }\n    namespaces:\n      staging:\n"
    "        configmaps: { settings: { LogLevel: quiet } }\n        workloads:\n"
    + "".join(WORKLOAD.format(name=name, app=app, colour=colour) for name, app, colour in
              [("webapi", "webapi", "none"), ("worker", "worker", "none"), ("blue", "front", "blue"), ("green", "front", "green")])
    + "        services: { front: { selector: { app: front, colour: blue } } }\n",
}
VERBS = """
verb grow (target: workload) to (count: int) <
    steps < scale target to count; verify pods ready of target; >
    within 4m;
>
verb shift (target: workload) to (count: int) <
    capture prior = replicas of target;
    steps < scale target to count; verify pods ready of target; >
    within 4m;
    undo < scale target to prior; verify pods ready of target; >;
>
verb forget (target: workload) to (count: int) <
    steps < scale target to count; verify pods ready of target; >
    within 4m;
    undo scale target to 8;
>
"""


class Wide:
    """Steps on several things; each has ways back that are right, and now and then one that is not."""

    def __init__(self, seed):
        self.dice, self.names, self.free = random.Random(seed), 0, ["webapi", "worker", "front", "two", "secret", "file", "node", "patch"]

    def undo(self, read, right, wrong):
        """The lines before a step, and its undo: the verb's own, in words, or a wrong one."""
        way = self.dice.choice(["own", "own", "own", "words", "wrong"])
        if way == "own":
            return "", ""
        if way == "wrong":
            return "", f" undo < {wrong}; >"
        self.names += 1
        return f"let old{self.names} = {read};\n    ", f" undo < {right.format(f'old{self.names}')}; >"

    def workload(self, name):
        count = self.dice.randint(3, 6)
        kind = self.dice.choice(["scale", "scale", "image", "grow", "shift", "forget"])
        if kind in ("grow", "shift"):
            return f"{kind} {name} to {count};"
        if kind == "forget":
            return f"forget {name} to {count};" if self.dice.random() < 0.5 else f"grow {name} to {count};"
        if kind == "image":
            image = f'"registry.example.com/{name}:2.0"'
            let, undo = self.undo(f"image of {name}", f"set image of {name} to {{}}", f'set image of {name} to "registry.example.com/{name}:0.9"')
            return f"{let}set image of {name} to {image}{undo};"
        let, undo = self.undo(f"replicas of {name}", f"scale {name} to {{}}", f"scale {name} to 9")
        return f"{let}scale {name} to {count}{undo};"

    def step(self, what):
        if what in ("webapi", "worker"):
            return self.workload(what)
        if what == "front":
            then = self.dice.choice(["", "", " scale blue to 0; verify pods ready of blue;", " scale blue to 0 undo < scale blue to 7; verify pods ready of blue; >;", " scale blue to 0 undo < scale blue to before; verify pods ready of blue; >;"])
            first = "let before = replicas of blue; " if "before" in then else ""
            return f'{first}switch service front to "colour=green"; verify endpoints of front at least 1;{then}'
        if what == "two":
            return 'apply "k8s/two.yaml";'
        if what == "secret":
            return 'apply "k8s/secret.yaml";'
        if what == "node":
            return self.dice.choice(['cordon "node-1";', 'drain "node-1"; verify pods ready;', 'cordon "node-1" undo < cordon "node-1"; >;'])
        if what == "file":
            place = '"settings.json" at "/level"'
            let, undo = self.undo(f"value of {place}", f"set value of {place} to {{}}", f'set value of {place} to "never"')
            return f'{let}set value of {place} to "loud"{undo};'
        place = '"configmap/settings" at "/data/LogLevel"'
        let, undo = self.undo(f"live value of {place}", f"patch object {place} to {{}}", f'patch object {place} to "never"')
        return f'{let}patch object {place} to "debug"{undo};'

    def text(self):
        chosen = self.dice.sample(self.free, self.dice.randint(1, 3))
        if "two" in chosen and "patch" in chosen:
            chosen.remove("patch")  # both are on one object
        steps = [self.step(one) for one in chosen]
        single = [s for s in steps if s.count(";") == 1]
        if len(single) == 2 and self.dice.random() < 0.3:
            steps = [s for s in steps if s not in single] + [f"parallel < {' '.join(single)} >"]
        lines = "".join(f"    {one}\n    verify pods ready within 3m;\n" for one in steps)
        end = self.dice.choice(["undo", "undo", "undo", "undo all", "hold"])
        return f"{VERBS}stage staging <\n{lines}> on failure {end};\n"


def answer(command, path, *more):
    done = migc(command, path, "--json", *more, timeout=300, cwd=os.path.dirname(path))
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"verdict": f"exit {done.returncode}: {done.stdout}{done.stderr}"}


def compare(case):
    kind, seed = case
    text = script(seed) if kind == "seed" else Wide(seed).text()
    more = ["--others"] if kind == "others" else []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.mig")
        for name, content in {"t.mig": text, **(WIDE if kind != "seed" else {})}.items():
            pathlib.Path(folder, name).parent.mkdir(exist_ok=True)
            pathlib.Path(folder, name).write_text(content)
        found_wrong = answer("check", path) if kind == "wide" else []
        proof, drill = answer("prove", path, *more), answer("drill", path, "--world", "learning" if kind == "seed" else "world.yaml", *more)
    # Who sets what is there already, before a step looks again and goes on, loses nothing: the drill counts it all the same.
    lost = [one for one in drill.get("counterexamples", []) if not one["faults"].startswith(("set-again before", "come-and-go before"))]
    if kind == "others" and drill["verdict"] == "counterexample" and not lost:
        drill["verdict"] = "survived"
    alike = (proof["verdict"], drill["verdict"]) in {("proved", "survived"), ("counterexample", "counterexample")}
    # The hole is there in a world that begins in another way than this one; or only in what the prover takes for possible.
    special = proof["verdict"] == "counterexample" and (bool(proof["counterexample"]["given"]) or kind == "others")
    same_verdict = alike or (special and drill["verdict"] == "survived") or (kind != "seed" and proof["verdict"] == "undecided")
    found.add(proof["verdict"])
    wrong = [f"{f['code']} {f['message']}" for f in found_wrong if isinstance(f, dict) and f["code"][0] == "R" and f["severity"] == "error"]
    decided = proof["verdict"] in ("proved", "counterexample")
    unknown = elsewhere(proof, drill) if decided and kind != "others" else []
    if same_verdict and not unknown and not (wrong and proof["verdict"] == "proved"):
        return ""
    return (f"the prover says {proof['verdict']}, the drill {drill['verdict']}, the check {wrong}\n{text}\nends that the prover does not know: {unknown}\n"
            f"{json.dumps(proof.get('counterexample', {}).get('message'))} {json.dumps(drill.get('counterexamples', [])[:2], indent=1)}")


options = options_of_cases(__doc__)
for kind, count in {"seed": 30, "wide": 10, "others": 4}.items():
    options.add_argument(f"--{kind}s" if kind == "seed" else f"--{kind}", type=int, default=count, help=f"how many scripts of the kind `{kind}`")
options.add_argument("--first", type=int, default=20260110, help="the first seed")
options = options.parse_args()
found = set()
counts = {"seed": options.seeds, "wide": options.wide, "others": options.others}
cases = {f"{kind} {n}": (kind, n) for kind, count in counts.items() for n in range(options.first, options.first + count)}
if run_cases(cases, compare, options):
    check("the scripts are not all alike, which would show nothing", len(found) > 1, found)
finish()
