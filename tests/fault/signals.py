#!/usr/bin/env python3
"""SIGINT once, twice and thrice, SIGTERM, SIGHUP at random times.   signals.py [--long]

Whatever comes when: no tool gets more than one SIGINT, every exit is written down, no process is left over, and the run
can be gone on with to its end without doing anything twice."""
import collections, concurrent.futures, random, signal, subprocess, sys, time

from project import Failed, Project, check
from scenarios import INTERRUPTED, INTERRUPTED_AFTER

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
SEQUENCES = [[INT], [INT, INT], [INT, INT, INT], [TERM], [HUP], [HUP, INT], [INT, INT, INT, INT, TERM]]


def heed():
    """Whoever runs this in the background may ignore signals, and what is ignored stays so in a child."""
    for number in (INT, TERM, HUP):
        signal.signal(number, signal.SIG_DFL)


def interrupt(project, signals, random_):
    """The exit code, what was said, and how long it went on after the last signal."""
    process = subprocess.Popen(project.command("run", "script.mig"), cwd=project.folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=heed)
    if random_.random() < 0.95:  # a busy machine takes its time until the run begins
        while process.poll() is None and not (project.folder / ".migc").exists():
            time.sleep(0.005)
    time.sleep(random_.uniform(0, 1.6))
    for number in signals:
        if process.poll() is None:
            process.send_signal(number)
        time.sleep(random_.choice([0, 0.01, 0.05, 0.2]))
    last = time.monotonic()
    said = process.communicate(timeout=60)[0].decode()
    return process.returncode, said, time.monotonic() - last


def tools_alive(project):
    found = subprocess.run(["pgrep", "-f", str(project.folder / "fake")], stdout=subprocess.PIPE).stdout.split()
    return [p.decode() for p in found]


def attempt(number):
    random_ = random.Random(number)
    signals = SEQUENCES[number % len(SEQUENCES)]
    with Project(INTERRUPTED) as project:
        code, said, took = interrupt(project, signals, random_)
        if code < 0:  # before the handlers were there, and so before anything was begun
            check(not project.ledger(), project, "ended by the signal itself:", code, said)
            return "not begun"
        check(code in (0, 1, 3, 4), project, "exit code", code, said)
        check(took < 10, project, "went on for", took, "seconds after the last signal", said)
        check(not tools_alive(project), project, "left running:", tools_alive(project), said)
        got = project.folder / "signals"
        counts = collections.Counter(got.read_text().splitlines() if got.exists() else [])
        check(all(n == 1 for n in counts.values()), project, "a tool got more than one signal:", counts, said)
        check(len(signals) > 1 or not counts, project, "a tool got a signal after one interrupt:", counts)
        check("unfinished" not in project.migc("runs")[1], project, "not written down:", said)
        ended = {0: "done", 1: "undone", 3: "held", 4: "in doubt"}[code]
        for _ in range(4):
            again, said = project.migc("resume", "last")
            if again != 4:
                break
            check(project.resolve_truly(said), project, "in doubt without a step to decide about:", said)
        check(again in (0, 1), project, "resumed with exit code", again, said)
        check(project.state() == (INTERRUPTED_AFTER if again == 0 else project.initial), project, "resumed:", said)
        check(not project.twice(), project, "done twice:", project.twice(), said)
        return ended


def main(long):
    ends, wrong = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(attempt, n) for n in range(1000 if long else 42)]:
            try:
                ends[future.result()] += 1
            except (Failed, subprocess.TimeoutExpired) as problem:
                wrong.append(str(problem))
    print(f"signals at random times: {sum(ends.values()) + len(wrong)} runs, {len(wrong)} wrong; "
          + ", ".join(f"{n} {end}" for end, n in sorted(ends.items())))
    for problem in wrong[:10]:
        print(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--long" in sys.argv))
