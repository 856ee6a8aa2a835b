"""What all tests in Python share: the migc under test, projects to run it in, what is checked and what is skipped, and tables of
cases. Which migc is tested says the first argument, if it is one, or MIGC, or it is that of build/."""
import argparse, concurrent.futures, os, pathlib, shlex, shutil, subprocess, sys, tempfile, time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
IS_NAMED = len(sys.argv) > 1 and pathlib.Path(sys.argv[1]).name == "migc"
MIGC = os.path.abspath(sys.argv.pop(1) if IS_NAMED else os.environ.get("MIGC", SOURCE / "build/cli/migc"))
# How many times as long anything may take: what sanitizers watch is slow.
PATIENCE = float(os.environ.get("MIGC_PATIENCE", "1"))
passed, failures = 0, []


SKIPPED = 77  # the exit code by which CTest knows it


def skip(reason):
    """Ends the test as one that could not look."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"no {program}")


def check(what, condition, detail=""):
    global passed
    print(f"{'ok  ' if condition else 'FAIL'} {what}")
    if condition:
        passed += 1
    else:
        failures.append(what)
        if detail:
            print(detail)


def finish(skipped=""):
    """Ends the test; `skipped` is what could not be looked at for want of something."""
    print(f"{passed} passed, {len(failures)} failed")
    if skipped and not failures:
        skip(skipped)
    sys.exit(1 if failures else 0)


def migc(*arguments, timeout=60, environment=None, **options):
    """Runs migc to its end. What it says is in `stdout` and `stderr`, as text."""
    return subprocess.run([MIGC, *arguments], capture_output=True, text=True, timeout=timeout * PATIENCE, env={**os.environ, "LANG": "C.UTF-8", **(environment or {})}, **options)


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

    def program(self, name, text):
        self.write(name, text)
        (self.folder / name).chmod(0o755)

    def read(self, name):
        return (self.folder / name).read_text()

    def migc(self, *arguments, environment=None, timeout=600, at=None):
        """What it says is in `stdout`, as a terminal would show it."""
        done = subprocess.run([MIGC, *allowed(arguments)], cwd=at or self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, env={**os.environ, "LANG": "C.UTF-8", **(environment or {})})
        print(f"$ migc {' '.join(arguments)}\n{done.stdout}exit code {done.returncode}")
        return done

    def start(self, *arguments, environment=None, **options):
        """Does not wait for its end: `communicate()` gives what it says."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        return subprocess.Popen([MIGC, *allowed(arguments)], cwd=self.folder, text=True, env={**os.environ, "LANG": "C.UTF-8", **(environment or {})}, **options)

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


def options_of_cases(what):
    """The command line of a table of cases."""
    options = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="how many cases at a time")
    options.add_argument("--list", action="store_true", help="name the cases")
    options.add_argument("names", nargs="*", metavar="NAME", help="a part of the names of some cases")
    return options


def run_cases(cases, perform, options):
    """Performs the cases of {name: case} that are asked for, several at a time. `perform(case)` gives what is wrong with it, or
    nothing. What failed is told in the order of the table, with how to run it alone. Gives whether all were performed."""
    chosen = {n: c for n, c in cases.items() if not options.names or any(a in n or n in a for a in options.names)}
    if not chosen:
        sys.exit(f"no case is named {' or '.join(options.names)}; --list names them")
    if options.list:
        print(*chosen, sep="\n")
        sys.exit(0)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, wrong in zip(chosen, pool.map(perform, chosen.values())):
            if wrong:
                check(name, False, f"{wrong}\nalone: {sys.argv[0]} {shlex.quote(name)}\n")
    global passed
    passed += len(chosen) - len(failures)
    return len(chosen) == len(cases)
