#!/usr/bin/env python3
"""A tool that was given a secret repeats it, in every form in which tools do, on both of its outputs, with success and without. In
nothing that migc shows, keeps or sends stands a part of it: terminal, JSON, journal and everything else in .migc, transcript, sheet,
messages to people. What is no secret stays readable.

    MIGC=build/cli/migc redaction.py"""
import http.server, os, shutil, subprocess, sys, threading

from room import Room, allowed, check, finish, users

SECRET = 'Tr0ub4dor&3/"horse" \\staple+Batterie\u00e9=x'
BOX = r"""#!/usr/bin/env python3
import sys
sys.path.insert(0, %(here)r)
from ways import WAYS
kept = %(state)r + "/kept"
if sys.argv[1] == "login":
    secret = sys.stdin.buffer.read().decode().rstrip("\n")
    open(kept, "w").write(secret)
    for name, way in WAYS.items():
        for out in (sys.stdout, sys.stderr):
            print("way", name + ":\n" + way(secret), file=out)
    print("login: unauthorized: incorrect username or password", file=sys.stderr)
    sys.exit(int(open(%(state)r + "/code").read()))
secret = open(kept).read()
if sys.argv[1] == "last":       # the last thing it says is what is told of a failure
    sys.stderr.write("rejected " + WAYS[sys.argv[2]](secret))
    sys.exit(1)
if sys.argv[1] == "quiet":      # it complains on the wrong output
    sys.stdout.write("rejected " + WAYS[sys.argv[2]](secret))
    sys.exit(1)
if sys.argv[1] == "long":       # what is shown of it is cut off in the midst of the secret
    sys.stderr.write("rejected " + "x" * int(sys.argv[2]) + " " + secret)
    sys.exit(1)
if sys.argv[1] == "slow":       # in two writes
    import time
    sys.stderr.write("rejected " + secret[:10]); sys.stderr.flush(); time.sleep(0.2)
    sys.stderr.write(secret[10:])
    sys.exit(1)
if sys.argv[1] == "loud":       # so much that only its end is kept
    sys.stderr.write((secret + " ") * 20000)
    sys.exit(1)
if sys.argv[1] == "echo":
    # The undo of a run whose secret hides nothing, as a word of the script, comes with that word as the way.
    sys.stdout.write(WAYS.get(sys.argv[2], lambda s: s)(secret))
"""
WAYS = r'''
import base64, html, json, textwrap, urllib.parse
def each(form): return lambda s: "".join(form % byte for byte in s.encode())
def dump(s):
    data = b"password: " + s.encode()
    lines = []
    for at in range(0, len(data), 16):
        part = data[at:at + 16]
        lines.append("%08x: %-39s  %s" % (at, " ".join(part[i:i + 2].hex() for i in range(0, len(part), 2)), "".join(chr(c) if 32 <= c < 127 else "." for c in part)))
    return "\n".join(lines)
def b64(data): return base64.b64encode(data.encode()).decode()
WAYS = {
    "plain": lambda s: s,
    "upper": lambda s: s.upper(),
    "lower": lambda s: s.lower(),
    "url": lambda s: urllib.parse.quote(s, safe=""),
    "form": lambda s: urllib.parse.quote_plus(s),
    "percent": each("%%%02x"),
    "json": lambda s: json.dumps({"password": s}),
    "json-utf8": lambda s: json.dumps({"password": s}, ensure_ascii=False),
    "json-twice": lambda s: json.dumps(json.dumps({"password": s})),
    "html": lambda s: html.escape(s),
    "entities": lambda s: "".join("&#%d;" % ord(c) for c in s),
    "entities-hex": lambda s: "".join("&#x%x;" % ord(c) for c in s),
    "python": lambda s: repr(s),
    "bytes": lambda s: repr(s.encode()),
    "hex": each("%02x"),
    "hex-upper": each("%02X"),
    "hex-colons": each("%02x:"),
    "xxd": dump,
    "base64": b64,
    "base64-user": lambda s: b64("user:" + s),
    "base64-users": lambda s: b64("users:" + s),
    "base64-json": lambda s: b64(json.dumps({"auths": {"registry": {"password": s}}})),
    "base64-url": lambda s: base64.urlsafe_b64encode(("kim:" + s).encode()).decode().rstrip("="),
    "base64-twice": lambda s: b64(json.dumps({"auth": b64("user:" + s)})),
    "base64-76": lambda s: "\n".join(textwrap.wrap(b64("a long story before the password, which is: " + s), 76)),
    "base64-64": lambda s: "\n    ".join(textwrap.wrap(b64("a long story before: " + s), 64)),
    "lines": lambda s: "\n".join(s[i:i + 5] for i in range(0, len(s), 5)),
    "colours": lambda s: "\x1b[31m".join(s[i:i + 3] for i in range(0, len(s), 3)),
    "shell": lambda s: "".join(c if c.isalnum() else "\\" + c for c in s),
}
'''
SCRIPT = r"""migration "Redaction" < purpose "none of it is shown"; >
param token: secret;
tool box < program "box"; >
probe echo of (way: string): string < read box ["echo", way]; >
verb log in with (token: secret) < do box ["login"] stdin token; undo none because "a session ends"; >
verb remember (way: string) < capture old = echo of way; do box ["echo", way]; undo remember old; >
verb complain by (how: string) in (way: string) < do box [how, way]; undo none because "words"; >
"""
STAGE = "stage staging <\n    log in with token;\n%s> on failure hold;\n"
YAML = """order: [staging]
environments:
  staging: { secrets: { token: { file: token } } }
notify: { ops: { url-file: hook } }
"""


