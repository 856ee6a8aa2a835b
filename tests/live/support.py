"""What the live tests share: running migc in a project of their own, and saying what is skipped and why."""
import os, pathlib, shutil, subprocess, sys, tempfile, time

MIGC = os.environ.get("MIGC", "build/cli/migc")
SOURCE = pathlib.Path(__file__).resolve().parents[2]
failures = []


def skip(reason):
    """Ends the test; CTest shows it as skipped by this line."""
    print(f"skipped: {reason}")
    sys.exit(0)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"no {program}")


def check(what, condition, detail=""):
    print(f"{'ok  ' if condition else 'FAIL'} {what}")
    if not condition:
        failures.append(what)
        if detail:
            print(detail)


def finish():
    print(f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


def allowed(arguments):
    """A command line of migc; what a project of these tests says may be executed."""
    executes = arguments[:1] and arguments[0] in ("run", "plan", "doctor", "rehearse", "undo", "resume")
    return [*arguments, "--allow-tools"] if executes and "--allow-tools" not in arguments else [*arguments]


class Project:
    """A folder with files, in which migc runs."""

    def __init__(self, **files):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="migc-live-"))
        for name, text in files.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name):
        return (self.folder / name).read_text()

    def migc(self, *arguments, environment=None, timeout=600):
        done = subprocess.run([os.path.abspath(MIGC), *allowed(arguments)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, env={**os.environ, "LANG": "C.UTF-8", **(environment or {})})
        print(f"$ migc {' '.join(arguments)}\n{done.stdout}exit code {done.returncode}")
        return done

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    print(f"{what} did not happen within {seconds} s")
    sys.exit(1)
