#!/usr/bin/env python3
"""kill -9 of migc at every system call that writes or starts a tool; then resume, or undo.   kill.py [--long]

strace kills migc on entry to the n-th such call, for every n (the short form: a spread of them). Then either the run is
resumed and later undone, or it is undone at once; an undo is cut off in the same way and gone on with. The fake tools'
ledger and state decide: nothing is done twice, nothing that is undone is left over, and "done" is done."""
import collections, os, random, re, shutil, signal, subprocess, sys, time

from project import Failed, Project, check, to_the_end
from harness import need
from scenarios import AT_WORK, AT_WORK_AFTER, COUNTED, COUNTING, COUNTING_AFTER, EVERYTHING, EVERYTHING_AFTER, FAILING, INTERRUPTED, INTERRUPTED_AFTER, TWO_STAGES

CALLS = "write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat2,unlink,mkdir,vfork,clone,clone3"
RUNNING = re.compile(r"^(\w+)\(")


def points(project, *arguments):
    """(call, n) of every call of that command, in a spread of all kinds."""
    log = project.folder / "strace.log"
    code, said = project.migc(*arguments, under=("strace", "-qq", "-o", str(log), "-e", f"trace={CALLS}"))
    counts = collections.Counter(m.group(1) for m in map(RUNNING.match, log.read_text().splitlines()) if m)
    return code, said, [(call, n) for call in sorted(counts) for n in range(1, counts[call] + 1)]


