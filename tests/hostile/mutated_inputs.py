#!/usr/bin/env python3
"""Projects of the tests and examples with one or a few of their files damaged, as slips and merges damage them: migc check, prove and plan
end with an answer, within 2 seconds, in little memory; and what is found is no crash in other words.

    MIGC=build/cli/migc mutated_inputs.py [--inputs N] [--seed S]

An input that fails is told by its seed, and made again by `--seed S --inputs 1`."""
import argparse, concurrent.futures, pathlib, random, re, resource, shutil, subprocess, tempfile

from room import MIGC, PATIENCE, SANITIZED, SOURCE, check, finish

SECONDS, MEGABYTES = 2 * PATIENCE, 500
PROJECTS = [SOURCE / "examples/ouroboros", *(SOURCE / "tests/review" / name for name in ("constructs", "environments", "fresh", "guide", "keys", "odd-manifests"))]
TOKEN = re.compile(r'\w+|"[^"\n]*"|[^\w\s]|\n|[ \t]+')
ODD = ["", "<", ">", ";", '"', "${", "}", "[", "]", "(", ")", "-1", "0", "99999999999999999999", "1e999", "3.5", "null", "~", "{{ x }}", "\u202e", "\0", "é", "&a", "*a", "- ", ": ", "\t", "#", "---\n", "'", "|",
       "on failure", "undo", "for x in", "stage", "x" * 5000, "<" * 300, "[" * 3000, "\r\n", "\ufeff", "%", "%%", "$${", "<<EOT", "a: &a [*a]", "!!binary ", "? "]
options = argparse.ArgumentParser()
options.add_argument("--inputs", type=int, default=400)
options.add_argument("--seed", type=int)
options = options.parse_args()


def damaged(dice, text):
    parts = TOKEN.findall(text) or [""]
    for _ in range(dice.choice([1, 1, 1, 2, 3, 8])):
        i, k = dice.randrange(len(parts)), dice.randrange(len(parts))
        way = dice.randrange(8)
        if way == 0: del parts[i:i + dice.choice([1, 1, 2, 10])]
        elif way == 1: parts[i], parts[k] = parts[k], parts[i]
        elif way == 2: parts.insert(i, parts[k])
        elif way == 3: parts[i] = dice.choice(ODD)
        elif way == 4: parts.insert(i, dice.choice(ODD))
        elif way == 5: parts[i:i] = parts[min(i, k):max(i, k)][:400]
        elif way == 6: del parts[i:]
        else: parts[i] = parts[i].swapcase() if dice.random() < .5 else parts[i][1:]
        parts = parts or [""]
    return "".join(parts)


def limits():
    # Time of the processor: what else runs on this machine does not count.
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS) + 1))
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))


def run(folder, *arguments):
    try:
        done = subprocess.run([MIGC, *arguments], cwd=folder, capture_output=True, timeout=20 * SECONDS, preexec_fn=limits, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "no answer"
    if done.returncode < 0 or done.returncode > 10:
        return f"ended with {done.returncode}: {done.stderr[-300:]!r}"
    said = done.stdout + done.stderr
    if b"basic_string" in said or b"bad_alloc" in said or b"std::" in said or b"json.exception" in said:
        return f"speaks of itself: {said[-300:]!r}"
    return ""


def try_one(seed):
    dice = random.Random(seed)
    project = dice.choice(PROJECTS)
    scripts = sorted(project.rglob("*.mig"))
    script = dice.choice(scripts)
    around = [p for p in project.rglob("*") if p.is_file() and p.suffix in (".yaml", ".yml", ".json", ".tfvars", ".tf")]
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "p"
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("wrong", "right", ".migc"))
        target = copy / script.relative_to(project)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(script, target)
        for file in [script] if dice.random() < .5 or not around else dice.sample(around, min(len(around), dice.choice([1, 1, 2]))):
            if (copy / file.relative_to(project)).exists():
                (copy / file.relative_to(project)).write_bytes(damaged(dice, file.read_text(errors="replace")).encode(errors="replace"))
        name = str(script.relative_to(project))
        for command in (["check", name], ["check", "--json", name], ["prove", name], ["plan", name, "--world", "learning"])[: 4 if dice.random() < .2 else 1]:
            wrong = run(copy, *command)
            if wrong:
                return f"--seed {seed}: {' '.join(command)} of {project.name}: {wrong}"
    return ""


first = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    bad = [answer for answer in pool.map(try_one, range(first, first + options.inputs)) if answer]
check(f"{options.inputs} damaged inputs, from seed {first} on: each has an answer", not bad, "\n".join(bad[:10]))
finish()
