#!/usr/bin/env python3
"""The disk fails under the journal: full, broken, interrupted, half written; each call on its files once, and from then on.
disk.py [--long]

What the journal could not take is not done: no effect begins without a durable intent, nothing at all begins after a
write-ahead log that failed, and what is told agrees with what is written. Then the disk is mended, and the run is gone on with or
undone like any other."""
import errno, json, os, pathlib, random, shutil, subprocess, sys, tempfile

from project import Failed, Project, check, to_the_end
from harness import need
from scenarios import EVERYTHING, EVERYTHING_AFTER, LONG, LONG_AFTER

ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EINTR": errno.EINTR, "short": 0}


def built(folder):
    library = folder / "disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library),
                    str(pathlib.Path(__file__).with_name("disk.c")), "-ldl"], check=True)
    return library


def environment(library, project, fault=None):
    extra = {"LD_PRELOAD": str(library), "DISK_LOG": str(project.folder / "disk.log")}
    return {**os.environ, **extra, **({"DISK_FAULT": fault} if fault else {})}


def calls(library):
    """How often each kind of call is made in a run without a fault."""
    with Project(EVERYTHING, a="white") as project:
        code, said = project.run(env=environment(library, project))
        check(code == 0, project, "without a fault", said)
        events = project.migc("show", "last", "--json")[1].splitlines()
        made = [line.split() for line in (project.folder / "disk.log").read_text().splitlines()]
        kinds = [kind for kind, _ in made]
        # Where the run's last word is written.
        written = max(i for i, (kind, file) in enumerate(made) if kind == "pwrite" and file.endswith("-wal"))
        last = {"pwrite": kinds[:written + 1].count("pwrite"), "sync": kinds[:written].count("sync") + 1}
        intents = sum('"event":"intent"' in event.replace(" ", "") for event in events)
        check(kinds.count("sync") >= intents, project, f"{intents} intents, but only {kinds.count('sync')} times on the disk")
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}, last


def cases(counts):
    for call, count in counts.items():
        for error in ERRORS:
            if error == "short" and call != "pwrite" or error == "ENOSPC" and call == "sync":
                continue
            for n in range(1, count + 1):
                for lasting in (False, True):
                    if error != "EINTR" or not lasting:  # an interruption that never ends is none
                        yield call, n, error, lasting


def intended(project):
    """What the journal says was to be done, and how the run ended; it must be readable whatever happened to it."""
    code, said = project.migc("show", "last", "--json")
    if code == 2 and ("no run" in said):
        return [], ""
    check(code == 0, project, "the journal cannot be read any more:", said)
    events = [json.loads(line) for line in said.splitlines()]
    intents = [e["body"]["command"].split(" ", 1)[1] for e in events if e["event"] in ("intent", "undo-intent") and e["body"]["command"]]
    ends = [e["body"]["result"] for e in events if e["event"] == "run-ended"]
    return intents, ends[-1] if ends else ""


def commits_struck(log):
    """The faults that an event could not be written for. Once all is durable, the log is synced again when it is closed:
    nothing is lost by that."""
    lines = [line.split() for line in log.read_text().splitlines()]
    lines = [(line[-1] if line[0] == "fault" else None, *[w for w in line if w != "fault"][:2]) for line in lines]
    lines = [line for line in lines if line[2].endswith("-wal")]
    return [struck for i, (struck, call, _) in enumerate(lines)
            if struck is not None and (call == "pwrite" or call == "sync" and i > 0 and lines[i - 1][1] == "pwrite")]


def attempt(library, call, n, error, lasting, script=EVERYTHING, after=EVERYTHING_AFTER):
    with Project(script, a="white") as project:
        fault = f"{call}:{n}:{ERRORS[error]}" + (":on" if lasting else "")
        code, said = project.run(env=environment(library, project, fault))
        log = project.folder / "disk.log"
        struck = [line.split() for line in log.read_text().splitlines() if line.startswith("fault")]
        ledger = project.ledger()
        intents, end = intended(project)
        for line in ledger:
            check(line in intents, project, f"{line}: done without an intent", said)
        on_the_log = commits_struck(log)
        if on_the_log and error in ("ENOSPC", "EIO"):
            check(len(ledger) == int(on_the_log[0]), project, "went on after the journal had failed", said)
            check(code != 0, project, "said that it is done", said)
            check("the disk" in said, project, "said nothing of the disk", said)
        check(code in (0, 2, 3, 4), project, "exit code", code, said)
        # Whether the disk has what it failed to sync, nobody knows: then migc claims nothing, and the journal may have it.
        unknown = call == "sync" and code in (3, 4) and end == "done"
        check((code == 0) == (end == "done") or unknown, project, f"exit code {code}, but the journal says {end!r}", said)
        check(("done (exit code 0)" in said) == (code == 0), project, "told as done, but exit code", code, said)
        if code == 0:
            check(project.state() == {**project.initial, **after}, project, "done, but the state is another", said)
        then = "resume" if n % 2 else "undo"
        again, said = to_the_end(project, then, {0}, tries=4)
        if again == "nothing":
            check(not ledger, project, "no run, but something was done", said)
        else:
            wanted = {**project.initial, **after} if then == "resume" else project.initial
            check(project.state() == wanted, project, then, "left another state", said)
        check(not project.twice(), project, "done twice:", project.twice(), said)
        return bool(struck)


def around_the_checkpoint(library):
    """The syncs of the log just before it is taken into the database, and those of the database itself."""
    with Project(LONG, a="white") as project:
        project.run(env=environment(library, project))
        syncs = [line.split()[1] for line in (project.folder / "disk.log").read_text().splitlines() if line.startswith("sync")]
        checkpoint = syncs.index("journal.db", syncs.index("journal.db-wal"))
        check(checkpoint < len(syncs) - 10, project, "no checkpoint while it runs")
        return [("sync", n, "EIO", False, LONG, LONG_AFTER) for n in range(checkpoint - 2, checkpoint + 3)]


def main(long):
    need("cc")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="migc-fault-"))
    library, wrong, struck = built(folder), [], 0
    counts, last = calls(library)
    everything = list(cases(counts))
    chosen = everything if long else random.sample(everything, min(int(os.environ.get("FAULT_SAMPLE", "24")), len(everything)))
    chosen += [("pwrite", last["pwrite"], "ENOSPC", False), ("sync", last["sync"], "EIO", False), ("sync", last["sync"] - 1, "EIO", False)]
    chosen += around_the_checkpoint(library)
    for case in chosen:
        try:
            struck += attempt(library, *case)
        except Failed as problem:
            wrong.append(f"{case[:4]}: {problem}")
    shutil.rmtree(folder)
    print(f"calls on the journal's files in a run: {counts}")
    print(f"disk faults: {len(chosen)} of {len(everything)} cases, {struck} struck, {len(wrong)} wrong")
    for problem in wrong[:10]:
        print(problem)
    return 1 if wrong or not struck else 0


if __name__ == "__main__":
    random.seed(11)
    sys.exit(main("--long" in sys.argv))
