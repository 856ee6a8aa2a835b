#!/usr/bin/env python3
"""Which run `last` is, and where: a run that was killed before it had begun is not the one before it; a project that was moved
is the same project; a copy of one is not, as long as the original is at its place."""
import os, pathlib, shutil, signal, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, Project, check, finish, wait_for

project = Project()
folder = project.folder
FILES = {
    "app/do.sh": '#!/bin/sh\necho "$1" >> ledger\n',
    "app/good.mig": 'stage staging < run script "do.sh" with ["forth"] undo < run script "do.sh" with ["back"] undo none because "it is the way back"; >; '
                    'set value of "a.yaml" at "/a" to 2; > on failure undo;\n',
    "app/slow.mig": 'let base = commit of "HEAD";\nstage staging < run script "do.sh" with [base] undo none because "a test"; > on failure undo;\n',
    "app/a.yaml": "a: 1\n",
    "app/migc.yaml": "order: [staging]\nenvironments: { staging: {} }\n",
    # git, and what is slow about it.
    "bin/git": "#!/bin/sh\ntouch '@/asked'; exec sleep 3\n".replace("@", str(folder)),
}
for name, text in FILES.items():
    (project.program if text.startswith("#!") else project.write)(name, text)
app = folder / "app"


def run(*arguments, at=app):
    return project.migc(*arguments, at=at)


def state(at=app):
    return (at / "ledger").read_text().split(), (at / "a.yaml").read_text().strip()


def killed_start(number, *options):
    """Kills a run while it still asks git, before it is in the journal."""
    (folder / "asked").unlink(missing_ok=True)
    process = subprocess.Popen([MIGC, "run", "--allow-tools", "slow.mig", *options], cwd=app, env={**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("git", lambda: (folder / "asked").exists())
    during = run("undo", "last")
    check("while a run is being started `last` is not the one before it", during.returncode == 2 and "has not begun yet" in during.stdout)
    os.killpg(process.pid, number)
    process.wait()


def is_undone_nothing(what, expected):
    done = run("undo", "last")
    check(what, done.returncode == 2 and expected in done.stdout and state() == (["forth"], "a: 2"), done.stdout)


done = run("run", "good.mig")
check("a good run", done.returncode == 0 and state() == (["forth"], "a: 2"), done.stdout)
good = sorted((app / ".migc/runs").iterdir())[-1].name

for number in (signal.SIGKILL, signal.SIGINT):
    killed_start(number)
    is_undone_nothing(f"killed by {number.name} before it had begun: the run before it is not taken back", "the last run had not begun")
    check("nor gone on with, and it is told which one it is", run("resume", "last").returncode == 2 and good in run("show", "last").stdout)
check("by its name it can be looked at", run("show", good).returncode == 0)
done = run("run", "broken.mig")
check("a run that says why it cannot begin leaves no trace", done.returncode == 2)
(app / "other.mig").write_text('stage staging < run script "do.sh" with ["other"] undo none because "a test"; > on failure undo;\n')
check("a run that begins is the last one", run("run", "other.mig").returncode == 0 and "other.mig" in run("show", "last").stdout)
(app / "ledger").write_text("forth\n")

# A copy, beside the original.
copy = folder / "copy"
subprocess.run(["cp", "-a", app, copy], check=True)
for command in ("undo", "resume", "sheet"):
    done = run(command, good, at=copy)
    check(f"{command} in a copy is refused", done.returncode == 2 and "is a copy" in done.stdout and f"cd {app}" in done.stdout, done.stdout)
check("and changes nothing, here or there", state() == state(copy) == (["forth"], "a: 2"))
check("it can be looked at", run("show", good, at=copy).returncode == 0)
check("a run of its own is its own", run("run", "other.mig", at=copy).returncode == 0 and run("undo", "last", at=copy).returncode == 0)
link = folder / "link"
link.symlink_to(app)
check("a link to the project is no copy", run("sheet", good, at=link).returncode == 0)

# Moved: the runs go with it, their files too.
shutil.rmtree(copy)
moved = folder / "moved"
app.rename(moved)
done = run("runs", at=moved)
check("a moved project has its runs", done.returncode == 0 and good in done.stdout)
done = run("undo", good, at=moved)
check("they are taken back where it is now", done.returncode == 0 and state(moved) == (["forth", "back"], "a: 1"), done.stdout)
check("and nothing is made where it was", not app.exists())

# Another project at the old place, with runs of its own.
done = run("run", "good.mig", at=moved)
again = sorted((moved / ".migc/runs").iterdir())[-1].name
third = folder / "third"
moved.rename(third)
shutil.copytree(third, moved, ignore=shutil.ignore_patterns(".migc", "ledger"))
check("a new project where another one was", run("run", "other.mig", at=moved).returncode == 0)
done = run("undo", again, at=third)
check("is not taken for the original", done.returncode == 0 and state(third)[1] == "a: 1", done.stdout)

project.remove()
finish()
