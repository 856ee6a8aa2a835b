#!/usr/bin/env python3
"""The prover and the engine tell the same story of random scripts: where `migc prove` finds no hole, no run of `migc drill`
ends where it must not; where it finds one, one does; and after each kind of fault, a kill and a resume included, the engine
ends only as the prover says that it may."""
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


def answer(command, path, *more):
    done = migc(command, path, "--json", *more, timeout=120, cwd=os.path.dirname(path))
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"verdict": f"exit {done.returncode}: {done.stdout}{done.stderr}"}


def compare(seed):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.mig")
        pathlib.Path(path).write_text(script(seed))
        proof, drill = answer("prove", path), answer("drill", path, "--world", "learning")
    alike = (proof["verdict"], drill["verdict"]) in {("proved", "survived"), ("counterexample", "counterexample")}
    # The hole is there in a world that begins in another way than the one for learning.
    special = proof["verdict"] == "counterexample" and bool(proof["counterexample"]["given"])
    same_verdict = alike or (special and drill["verdict"] == "survived")
    found.add(proof["verdict"])
    unknown = elsewhere(proof, drill) if "ends" in proof else []
    if same_verdict and not unknown:
        return ""
    return (f"the prover says {proof['verdict']}, the drill {drill['verdict']}\n{script(seed)}\nends that the prover does not know: {unknown}\n"
            f"{json.dumps(proof.get('counterexample', {}).get('message'))} {json.dumps(drill.get('counterexamples', [])[:2], indent=1)}")


options = options_of_cases(__doc__)
options.add_argument("--count", type=int, default=30)
options.add_argument("--seed", type=int, default=20260110)
options = options.parse_args()
found = set()
if run_cases({f"seed {n}": n for n in range(options.seed, options.seed + options.count)}, compare, options):
    check("the scripts are not all alike, which would show nothing", len(found) > 1, found)
finish()
