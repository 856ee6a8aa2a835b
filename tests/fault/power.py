#!/usr/bin/env python3
"""The power is lost at every moment in which the disk has not yet all that was written.   power.py [--long]

disk.c keeps an image of what the disk has been told to keep, and ends migc just before the n-th sync, for every n (the short
form: a spread of them): the longest time that anything was only written. The journal becomes that image; what the tools did, stays.
Then the run is gone on with, or taken back. What migc had said was done, the image knows to be done; what the tools did, the image
knows to have been begun."""
import os, pathlib, random, re, shutil, signal, sys, tempfile

import disk
from project import Failed, Project, check, to_the_end
from harness import need
from scenarios import EVERYTHING, EVERYTHING_AFTER, FAILING, LONG, LONG_AFTER, SIDE_BY_SIDE, SIDE_BY_SIDE_AFTER

SCRIPTS = {"everything": (EVERYTHING, EVERYTHING_AFTER, {"a": "white"}), "failing": (FAILING, None, {}),
           "side by side": (SIDE_BY_SIDE, SIDE_BY_SIDE_AFTER, {}), "long": (LONG, LONG_AFTER, {})}
SAID_DONE = re.compile(r"^ +✓ (?!.*\balready\b)", re.MULTILINE)


def image_of(project):
    folder = project.folder / "image"
    folder.mkdir(exist_ok=True)
    return folder


def environment(library, project, lost=None):
    extra = {"LD_PRELOAD": str(library), "DISK_IMAGE": str(image_of(project)), "DISK_LOG": str(project.folder / "disk.log")}
    return {**os.environ, **extra, **({"POWER_LOST": str(lost)} if lost else {})}


def syncs(library, script, state):
    with Project(script, **state) as project:
        project.run(env=environment(library, project))
        return sum(line.startswith("sync") for line in (project.folder / "disk.log").read_text().splitlines())


def restart(project):
    """The machine comes up again with what its disk has."""
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (project.folder / ".migc" / name).unlink(missing_ok=True)
    for image in image_of(project).iterdir():
        shutil.copy(image, project.folder / ".migc" / image.name)


def knows(project, said):
    """Whether the journal that is left knows of all that was done, and of all that was told."""
    intents, _ = disk.intended(project)
    objects = [intent.split()[1:] for intent in intents]  # however slowly a tool does it
    for line in project.ledger():
        check(line.split()[1:] in objects, project, f"{line}: done, but the disk has no intent", said)
    shown = project.migc("show", "last")[1]
    for line in SAID_DONE.finditer(said):
        told = said[line.end():].splitlines()[0].split("  ")[0].strip()
        check(f"✓ {told}" in shown, project, f"told as done, but the disk does not have it: {told}", said, shown)


def attempt(library, name, n, then):
    script, after, state = SCRIPTS[name]
    with Project(script, **state) as project:
        code, said = project.run(env=environment(library, project, n))
        check(code == -signal.SIGKILL, project, "the power was not lost: exit code", code, said)
        restart(project)
        knows(project, said)
        forward = then == "resume" and after is not None
        again, said = to_the_end(project, then, {0} if forward or then == "undo" else {1})
        if again == "nothing":
            return check(not project.ledger(), project, "no run, but something was done", said)
        wanted = after if forward else project.initial
        check(project.state() == wanted, project, then, "left another state", said)
        check(not project.twice(), project, "done twice:", project.twice(), said)


def main(long):
    need("cc")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="migc-fault-"))
    library = disk.built(folder)
    cases = [(name, n, then) for name, (script, _, state) in SCRIPTS.items()
             for n in range(1, syncs(library, script, state) + 1) for then in ("resume", "undo")]
    chosen, wrong = cases if long else random.sample(cases, min(int(os.environ.get("FAULT_SAMPLE", "24")), len(cases))), []
    for case in chosen:
        try:
            attempt(library, *case)
        except Failed as problem:
            wrong.append(f"{case}: {problem}")
    shutil.rmtree(folder)
    print(f"losses of power: {len(chosen)} of {len(cases)} cases, {len(wrong)} wrong")
    for problem in wrong[:10]:
        print(problem)
    return 1 if wrong or not chosen else 0


if __name__ == "__main__":
    random.seed(13)
    sys.exit(main("--long" in sys.argv))