def windows(text, size=8):
    return {text[i:i + size] for i in range(len(text) - size + 1)}


def loot():
    """Every part of every form that says something of the secret."""
    there = {}
    exec(WAYS, there)
    parts = {}
    other = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
    for name, way in there["WAYS"].items():
        own = way(SECRET)
        # A part that says what it would say of anything is none; nor is one across lines, which come out one by one.
        neutral = windows(way("")) | windows(way(other)) | windows(way("\u00ff" * 9))
        found = {w for w in windows(own) if not any(c in w for c in "\n\x1b \\") and len(set(w)) > 3} - neutral
        # The first line of a wrapped text goes up to where the secret begins.
        parts[name] = found if name not in ("xxd",) else {w for w in windows(SECRET, 6)}
    parts["itself"] = windows(SECRET, 6)
    return parts


PARTS = loot()


def clean(what, text):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    found = [f"{name}: {sorted(w for w in parts if w in text)[:3]}" for name, parts in PARTS.items() if any(w in text for w in parts)]
    check(f"{what}: nothing of it", not found, "\n".join(found) + "\n" + text[:6000])


class Hook(http.server.BaseHTTPRequestHandler):
    said = []

    def do_POST(self):
        Hook.said.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def set_up(room, port):
    state = room.top / "state"
    state.mkdir()
    room.write("code", "0", state)
    room.write("ways.py", WAYS, state)
    room.write("bin/box", BOX % {"here": str(state), "state": str(state)}, room.top).chmod(0o755)
    room.write("token", SECRET)
    room.write("hook", f"http://127.0.0.1:{port}/canary-hook-4711-address\n")
    room.write("migc.yaml", YAML)
    room.hand_over()
    return state


def run(room, name, steps, *arguments):
    path = room.write(name, SCRIPT + STAGE % "".join(f"    {step};\n" for step in steps))
    if room.user:
        subprocess.run(["chown", room.user, str(path)], check=True)
    return room.migc(*allowed(["run", name, *arguments]), environment={"PATH": f"{room.top}/bin:{os.environ['PATH']}"})


def kept(room, what):
    for path in sorted((room.folder / ".migc").rglob("*")):
        if path.is_file():
            clean(f"{what}: {path.relative_to(room.folder)}", path.read_bytes())


def shown(room, what):
    for words in (["show", "last"], ["show", "last", "--json"], ["runs"], ["status"], ["sheet", "last"]):
        clean(f"{what}: {' '.join(words)}", room.migc(*words).stdout)


