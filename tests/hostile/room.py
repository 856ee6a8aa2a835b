"""What the hostile tests share: projects of somebody else's making, run as root and as another user."""
import os, pathlib, shutil, stat, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, PATIENCE, SOURCE, allowed, check, finish, skip  # noqa: F401 (for the tests)

OTHER = "nobody"
# What sanitizers watch has memory, most of it never used, that is beyond every limit.
SANITIZED = b"__asan_init" in pathlib.Path(MIGC).read_bytes()


def sources_with(ways, harmless, own_ways):
    """The lines of the sources that do something in one of these ways, but for the places that may."""
    found = []
    for top in ("cli", "compiler", "runtime", "stdlib"):
        for file in sorted((SOURCE / top).rglob("*.[ch]pp")):
            name = str(file.relative_to(SOURCE))
            if any(name.startswith(own) for own in own_ways):
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                if ways.search(line.split("//")[0]) and not harmless.search(line):
                    found.append(f"{name}:{number}: {line.strip()}")
    return found


def can_be_another():
    return os.geteuid() == 0 and shutil.which("setpriv") is not None


def users():
    """Who runs it: whoever we are, and another user where we may become one."""
    return [None, OTHER] if can_be_another() else [None]


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


class Room:
    """A folder with a project, a home, and a place outside of both, for one user."""

    def __init__(self, user=None):
        self.user = user
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="migc-hostile-"))
        self.top.chmod(0o755)
        self.folder, self.home, self.outside = (self.top / n for n in ("project", "home", "outside"))
        for folder in (self.folder, self.home, self.outside):
            folder.mkdir()
        # The build may lie where another user cannot go.
        self.program = self.top / "migc"
        shutil.copy(MIGC, self.program)
        self.program.chmod(0o755)

    def write(self, name, content, folder=None):
        path = (folder or self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def read(self, name):
        return (self.folder / name).read_text()

    def link(self, name, target):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def hand_over(self):
        """Everything becomes the user's."""
        if self.user:
            subprocess.run(["chown", "-hR", f"{self.user}:", str(self.top)], check=True)

    def how(self, arguments, cwd, environment, user):
        """The command line, and where and with what it is started."""
        user = self.user if user == "the room's" else user
        become = ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"] if user else []
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
        return [*become, str(self.program), *arguments], {"cwd": cwd or self.folder, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT,
                                                          "env": {**keep, "HOME": str(self.home), "LANG": "C.UTF-8", **(environment or {})}}

    def start(self, *arguments, cwd=None, environment=None):
        """Without waiting for its end."""
        command, how = self.how(arguments, cwd, environment, "the room's")
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, **how)

    def migc(self, *arguments, cwd=None, stdin=None, environment=None, user="the room's", before=None, timeout=60):
        timeout *= PATIENCE
        command, how = self.how(arguments, cwd, environment, user)
        done = subprocess.run(command, input=stdin, stdin=None if stdin else subprocess.DEVNULL, timeout=timeout, preexec_fn=before, **how)
        done.text = done.stdout.decode("utf-8", "replace")
        return done

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)


def in_rooms(part):
    for user in users():
        print(f"\n== {part.__name__} as {user or 'who we are'}")
        room = Room(user)
        try:
            part(room)
        finally:
            room.remove()
