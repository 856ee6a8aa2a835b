#!/usr/bin/env python3
"""Every example checks clean, plans, and runs in its simulated world; and whichever of its commands goes wrong, it ends done,
exactly undone, honestly held or in doubt. The world's state and the project's files are compared before and after.

    examples.py MIGC [--full] [NAME...]   --full: every kind of fault at every changing command, not one of them in turn"""
import concurrent.futures, json, os, pathlib, re, shutil, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, check, finish, migc

root, full, names = SOURCE / "examples", "--full" in sys.argv, [a for a in sys.argv[1:] if not a.startswith("--")]
FAULTS = ["fail-before", "fail-after", "timeout-after", "hang", "garbage"]

# Script, world, and what an undo leaves standing by the script's own words: then exit code 3 is right where 1 would be.
OUROBOROS = "ouroboros/world.yaml"
EXAMPLES = {
    "hello.mig": ("learning", ""),
    "ouroboros/change-configuration.mig": (OUROBOROS, ""),
    "ouroboros/scale-webapi.mig": (OUROBOROS, ""),
    "ouroboros/add-nodes.mig": (OUROBOROS, ""),
    "ouroboros/add-redis.mig": (OUROBOROS, "persistentvolumeclaim/redis-storage|a tag that is new|push image"),
    "ouroboros/grow-qdrant.mig": (OUROBOROS, "a claim cannot shrink"),
    "ouroboros/replace-claim.mig": (OUROBOROS, "what the claim holds is lost"),
    "ouroboros/roll-back-application.mig": (OUROBOROS, ""),
    "ouroboros/roll-back-kubernetes.mig": (OUROBOROS, ""),
    "ouroboros/roll-back-terraform.mig": (OUROBOROS, ""),
    "ouroboros/emergency.mig": ("ouroboros/world-emergency.yaml", "held, as the failure block says"),
    "ouroboros/return-from-emergency.mig": ("ouroboros/world-after-emergency.yaml", ""),
    "ouroboros/pre-migration.mig": (OUROBOROS, ""),
    "ouroboros/blue-green.mig": (OUROBOROS, ""),
    "ouroboros/canary.mig": (OUROBOROS, ""),
    "ouroboros/feature-flag.mig": (OUROBOROS, ""),
    "ouroboros/validate-before.mig": (OUROBOROS, ""),
    "ouroboros/validate-after.mig": (OUROBOROS, ""),
}

# What changes something outside, by the words of its command line; everything else only reads.
CHANGING = re.compile(
    r"kubectl (scale|patch|set|annotate|label|delete (?!pod/migc-)|create|cordon|uncordon|drain|rollout (restart|undo)|apply(?!.*--dry-run))\b"
    r"|docker (build|tag|push)\b|terraform (apply|init|plan)\b|--request|^\./|^/")
runs = 0


class Example:
    def __init__(self, folder, name, world):
        self.folder, self.script, self.name = folder / pathlib.Path(name).parent, pathlib.Path(name).name, name
        self.text = (self.folder / self.script).read_text()
        self.arguments = [self.script, "--world", world if world == "learning" else os.path.relpath(folder / world, self.folder)]

    def quick(self):
        """The same on a Saturday night, when windows are open, with soaks of a few minutes."""
        world = pathlib.Path(self.folder, self.arguments[2])
        if world.exists():
            soon = world.with_name("quick-" + world.name)
            soon.write_text(re.sub(r"(?m)^clock: .*", "clock: 2026-01-10T01:05:00Z", world.read_text()))
            self.arguments[2] = soon.name
        if "param soak-time" in self.text:
            self.arguments += ["--set", "soak-time=3m"]
        return self

    def only(self, count):
        """The state after the first stages alone."""
        begins = [m.start() for m in re.finditer(r"(?m)^stage ", self.text)] + [len(self.text)]
        if count == 0:
            return self.migc("plan")[2]
        shorter = pathlib.Path(self.folder, f"first-{count}-{self.script}")
        shorter.write_text(self.text[:begins[count]])
        return self.migc("run", script=shorter.name)[2]

    def migc(self, command, *options, script=None):
        """In a copy of its own: runs go on side by side."""
        with tempfile.TemporaryDirectory() as work:
            folder = pathlib.Path(work, "project")
            shutil.copytree(self.folder, folder, symlinks=True)
            done = migc(command, script or self.script, *self.arguments[1:], *options, "--state", "state.json", cwd=folder, timeout=300)
            state = folder / "state.json"
            text = re.sub(r"monadic-pipeline@sha256:[0-9a-f]+", "monadic-pipeline@built-here", state.read_text()) if state.exists() else ""
            transcript = folder / "transcript"
            return (done.returncode, done.stdout + done.stderr, comparable(json.loads(text)) if text else None,
                    [json.loads(line) for line in transcript.read_text().splitlines()] if transcript.exists() else [])