def killed(project, point, *arguments):
    call, n = point
    return project.migc(*arguments, under=("strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                                           "-e", f"inject={call}:signal=KILL:when={n}"))


def not_begun(project):
    return not project.ledger()


def forward(script, point, after, state, then):
    with Project(script, **state) as project:
        killed(project, point, "run", "script.mig")
        if then == "resume":
            code, said = to_the_end(project, "resume", {0} if after else {1})
            if code == "nothing":
                return check(not_begun(project), project, "no run, but something was done")
            if after:
                check(project.state() == after, project, "resumed, but the state is not what the script says:", said)
        if then == "undo" or after:
            code, said = to_the_end(project, "undo", {0})
            if code == "nothing":
                return check(not_begun(project), project, "no run, but something was done")
        check(project.state() == project.initial, project, "not all is undone:", said)
        check(not project.twice(), project, "done twice:", project.twice(), said)


def backward(script, point, state, then):
    with Project(script, **state) as project:
        project.run()
        killed(project, point, "undo", "last")
        code, said = to_the_end(project, then, {0, 1})
        if "there is nothing to continue" in said:  # cut off before the undo was written down
            code, said = to_the_end(project, "undo", {0, 1})
        check(project.state() == project.initial, project, "not all is undone:", said)
        check(not project.twice(), project, "done twice:", project.twice(), said)


def under_way(project):
    """A run whose second step, which takes a while, is at work."""
    process = subprocess.Popen(project.command("run", "script.mig"), cwd=project.folder, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while "set a 1" not in project.ledger() and time.monotonic() < deadline:
        time.sleep(0.01)
    while "slowly put" not in project.migc("show", "last")[1] and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def end_by_force(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def at_work(seconds, then):
    """The tool lives on without migc: whoever comes next waits for it, and a second operator is sent away before."""
    with Project(AT_WORK) as project:
        process = under_way(project)
        code, said = project.migc("undo", "last")
        check(code == 5, project, "two at a time: exit code", code, said)
        time.sleep(seconds)
        end_by_force(process)
        code, said = to_the_end(project, then, {0})
        check(project.state() == (AT_WORK_AFTER if then == "resume" else project.initial), project, then, said)
        check(not project.twice(), project, "done twice:", project.twice(), said)


def at_work_unseen(seconds, then):
    """A step that nobody can see is cut off: it is in doubt, whatever comes next."""
    with Project(COUNTING) as project:
        process = subprocess.Popen(project.command("run", "script.mig"), cwd=project.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not (project.folder / "at-work").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(seconds / 2)
        end_by_force(process)
        code, said = project.migc(then, "last")
        check(code == 4, project, f"{then} after a step that nobody can see: exit code", code, said)
        code, said = to_the_end(project, then, {0})
        check(project.state() == (COUNTING_AFTER if then == "resume" else project.initial), project, then, said)
        check(not project.twice(), project, "done twice:", project.twice(), said)


def at_work_back(seconds, then):
    """An inverse that nobody can see is cut off: it is in doubt, and not run a second time."""
    with Project(COUNTED) as project:
        project.run()
        process = subprocess.Popen(project.command("undo", "last"), cwd=project.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not (project.folder / "at-work").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(seconds)
        end_by_force(process)
        code, said = project.migc(then, "last")
        check(code == 4, project, f"{then} after an inverse that nobody can see: exit code", code, said)
        code, said = to_the_end(project, then, {0})
        check(project.state() == project.initial, project, "not all is undone:", said)
        check(not project.twice(), project, "done twice:", project.twice(), said)


def blind(seconds, then):
    """What cannot be seen is in doubt, and never taken for not done."""
    with Project(INTERRUPTED) as project:
        process = under_way(project)
        time.sleep(seconds)
        end_by_force(process)
        (project.folder / "down").touch()
        before = project.ledger()
        code, said = project.migc(then, "last")
        check(code == 4, project, f"{then} without a network: exit code", code, said)
        check(len(project.ledger()) <= len(before) + 1, project, f"{then} went on in the dark", said)
        (project.folder / "down").unlink()
        code, said = to_the_end(project, then, {0})
        check(project.state() == (INTERRUPTED_AFTER if then == "resume" else project.initial), project, then, said)
        check(not project.twice(), project, "done twice:", project.twice(), said)


def spread(points, count):
    if count is None or len(points) <= count:
        return points
    return random.sample(points, count)


def attempt(title, cases, work):
    failures = []
    for case in cases:
        try:
            work(*case)
        except Failed as problem:
            failures.append(f"{title} {case[0]} {case[1:]}: {problem}")
    print(f"{title:<44} {len(cases):5} kills, {len(failures)} wrong", flush=True)
    return failures


def main(long):
    need("strace")
    per_scenario = None if long else int(os.environ.get("FAULT_SAMPLE", "4"))
    failures = []
    scenarios = [("all kinds of steps", EVERYTHING, EVERYTHING_AFTER, {"a": "white"}),
                 ("a stage that fails", FAILING, None, {}),
                 ("undo all, over two stages", TWO_STAGES, None, {})]
    for title, script, after, state in scenarios:
        with Project(script, **state) as project:
            code, said, all_points = points(project, "run", "script.mig")
            check(code == (0 if after else 1), project, "without a fault", code, said)
            check(not after or project.state() == after, project, "without a fault the state is wrong")
            undo_points = points(project, "undo", "last")[2] if after else []
            check(project.state() == project.initial, project, "without a fault not all is undone")
        failures += attempt(f"{title}: run, resume", [(p, "resume") for p in spread(all_points, per_scenario)],
                            lambda p, then: forward(script, p, after, state, then))
        failures += attempt(f"{title}: run, undo", [(p, "undo") for p in spread(all_points, per_scenario)],
                            lambda p, then: forward(script, p, after, state, then))
        for then in ("undo", "resume"):
            failures += attempt(f"{title}: undo, {then}", [(p, then) for p in spread(undo_points, per_scenario)],
                                lambda p, then: backward(script, p, state, then))
    moments = [(random.uniform(0, 0.4), then) for then in ("resume", "undo") for _ in range(25 if long else 2)]
    failures += attempt("while a tool is at work", moments, at_work)
    failures += attempt("while an unseen tool is at work", moments, at_work_unseen)
    failures += attempt("while an inverse is at work", moments, at_work_back)
    failures += attempt("and then there is no network", moments, blind)
    for failure in failures[:10]:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    random.seed(7)
    sys.exit(main("--long" in sys.argv))
