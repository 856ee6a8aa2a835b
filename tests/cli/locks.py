#!/usr/bin/env python3
"""Two runs in one environment: the second is refused, a silent one can be deposed, notices it and begins nothing more; the
journal has it. Needs no tool but a shell script of the project."""
import os, pathlib, re, signal, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, wait_for

project = Project()
folder, run = project.folder, project.migc
project.program("step.sh", '#!/bin/sh\necho "$1" >> ledger; while [ ! -e go ]; do sleep 0.05; done\n')
STEP = 'run script "step.sh" with ["{0}"] undo none because "it only writes its name";'
(folder / "two.mig").write_text(f'stage staging < {STEP.format("first")} {STEP.format("second")} > on failure undo;\n')
(folder / "other.mig").write_text(f'stage development < {STEP.format("other")} > on failure undo;\n')


def ledger():
    return (folder / "ledger").read_text().split() if (folder / "ledger").exists() else []


first = project.start("run", "two.mig")
wait_for("the step", lambda: ledger() == ["first"])
done = run("run", "two.mig")
check("a second run in the environment is refused", done.returncode == 5 and "environment staging is held by the run of two.mig" in done.stdout)
check("and is told which run it is", re.search(r"\(20\d\d-\d\d-\d\d-1\)", done.stdout) is not None)
done = run("unlock", "staging", "--because", "impatience")
check("a run that is at work keeps its lock", done.returncode == 2 and "it is at work" in done.stdout)
done = run("unlock", "production", "--because", "a slip")
check("what is not locked cannot be unlocked", done.returncode == 2 and "there is no lock of production" in done.stdout)

first.send_signal(signal.SIGSTOP)
lock = folder / ".migc/locks/staging"
os.utime(lock, (time.time() - 60, time.time() - 60))
done = run("run", "two.mig")
check("a silent holder is told to be silent", done.returncode == 5 and "silent" in done.stdout and "migc unlock" in done.stdout)
check("without a reason nothing is broken", run("unlock", "staging").returncode != 0)
check("nor for one of blanks", "say why" in run("unlock", "staging", "--because", " \t").stdout)
done = run("unlock", "staging", "--because", "the laptop sleeps")
check("a silent holder loses it", done.returncode == 0 and "is taken away" in done.stdout)
(folder / "go").touch()
first.send_signal(signal.SIGCONT)
output = first.communicate(timeout=60)[0]
check("it notices, and begins nothing more", first.returncode == 4 and "because the laptop sleeps" in output and ledger() == ["first"], output)
check("the journal has it", "was broken by" in run("show", "last").stdout)
done = run("run", "other.mig")
check("another environment was free all the time", done.returncode == 0 and ledger() == ["first", "other"])
done = run("run", "two.mig")
check("the next run has the lock", done.returncode == 0 and ledger()[-2:] == ["first", "second"])

project.remove()
finish()