def comparable(state):
    """Without what an undo leaves on purpose: backups, and what is in an image that was built from the project's folder, in
    which these tests put files of their own."""
    state["registry"] = {image: "built here" if image.endswith(":1.5.0") or "1.5.0@" in image else digest for image, digest in state.get("registry", {}).items()}
    state["files"] = {path: digest for path, digest in state.get("files", {}).items() if not path.startswith("backups/")}
    return state


def words(argv):
    """A command as a fault names it: without the options that say where it goes."""
    rest, options = list(argv[1:]), ("--context", "--namespace", "--kubeconfig")
    while rest and rest[0].startswith("-"):
        rest = rest[2 if rest[0] in options else 1:]
    return " ".join([argv[0], *rest])


def faults(transcript):
    """One after the other: each changing command of a run that went well, made to fail."""
    seen, kind = [], 0
    for line in transcript:
        if "run" not in line:
            continue
        text = words(line["run"])
        seen.append(text)
        if CHANGING.search(text):
            part = " ".join(text.split()[:3])
            count = sum(part in earlier for earlier in seen)
            for fault in FAULTS if full else {"fail-before", FAULTS[1 + kind % 4]}:
                yield f"{fault}: {part} #{count}"
            kind += 1


def expected(example, text, states):
    """The state in which a failed run must end: as before the stage that failed, or as before all if it undoes all."""
    stages = re.findall(r"(?m)^stage (\S+)", example.text)
    failed_stage = re.search(r"(?m)^undo stage (\S+):", text)
    index = stages.index(failed_stage.group(1)) if failed_stage and "a later stage undoes all" not in text else 0
    if index not in states:
        states[index] = example.only(index)
    return states[index]


def fail(example, fault, states, leaves, changes):
    code, text, after, _ = example.migc("run", "--fault", fault)
    what = f"{example.name} with {fault}"
    found = [(f"{what} ends done, undone, held or in doubt", code in (0, 1, 3, 4), text)]
    before = expected(example, text, states)
    if code == 1:
        found.append((f"{what} is exactly undone", after == before, text + differences(before, after)))
    if code == 0 and changes:
        found.append((f"{what} is done only if the effect is there", after != before, text))
    if code == 3:
        found.append((f"{what} is held only by the script's own words", bool(leaves and re.search(leaves, text)) or "made it so is not known" in text, text))
    if code == 4:
        found.append((f"{what} says what is in doubt", "could not be found out" in text or "in doubt" in text or "undo failed" in text, text))
    return found


def differences(before, after, path=""):
    if not isinstance(before, dict) or not isinstance(after, dict):
        return "" if before == after else f"\n  {path}: {before} -> {after}"
    return "".join(differences(before.get(k), after.get(k), f"{path}/{k}") for k in sorted({*before, *after}))


with tempfile.TemporaryDirectory() as work:
    copy = pathlib.Path(work, "examples")
    shutil.copytree(root, copy)
    for script in sorted(copy.rglob("*.mig")):
        if "stage " in script.read_text() and (not names or any(n in str(script) for n in names)):
            done = migc("check", script.name, cwd=script.parent)
            check(f"{script.relative_to(copy)} has no findings", done.returncode == 0, done.stdout + done.stderr)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (world, leaves) in EXAMPLES.items():
            if names and not any(n in name for n in names):
                continue
            example = Example(copy, name, world)
            code, text, _, _ = example.migc("plan")
            check(f"{name} can be planned", code == 0, text)
            code, text, _, _ = example.migc("run")
            check(f"{name} runs", code == 0, text)
            quick = Example(copy, name, world).quick()
            code, text, after, transcript = quick.migc("run", "--record", "transcript")
            check(f"{name} runs quickly", code == 0, text)
            states = {0: quick.only(0)}
            changes = after != states[0]
            runs += 4
            for findings in pool.map(lambda fault: fail(quick, fault, states, leaves, changes), list(faults(transcript))):
                runs += 1
                for finding in findings:
                    check(*finding)
print(f"examples: {runs} runs")
finish()
