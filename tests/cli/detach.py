#!/usr/bin/env python3
"""A run that outlives its terminal: begun with --detach, followed, stopped, resumed; and one that cannot begin says so at once."""
import os, pathlib, re, signal, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, wait_for

project = Project()
folder, run = project.folder, project.migc
project.program("step.sh", '#!/bin/sh\necho "$1" >> ledger; while [ ! -e "go-$1" ]; do sleep 0.05; done\n')
STEP = 'run script "step.sh" with ["{0}"] undo none because "it only writes its name";'
(folder / "night.mig").write_text(f'stage staging < {" ".join(STEP.format(name) for name in ("one", "two", "three"))} > on failure undo;\n')


def ledger():
    return (folder / "ledger").read_text().split() if (folder / "ledger").exists() else []


# A terminal of its own, which is closed as soon as the run goes on behind it.
terminal = project.start("run", "night.mig", "--detach", start_new_session=True)
output = terminal.communicate(timeout=30)[0]
found = re.search(r"run (20\d\d-\d\d-\d\d-1) goes on in the background", output)
check("the call comes back when the run has begun, and names it", terminal.returncode == 0 and found is not None, output)
run_id = found.group(1) if found else "last"
try:
    os.killpg(terminal.pid, signal.SIGHUP)
except ProcessLookupError:
    pass
wait_for("the step", lambda: ledger() == ["one"])
(folder / "go-one").touch()
wait_for("the step", lambda: ledger() == ["one", "two"])
check("it goes on though the terminal is gone", True)
check("what it says is in a file of the run", any("stage staging" in f.read_text() for f in (folder / ".migc/runs" / run_id).glob("output-*.txt")))

done = run("status")
check("another terminal sees what it is at", "at work" in done.stdout and "two" in done.stdout and "in doubt" not in done.stdout)
done = run("stop")
check("it can be told to stop, and has heard it", done.returncode == 0 and "has heard it" in done.stdout and "after the step that is running" in done.stdout)
follow = project.start("follow", run_id)
(folder / "go-two").touch()
output = follow.communicate(timeout=60)[0]
check("whoever follows it sees its end, and has its exit code", follow.returncode == 3 and "held" in output and ledger() == ["one", "two"], output)
done = run("status")
check("and that it is held", "state    held" in done.stdout and f"migc resume {run_id}" in done.stdout)
check("nobody is at it any more", run("stop").returncode == 2)

(folder / "go-three").touch()
done = run("resume", run_id, "--detach")
check("it is resumed in the background", done.returncode == 0 and "goes on in the background" in done.stdout)
check("and is done in the end, each step once", run("follow").returncode == 0 and ledger() == ["one", "two", "three"], str(ledger()))

(folder / "wrong.mig").write_text("stage production < scale webapi to 4; verify pods ready; > on failure undo;\n")
done = run("run", "wrong.mig", "--detach")
check("a run that cannot begin says so at once", done.returncode == 2 and "migc:" in done.stdout)
check("and leaves nothing behind", not list((folder / ".migc").glob("output-*")))

(folder / "scale.mig").write_text("stage staging < scale webapi to 4; verify pods ready; > on failure undo;\n")
done = run("run", "scale.mig", "--world", "learning", "--detach")
check("a run in a simulated world, which has no folder, goes on behind it as well", done.returncode == 0 and "goes on in the background" in done.stdout, done.stdout)

# One that cannot hear: it stands still. What was not seen is not said.
(folder / "go-one").unlink()
still = project.start("run", "night.mig")
wait_for("the step", lambda: ledger()[-1:] == ["one"])
still.send_signal(signal.SIGSTOP)
done = run("stop")
check("one that does not answer is said not to have answered", done.returncode == 2 and "has not answered" in done.stdout)
still.send_signal(signal.SIGCONT)
(folder / "go-one").touch()
check("and stops when it can", still.wait(timeout=60) == 3)

project.remove()
finish()
