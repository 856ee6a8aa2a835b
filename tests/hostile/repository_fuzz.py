#!/usr/bin/env python3
"""Random repositories of an attacker's making: links out, to devices, in loops; odd names; configurations of git; migc.yaml and .migc in
every shape; mutated scripts. Over them every command that a reviewer or CI runs. A program of the repository's runs in none of them;
nothing outside is read into an output or written; no output acts on a terminal or a CI's log; nothing hangs, crashes or eats memory.

    MIGC=build/cli/migc repository_fuzz.py [--long] [--trees N] [--seconds S] [--seed S]

A tree that fails is told by its seed, and made again by `--seed S --trees 1`."""
import argparse, hashlib, json, os, pathlib, random, re, resource, shutil, signal, sqlite3, stat, subprocess, tempfile, time

from room import MIGC, PATIENCE, SANITIZED, SOURCE, check, finish

CANARY = "canary9f3e"
SECONDS = int(10 * PATIENCE)        # of computing, for one command
MEGABYTES = 1000

INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff9-\ufffb\ue000-\uf8ff]")
ODD = ["ok\n::stop-commands::x", "::add-mask::x", "\x1b]0;owned\x07x", "\u202egnp.x", "-rf", "--fix", "--write-baseline=x", "-", "a b", "'\"`$(touch x)", "x" * 251,
       "\udcff\udc80x", "##[add-path]x", "%0A::error::x", "\r\x1b[2K", "..x", "...", "a\tb", "\u200bx", "|x", "[x](http://evil.example)", "<script>x", "@octocat", "~root", "*", "{a,b}",
       "\x01\x02", "con", "a:b", "\u009b2J"]


def acted_on(text):
    found = [repr(m.group()) for m in INVISIBLE.finditer(text)]
    for line in text.split("\n"):
        bare = line.strip()
        if bare.startswith("::") and not bare.startswith("::: ") and not re.match(r"::(error|warning|notice) (file=[^:,]*,)?(line|title|endLine)", bare):
            found.append(line[:100])
        if re.search(r"##(vso|teamcity)?\[", line):
            found.append(line[:100])
    return found[:5]


