#!/usr/bin/env python3
"""The prover and the engine tell the same story of random scripts: where `migc prove` finds no hole, no run of `migc drill`
ends where it must not; where it finds one, one does; and after each kind of fault, a kill and a resume included, the engine
ends only as the prover says that it may.   story.py MIGC [COUNT [SEED]]"""
import concurrent.futures, json, os, pathlib, random, subprocess, sys, tempfile

MIGC = os.path.abspath(sys.argv[1])
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 30
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 20260110
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
    done = subprocess.run([MIGC, command, path, "--json", *more], capture_output=True, text=True, timeout=120, cwd=os.path.dirname(path))
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
    return same_verdict and not ("ends" in proof and elsewhere(proof, drill)), seed, proof, drill


failed, found = 0, {}
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for alike, seed, proof, drill in pool.map(compare, range(SEED, SEED + COUNT)):
        found[proof["verdict"]] = found.get(proof["verdict"], 0) + 1
        if not alike:
            failed += 1
            print(f"FAIL seed {seed}: the prover says {proof['verdict']}, the drill {drill['verdict']}\n{script(seed)}")
            print("ends that the prover does not know:", elsewhere(proof, drill) if "ends" in proof else "")
            print(json.dumps(proof.get("counterexample", {}).get("message")), json.dumps(drill.get("counterexamples", [])[:2], indent=1))
if len(found) < 2:
    failed += 1
    print("FAIL the scripts are all alike, so this shows nothing")
print(f"story: {COUNT} scripts, {found}, {failed} told differently")
sys.exit(failed > 0)