def everywhere(room, port):
    state = set_up(room, port)
    environment = {"PATH": f"{room.top}/bin:{os.environ['PATH']}"}
    there = {}
    exec(WAYS, there)
    # All of it, with success.
    ways = [way for way in there["WAYS"] if way not in ("lines", "colours")]
    steps = [f'let v{i} = echo of "{way}"; notify ops "it says ${{v{i}}}"' for i, way in enumerate(ways)] + ['remember "url"', 'remember "base64-user"']
    done = run(room, "well.mig", steps, "--record", "transcript")
    check("the run goes well", done.returncode == 0, done.text)
    clean("terminal", done.stdout)
    clean("transcript", (room.folder / "transcript").read_bytes())
    kept(room, "well")
    shown(room, "well")
    check("each message was sent", len(Hook.said) == len(ways), str(len(Hook.said)))
    clean("messages to people", b"\n".join(Hook.said))
    check("nor the channel's address is kept", b"canary-hook" not in b"".join(p.read_bytes() for p in (room.folder / ".migc").rglob("*") if p.is_file()))
    clean("as JSON", run(room, "json.mig", steps[:12], "--json").stdout)
    run(room, "again.mig", ['remember "base64-user"'])
    undone = room.migc(*allowed(["undo", "last"]), environment=environment)
    clean("undo", undone.stdout)
    check("what was taken out is not put back as (secret)", undone.returncode == 3 and "held a secret" in undone.text, undone.text)
    kept(room, "undone")
    # It fails, and says why in each form.
    (state / "code").write_text("1")
    done = run(room, "fails.mig", [], "--record", "transcript2")
    check("it fails", done.returncode != 0, done.text)
    clean("a failure", done.stdout)
    check("and says why", "unauthorized: incorrect username or password" in done.text, done.text)
    clean("its transcript", (room.folder / "transcript2").read_bytes())
    kept(room, "failed")
    (state / "code").write_text("0")
    for how, way in [(how, way) for way in there["WAYS"] for how in ("last", "quiet")] + [("long", str(n)) for n in (360, 385, 980, 990)] + [("slow", "x"), ("loud", "x")]:
        done = run(room, "complains.mig", [f'complain by "{how}" in "{way}"'])
        clean(f"{how} in {way}", done.stdout)
        check(f"{how} in {way}: what is no secret is told", done.returncode != 0 and ("rejected" in done.text or how == "loud" or "\n" in there["WAYS"].get(way, str)(SECRET)), done.text)
    kept(room, "complaints")
    shown(room, "complaints")


def of_few_letters(room, port):
    """Words that are passwords all the same: the journal goes on to be read, and the run is undone."""
    for secret in ("true", "stage", "passed", "1234", "staging", "secret", "(secret)", "0000", "aaaa"):
        room.folder.rename(room.top / f"project-{secret}") if room.folder.exists() else None
        room.folder.mkdir()
        shutil.rmtree(room.top / "state", ignore_errors=True)
        set_up(room, port)
        room.write("token", secret)
        room.hand_over()
        done = run(room, "a.mig", ['remember "plain"'])
        check(f"with {secret} as the secret it runs", done.returncode == 0, done.text)
        done = room.migc(*allowed(["undo", "last"]), environment={"PATH": f"{room.top}/bin:{os.environ['PATH']}"})
        check(f"with {secret} as the secret it is undone, or held with a word", done.returncode in (0, 3), done.text)
        check(f"with {secret} as the secret it is shown", "log in with" in room.migc("show", "last").text)


def without_core_dumps(room, port):
    state = set_up(room, port)
    room.write("bin/box", f"#!/bin/sh\ncat > /dev/null\nulimit -c > {state}/limit\nulimit -H -c >> {state}/limit\n"
                          f"grep -i dumpable /proc/$PPID/status >> {state}/limit\nls -ld /proc/$PPID/environ >> {state}/limit\n", room.top)
    room.hand_over()
    before = subprocess.run(["sh", "-c", "ulimit -c"], capture_output=True, text=True).stdout
    done = run(room, "a.mig", [])
    limits = (state / "limit").read_text().splitlines()
    check(f"a tool that gets a secret leaves no core dump (limit {before.strip()} before)", limits[:2] in (["1", "1"], ["0", "0"]), str(limits))
    check("nor does migc, whose memory nobody else reads", limits[-1].split()[2] == "root", str(limits))
    check("and the run goes well", done.returncode == 0, done.text)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
for part in (everywhere, of_few_letters, without_core_dumps):
    for user in users():
        if sys.argv[1:] and part.__name__ not in sys.argv[1:]:
            continue
        print(f"\n== {part.__name__} as {user or 'who we are'}")
        Hook.said.clear()
        room = Room(user)
        try:
            part(room, server.server_address[1])
        finally:
            room.remove()
finish()