class Place:
    """Made once for all trees: a home, an outside with things worth stealing, and programs that tell when they are run."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="migc-fuzz-"))
        self.home, self.outside, self.bin, self.trips = (self.top / n for n in ("home", "outside", "bin", "trips"))
        for folder in (self.home, self.outside, self.bin, self.trips):
            folder.mkdir()
        self.ran = self.top / "ran"
        # What a project may name: found on PATH, or by its path. None of it may ever run.
        for name in ("trip-tool", "trip-filter", "trip-hook", "trip-secret", "trip-exec", "trip-ssh"):
            self.trap(self.trips / name, name)
            self.trap(self.bin / name, name)
        # What migc itself may run when it plans, by name: they answer nothing, and tell that they were asked.
        for name in ("kubectl", "terraform", "docker", "curl", "helm", "dot"):
            self.trap(self.bin / name, "tool " + name)
        for name in ("git", "sh"):
            os.symlink(shutil.which(name), self.bin / name)
        for name, text in {"credentials": "token", ".netrc": "machine x password", "values.yaml": "password:", "script.mig": "let x =", "migc.yaml": "secrets:"}.items():
            (self.outside / name).write_text(f"{text} {CANARY}-{name} <\n")
        (self.home / ".netrc").write_text(f"machine x password {CANARY}-netrc\n")
        self.before = self.state()

    def trap(self, path, name):
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.ran}\nexit 1\n')
        path.chmod(0o755)

    def state(self):
        """All that lies outside of the project, and how."""
        result = {}
        for path in sorted([*self.outside.rglob("*"), *self.home.rglob("*"), *self.trips.rglob("*")]):
            if re.search(r"/home/\.(config|cache)(/migc|$)", str(path)):
                continue  # migc's own
            about = os.lstat(path)
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            result[str(path)] = (about.st_mode, about.st_size, about.st_mtime_ns, content)
        return result

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)


class Tree:
    def __init__(self, place, seed, scripts):
        self.place, self.random, self.scripts = place, random.Random(seed), scripts
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="project-", dir=place.top))
        self.named = []
        parts = [self.scripts_of_it, self.inventory, self.links, self.odd_names, self.git, self.state, self.nested]
        self.scripts_of_it()
        # A repository, by which one knows what is outside: a link of a plain folder that somebody names may lead anywhere.
        self.write(".git/HEAD", "ref: refs/heads/main\n")
        for part in self.random.sample(parts[1:], self.random.randint(1, len(parts) - 1)):
            try:
                part()
            except (OSError, ValueError, UnicodeError):
                pass  # the file system takes not every name, and a name may be taken

    def pick(self, *of):
        return self.random.choice(of)

    def path(self, name):
        path = self.folder / os.fsdecode(name.encode("utf-8", "surrogateescape"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name, text):
        path = self.path(name)
        if not path.exists() and not path.is_symlink():
            path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        return path

    def target(self):
        """Somewhere that a link should not lead."""
        outside = self.place.outside
        return self.pick(outside / "credentials", outside / "script.mig", outside / "values.yaml", outside / "migc.yaml", outside, outside / "made", "/dev/zero", "/dev/full", "/dev/tty",
                         "/proc/self/environ", "/proc/self/mem", "/proc/self/fd/0", "/etc/passwd", "/", "nowhere", self.folder, "..", "../..", "loop", ".git/config", self.place.home / ".netrc")

    # ---------------------------------------------------------- scripts

    def mutated(self, text):
        text = bytearray(text.encode("utf-8", "surrogateescape"))
        for _ in range(self.random.randint(0, 6)):
            if not text:
                break
            at = self.random.randrange(len(text))
            kind = self.random.randint(0, 5)
            if kind == 0:
                text[at] = self.random.randrange(256)
            elif kind == 1:
                del text[at:at + self.random.randint(1, 40)]
            elif kind == 2:
                text[at:at] = self.pick(b"<", b">", b";", b"\"", b"${", b"\x1b[2J", b"\n::error::x\n", b"\xff", b"(" * 50, b"\xe2\x80\xae", b"# migc: allow all because x\n", b"9" * 30)
            elif kind == 3:
                end = min(len(text), at + self.random.randint(1, 200))
                text[at:at] = text[at:end]
            elif kind == 4:
                other = self.pick(*self.scripts)[1].encode("utf-8", "surrogateescape")
                begin = self.random.randrange(len(other) + 1)
                text[at:at] = other[begin:begin + self.random.randint(0, 300)]
            else:
                text[at:at] = str(self.target()).encode()
        return bytes(text)

    def own_script(self):
        tool = self.pick("trip-tool", "./trip-tool", str(self.place.trips / "trip-tool"), "sh")
        reach = self.pick(*[str(self.target()) for _ in range(3)], "m.yaml", "link.yaml", "../outside/values.yaml", "a/../m.yaml").replace("\\", "").replace('"', "")
        words = json.dumps(self.pick(*ODD[:12], "x"), ensure_ascii=False)
        uses = "".join(f'use "{self.pick(reach, "b.mig", "a.mig", "link.mig", "../outside/script.mig", "/proc/self/environ", ".git/config", "sub/c.mig")}";\n' for _ in range(self.random.randint(0, 2)))
        steps = self.random.sample([
            f'apply "{reach}";', f'require value of "{reach}" at "/password" is "x";', "scale webapi to 4; verify replicas of webapi is 4;", f'set value of "{reach}" at "/a" to 1;',
            'verify level of "x" is 4;', "go now;", f'notify ops {words};', f'let v = value of "{reach}" at "/password"; notify ops v;', 'log in with token;', f'restore "{reach}" from "HEAD~1";',
            f'run program "{self.pick("./trip-tool", "trip-tool", reach)}";', f'let f = level of {words}; notify ops "${{f}}";', 'terraform plan as p; terraform apply p;', f'scale {self.pick("a", "webapi")} to 4;'], self.random.randint(1, 5))
        return (f'{uses}migration {words} < purpose {words}; >\n{self.pick("param token: secret;", "")}\n'
                f'tool box < program "{tool}"; >\nprobe level of (name: string): int < read box ["{self.pick("-c", "get")}", "touch {self.place.outside}/made"]; >\n'
                f'verb go now < do box ["go"]; undo none because {words}; >\nverb log in with (token: secret) < do box ["login"] stdin token; undo none because "x"; >\n'
                f'{self.pick("require level of " + words + " is 4;", "")}\nstage staging < {" ".join(steps)} > on failure undo;\n')

    def scripts_of_it(self):
        self.write("trip-tool", f'#!/bin/sh\necho "trip-tool $*" >> {self.place.ran}\n').chmod(0o755)
        self.write("m.yaml", "kind: Deployment\nmetadata: {name: webapi}\npassword: x\na: 1\n")
        for name in ("a.mig", "b.mig", "sub/c.mig"):
            kind = self.random.randint(0, 3)
            source = self.own_script() if kind < 2 else self.pick(*self.scripts)[1]
            self.write(name, self.mutated(source) if kind in (1, 3) else source)

    # ---------------------------------------------------------- migc.yaml

    def inventory(self):
        trip = self.place.trips
        kubeconfig = self.write("kube.yaml", "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
                                             f"users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {trip}/trip-exec, interactiveMode: Never}}}}}}]\n")
        lines = self.random.sample([
            "order: [staging]", f"environments:\n  staging: {{ kubeconfig: {self.pick('kube.yaml', kubeconfig, self.target())}, secrets: {{ token: {self.pick(f'{{ command: [{trip}/trip-secret] }}', f'{{ file: {self.target()} }}', '{ env: HOME }', '{ file: link.yaml }')} }} }}",
            f"notify: {{ ops: {{ url-file: {self.pick(self.target(), 'hook')} }} }}", "workloads: { webapi: deployment/x }", "services: &a { web: service/x }", "workloads: *a",
            f"approvers: {{ ops: {json.dumps(self.pick(*ODD))} }}", "checks: { O002: error, R003: { off: \"why\" } }", f"? {json.dumps(self.pick(*ODD))}\n: x", "a: &x [*x]", "<<: *y", "%YAML 9.9", "--- !!python/object:os.system",
            f"freezes: [{{ from: {json.dumps(self.pick(*ODD))}, to: x, zone: Europe/Berlin, why: {json.dumps(self.pick(*ODD))} }}]", f"project: {json.dumps(self.pick(*ODD))}",
            f"stores: {{ command: [{trip}/trip-secret] }}", f"tools: {{ kubectl: {trip}/trip-tool }}"], self.random.randint(1, 6))
        text = "\n".join(lines) + "\n"
        kind = self.random.randint(0, 9)
        name = self.pick("migc.yaml", "migc.yaml", "migc.yaml", "sub/migc.yaml")
        if kind == 0:
            os.symlink(self.target(), self.path(name))
        elif kind == 1:
            self.write(name, self.random.randbytes(200))
        elif kind == 2:
            self.write(name, self.mutated(text))
        else:
            self.write(name, text)

    # ---------------------------------------------------------- the file system

    def links(self):
        for name in self.random.sample(["link.mig", "link.yaml", "sub/l.mig", "loop", "a.mig.migc-new", "base.json", "plan.json", "out", "hook", "m2.yaml", "folder", "d.mig"], self.random.randint(1, 8)):
            kind = self.random.randint(0, 9)
            path = self.path(name)
            if kind == 0:
                os.mkfifo(path)
            elif kind == 1:
                path.mkdir(mode=self.pick(0o000, 0o755))
            elif kind == 2:
                self.write(name, "x" * 100).chmod(0o000)
            else:
                os.symlink(self.target(), path)
        if self.random.random() < 0.3:
            for name in ("a.mig", "b.mig"):
                self.path(name).unlink()
                os.symlink(self.target(), self.path(name))

    def odd_names(self):
        for name in self.random.sample(ODD, self.random.randint(1, 6)):
            if self.random.random() < 0.5:
                name += ".mig"
            if self.random.random() < 0.2:
                self.path(name).mkdir()
                self.write(name + "/x.mig", self.own_script())
            else:
                self.write(name, self.mutated(self.own_script()))
            self.named.append(name)

    def nested(self):
        for i in range(self.random.randint(1, 60)):
            self.write("/".join("d" * (i % 5 + 1)) + f"/n{i}.mig", self.pick(*self.scripts)[1])

    # ---------------------------------------------------------- git

    def git(self):
        trip = self.place.trips
        git = ["git", "-C", str(self.folder), "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if self.random.random() < 0.8:
            subprocess.run([*git, "init", "-q", "."], **quiet)
            subprocess.run([*git, "add", "-A"], **quiet, timeout=300)
            subprocess.run([*git, "commit", "-q", "-m", "x"], **quiet)
        config = "".join(self.random.sample([
            f'[core]\n\tfsmonitor = {trip}/trip-hook\n', f'[core]\n\thooksPath = {trip}\n', f'[core]\n\tsshCommand = {trip}/trip-ssh\n\tpager = {trip}/trip-hook\n\teditor = {trip}/trip-hook\n',
            f'[filter "x"]\n\tclean = {trip}/trip-filter\n\tsmudge = {trip}/trip-filter\n\tprocess = {trip}/trip-filter\n\trequired = true\n', f'[diff "x"]\n\ttextconv = {trip}/trip-filter\n\tcommand = {trip}/trip-filter\n',
            f'[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\tpromisor = true\n\turl = ext::{trip}/trip-ssh %S\n[protocol]\n\tallow = always\n', f'[include]\n\tpath = {self.place.outside}/credentials\n',
            f'[includeIf "gitdir:/"]\n\tpath = {self.folder}/more\n', f'[alias]\n\tstatus = !{trip}/trip-hook\n\tlog = !{trip}/trip-hook\n', f'[credential]\n\thelper = !{trip}/trip-hook\n',
            f'[core]\n\tworktree = {self.place.outside}\n', '[core]\n\tbare = true\n', f'[gpg]\n\tprogram = {trip}/trip-hook\n[log]\n\tshowSignature = true\n', '[core\n', f'[url "{CANARY}-url"]\n\tinsteadOf = x\n'], self.random.randint(1, 5)))
        path = self.path(".git/config")
        with open(path, "a") as file:
            file.write(config)
        self.write("more", f'[filter "x"]\n\tclean = {trip}/trip-filter\n')
        self.write(".gitattributes", "* filter=x diff=x\n")
        if self.random.random() < 0.2:
            self.write(".git/objects/info/alternates", f"{self.place.outside}\n")
        if self.random.random() < 0.2:
            shutil.rmtree(self.folder / ".git", ignore_errors=True)
            self.write(".git", f"gitdir: {self.pick(self.place.outside, '/proc/self', 'nowhere', '../..')}\n")
        for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"):
            if (self.folder / ".git/hooks").is_dir():
                shutil.copy(trip / "trip-hook", self.folder / ".git/hooks" / hook)
        if self.random.random() < 0.5:
            os.utime(self.folder / "m.yaml", (1, 1))

    # ---------------------------------------------------------- .migc

    def state(self):
        kind = self.random.randint(0, 6)
        if kind == 0:
            os.symlink(self.target(), self.path(".migc"))
            return
        self.path(".migc/runs/2026-01-01-1/x")
        run = ".migc/runs/2026-01-01-1"
        if kind == 1:
            self.write(".migc/journal.db", self.random.randbytes(4096))
        elif kind == 2:
            db = sqlite3.connect(self.path(".migc/journal.db"))
            db.execute(f"CREATE TABLE {self.pick('runs', 'history', 'events')} (id TEXT, a TEXT)")
            db.commit(), db.close()
        elif kind == 3:
            os.symlink(self.target(), self.path(".migc/journal.db"))
        elif kind == 4 and GOOD_STATE:
            shutil.rmtree(self.folder / ".migc")
            shutil.copytree(GOOD_STATE, self.folder / ".migc", symlinks=True)
        for name in self.random.sample([run + "/progress", run + "/undo-sheet.txt", run + "/inputs/a.mig", ".migc/locks/staging", ".migc/journal.db-wal", ".migc/approvals/a.json", run + "/log", ".migc/starting/x"], 4):
            if self.random.random() < 0.5:
                os.symlink(self.target(), self.path(name))
            else:
                self.write(name, self.pick(b"\x1b]0;x\x07", b"{}", self.random.randbytes(64), b"\n::error::x\n"))


GOOD_STATE = None


def state_of_a_run(place, scratch):
    """A .migc as a run leaves it, of a script that the attacker has run at home."""
    global GOOD_STATE
    folder = scratch / "run"
    folder.mkdir()
    (folder / "a.mig").write_text('tool box < program "trip-tool"; >\nverb go now < do box ["go"]; undo < go now; >; >\nstage staging < go now; > on failure hold;\n')
    (folder / "trip-tool").write_text("#!/bin/sh\n")
    (folder / "trip-tool").chmod(0o755)
    subprocess.run([MIGC, "run", "a.mig", "--allow-tools"], cwd=folder, env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(scratch), "LANG": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if (folder / ".migc").is_dir():
        GOOD_STATE = folder / ".migc"


def commands(tree):
    name = tree.random.choice(["a.mig", "a.mig", "b.mig", "link.mig", "sub/c.mig", "."] + tree.named)
    plain = "./" + name if name.startswith("-") else name
    everything = [
        ["check", "."], ["check", plain], ["check", "--format", tree.pick("github", "gitlab", "sarif", "json"), "."], ["check", "--json", plain], ["check", "--fix", plain], ["check", "--write-baseline", "base.json", "."],
        ["fmt", plain], ["fmt", "--check", "."], ["explain", plain], ["graph", plain], ["graph", plain, "--format", tree.pick("mermaid", "dot", "svg")], ["diff", "a.mig", plain], ["prove", plain],
        ["plan", plain], ["plan", "--digest", plain], ["plan", plain, "--markdown"], ["plan", plain, "--json"], ["plan", plain, "--save", "plan.json"], ["runs"], ["show", "last"], ["status"], ["sheet", "last"],
        ["doctor"], ["doctor", "--for", plain], ["ir", plain], ["verbs", plain], ["undo", "last"], ["resume", "last"], ["journal", "verify"], ["lsp"]]
    return tree.random.sample(everything, 9)


def session(tree):
    uri = (tree.folder / "a.mig").as_uri()
    try:
        text = (tree.folder / "a.mig").read_bytes()[:20000].decode("utf-8", "replace") if stat.S_ISREG(os.lstat(tree.folder / "a.mig").st_mode) else ""
    except OSError:
        text = ""

    def message(method, params, number=None):
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **({} if number is None else {"id": number})}).encode()
        return b"Content-Length: %d\r\n\r\n" % len(body) + body
    where = {"textDocument": {"uri": uri}, "position": {"line": tree.random.randint(0, 20), "character": tree.random.randint(0, 40)}}
    return b"".join([message("initialize", {"capabilities": {}, "rootUri": tree.folder.as_uri()}, 1), message("initialized", {}),
                     message("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "mig", "version": 1, "text": text}}), message("textDocument/hover", where, 2),
                     message("textDocument/completion", where, 3), message("textDocument/definition", where, 4), message("textDocument/formatting", {"textDocument": {"uri": uri}, "options": {}}, 5),
                     message("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}, "context": {"diagnostics": []}}, 6),
                     message("shutdown", None, 7), message("exit", None)])


def limited():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def judge(place, tree, words):
    place.ran.unlink(missing_ok=True)
    command = words[0]
    handed = [w.encode("utf-8", "surrogateescape") for w in [MIGC, *words]]
    environment = {"PATH": str(place.bin), "HOME": str(place.home), "LANG": "C.UTF-8", "TMPDIR": str(place.top), **{k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k}}
    try:
        done = subprocess.run(handed, cwd=tree.folder, input=session(tree) if command == "lsp" else b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, preexec_fn=limited, env=environment)
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        return [f"hangs: {(late.stdout or b'')[:200]}"]
    problems = []
    if code < 0 or code > 5:
        problems.append(f"exit code {code} ({signal.Signals(-code).name if code < 0 else ''})")
    try:
        text = output.decode()
    except UnicodeDecodeError:
        text = output.decode("utf-8", "replace")
        problems.append("its output is no UTF-8")
    if CANARY in text:
        at = text.index(CANARY)
        problems.append(f"reads outside: {text[max(0, at - 100):at + 60]!r}")
    if "root:x:0:" in text:
        problems.append("reads /etc/passwd")
    if command != "lsp" and acted_on(text):
        problems.append(f"an output that is acted on: {acted_on(text)}")
    if "std::" in text or "terminate called" in text or "internal error" in text:
        problems.append("an error of its own")
    for line in sorted(set(place.ran.read_text().splitlines())) if place.ran.exists() else []:
        name = line.split(" ")[0]
        # Which pictures are drawn, and what is there, its own tools are asked; by what only looks at texts, nothing.
        if name != "tool" or not (command in ("plan", "doctor") or (command == "graph" and line.startswith("tool dot"))):
            problems.append(f"runs {line[:200]}")
    if place.state() != place.before:
        problems.append(f"writes outside: {sorted(set(place.state().items()) ^ set(place.before.items()))[:4]}")
        place.before = place.state()
    if any((p / "made").exists() for p in (place.outside, place.top)):
        problems.append("makes a file outside")
    return [f"{p}\n      {text[-300:]!r}" if p.startswith(("exit", "an error")) else p for p in problems]


def corpus():
    found = []
    for top in ("examples", "tests/fuzz/corpus", "stdlib"):
        for path in sorted((SOURCE / top).rglob("*")):
            if path.is_file() and (path.suffix == ".mig" or "script" in str(path.parent)) and path.stat().st_size < 20_000:
                found.append((str(path), path.read_bytes().decode("utf-8", "surrogateescape")))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--trees", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--seed", type=int, default=14)
    given = parser.parse_args()
    trees = given.trees or (10_000 if given.long else 60)
    scripts = corpus()
    place = Place()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="migc-fuzz-state-"))
    bad, made, asked, began = {}, 0, 0, time.monotonic()
    try:
        state_of_a_run(place, scratch)
        subprocess.run([place.trips / "trip-hook", "x"], check=False)
        check("the tripwire is drawn", place.ran.read_text() == "trip-hook x\n")
        check("there are scripts to mutate, and a journal to bring along", len(scripts) > 10 and GOOD_STATE is not None)
        for seed in range(given.seed, given.seed + trees):
            if given.seconds and time.monotonic() - began > given.seconds:
                break
            tree = Tree(place, seed, scripts)
            for words in commands(tree):
                asked += 1
                for problem in judge(place, tree, words):
                    kind = f"{words[0]}: {problem.splitlines()[0][:60]}"
                    bad.setdefault(kind, []).append(f"  seed {seed}: {words!a}: {problem}")
            subprocess.run(["chmod", "-R", "u+rwx", str(tree.folder)], stderr=subprocess.DEVNULL)
            shutil.rmtree(tree.folder, ignore_errors=True)
            made += 1
    finally:
        place.remove()
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{made} trees, {asked} commands, {time.monotonic() - began:.0f} s")
    check("trees were made", made > 0)
    for kind, which in bad.items():
        check(f"{kind} ({len(which)} times)", False, "\n".join(which[:3]))
    check("nothing runs, nothing outside is read or written, nothing ends without an answer", not bad)
    finish()


main()
