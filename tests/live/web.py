#!/usr/bin/env python3
"""Requests that change something, secrets, latency and load, against a server on loopback that counts what it is asked."""
import hashlib, http.server, json, os, pathlib, signal, stat, subprocess, sys, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, need, wait_for

need("curl")
SECRET = "Bearer canary-5e8d1c"


class Store(http.server.BaseHTTPRequestHandler):
    """Documents with ETags; what is under /cut/ is done, and then the connection is cut; /plain/ has no ETags."""
    protocol_version = "HTTP/1.1"
    documents, asked, seen = {}, [], []
    lock = threading.Lock()
    slow_every = 0
    meanwhile = None  # (path, so many GETs, body or None): what somebody else then writes or removes

    def etag(self):
        return '"' + hashlib.sha256(self.documents[self.path]).hexdigest()[:12] + '"'

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one(self):
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        with self.lock:
            self.asked.append((self.command, self.path))
            self.seen.append((dict(self.headers), body))
            number = len(self.asked)
        if self.path.startswith("/cut/"):
            self.connection.shutdown(2)
            self.close_connection = True
            return None
        if self.path == "/late":
            time.sleep(0.25 if number % 10 == 0 else 0.005)
            return self.answer(200, b"ok")
        if self.path == "/secret":
            return self.answer(200 if self.headers.get("Authorization") == SECRET else 401, b"you sent " + self.headers.get("Authorization", "nothing").encode())
        if self.path == "/moved":
            return self.answer(302, Location="http://127.0.0.1:9/")
        if self.path == "/gateway":
            return self.answer(504)
        return self.document(body)

    def document(self, body):
        self.stored(body)
        if self.command == "GET" and Store.meanwhile and Store.meanwhile[0] == self.path:
            path, left, others = Store.meanwhile
            Store.meanwhile = (path, left - 1, others) if left > 1 else None
            if left == 1 and others is None:
                self.documents.pop(path, None)
            elif left == 1:
                self.documents[path] = others

    def stored(self, body):
        there = self.path in self.documents
        match = self.headers.get("If-Match")
        etags = not self.path.startswith("/plain/")
        if (match and (not there or match != self.etag())) or (self.headers.get("If-None-Match") == "*" and there):
            return self.answer(412)
        if self.command == "POST":
            self.documents[f"{self.path}/1"] = body
            return self.answer(201, b'{"id": 1}')
        if self.command == "PUT":
            self.documents[self.path] = body
            return self.answer(204 if there else 201)
        if not there:
            return self.answer(404)
        if self.command == "DELETE":
            del self.documents[self.path]
            return self.answer(204)
        self.answer(200, self.documents[self.path], Content_Type="application/json", **({"ETag": self.etag()} if etags else {}))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = lambda self: self.handle_one()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


server = Server(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
hostile = "it's \"x\"; $(touch pwned) `touch pwned` %{http_code} \\n {a,b}[1-2] -x\tü"
project = Project(**{
    "migc.yaml": "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none }\n",
    ".secrets/token": SECRET + "\n",
    "body.json": json.dumps({"text": hostile + "\nnext line"}),
})


def started():
    return {"/items/a": b'{"x": 1, "kept": true}', "/items/b": b'{"z": 3}', "/plain/c": b"plain text"}


def run(name, steps, *arguments, failure="on failure undo"):
    project.write(name, f"stage staging <\n{steps}\n> {failure};\n")
    Store.asked.clear(), Store.seen.clear()
    return project.migc("run", name, *arguments)


# Put, post, delete, and their way back.
changes = f"""
    http put "{base}/items/a" with json "{{\\"x\\": 5}}";
    http put "{base}/items/new" with body "body.json";
    http put "{base}/plain/c" with body "body.json" with header "Content-Type: text/plain";
    http delete "{base}/items/b";
    http post "{base}/items/p" with body "body.json" expecting 201 as made undo < http delete "{base}/items/p/1"; >;
    verify json of "{base}/items/a" at "/x" is 5;
    verify http head "{base}/items/b" is 404;
"""
Store.documents.update(started())
done = run("good.mig", changes)
check("all changes are done", done.returncode == 0, done.stdout)
check("and their result is told", 'made = {"id":1}' in done.stdout)
sent = json.loads(project.read("body.json"))
check("a body arrives byte for byte", Store.documents["/items/p/1"] == project.read("body.json").encode() and json.loads(Store.documents["/items/new"]) == sent)
check("no shell has read it", not (project.folder / "pwned").exists())
check("a post is made once", [a for a in Store.asked if a[0] == "POST"] == [("POST", "/items/p")])
types = [h.get("Content-Type") for (h, _), (method, _) in zip(Store.seen, Store.asked) if method in ("PUT", "POST")]
check("with the type of its content, or the one that it names", types == ["application/json", "application/json", "text/plain", "application/json"], str(types))
conditions = [h.get("If-Match") or h.get("If-None-Match") for h, _ in Store.seen if h.get("If-Match") or h.get("If-None-Match")]
check("put and delete are conditional where there are ETags", len(conditions) == 3 and conditions[1] == "*", str(conditions))
done = project.migc("undo", "last")
check("an undo later", done.returncode == 0, done.stdout)
check("restores every document", Store.documents == started(), str(Store.documents))
done = run("bad.mig", changes + f'    verify http get "{base}/items/zzz" is 200 within 1s;')
check("a later failure undoes all", done.returncode == 1 and Store.documents == started(), f"{done.stdout}{Store.documents}")

# Somebody else.
run("good.mig", changes)
Store.documents["/items/a"] = b'{"x": 5, "kept": "by somebody else"}'
done = project.migc("undo", "last")
check("what somebody else has changed since is left", done.returncode == 3 and "somebody changed" in done.stdout and Store.documents["/items/a"] == b'{"x": 5, "kept": "by somebody else"}', done.stdout)
check("and the others are put back", Store.documents["/items/b"] == started()["/items/b"] and "/items/new" not in Store.documents)
Store.documents.clear()
Store.documents.update(started())

# Somebody else, at each moment: with ETags the server says no, without them it is looked at directly before.
def beside(name, steps, path, gets, others, *, undo=False):
    """Somebody writes `others` after so many GETs of the run, or of its undo."""
    Store.documents.clear()
    Store.documents.update(started())
    if not undo:
        Store.meanwhile = (path, gets, others)
        return run(name, steps)
    run(name, steps)
    Store.meanwhile = (path, gets, others)
    return project.migc("undo", "last")


theirs = b'{"x": 5, "by": "somebody else"}'
for path in ("/items/a", "/plain/c", "/items/fresh", "/plain/fresh"):
    there = path in started()
    steps = [f'    http put "{base}{path}" with json "{{\\"x\\": 5}}";'] + ([f'    http delete "{base}{path}";'] if there else [])
    for number, step in enumerate(steps):
        word = ("put", "delete")[number]
        Store.documents.clear()
        Store.documents.update(started())
        run("alone.mig", step)
        asked = [method for method, asked_path in Store.asked if asked_path == path]
        looks = next(i for i, method in enumerate(asked) if method != "GET")  # the last is directly before, where there is no ETag
        done = beside("meanwhile.mig", step, path, looks - (not there or path.startswith("/plain/")), theirs)
        check(f"{word} {path}: what somebody writes between our look and our write stays, though it says the same", done.returncode != 0 and Store.documents.get(path) == theirs, f"{done.stdout}{Store.documents}")
        check(f"{word} {path}: and is not undone", project.migc("undo", "last").returncode in (0, 3) and Store.documents.get(path) == theirs)
        for gets in (1, 2):
            done = beside("after.mig", step, path, gets, theirs, undo=True)
            check(f"{word} {path}: nor what somebody writes at GET {gets} of the undo", done.returncode == 3 and Store.documents.get(path) == theirs, f"{done.stdout}{Store.documents}")
Store.meanwhile = None
Store.documents.clear()
Store.documents.update(started())

# Answers that are lost.
done = run("cut.mig", f'    http post "{base}/cut/x" with json "{{}}" undo < http delete "{base}/items/p/1"; > retry 3 every 1s;')
check("a post whose answer is lost is in doubt", done.returncode == 4 and "in doubt" in done.stdout and "whether the server acted is not known" in done.stdout, done.stdout)
check("and is made once", [a for a in Store.asked if a[0] != "GET"] == [("POST", "/cut/x")], str(Store.asked))
done = run("gateway.mig", f'    http post "{base}/gateway" undo none because "nothing lasts";')
check("so is one that a gateway lost, unless nothing lasts", done.returncode == 1 and "504" in done.stdout and len(Store.asked) == 1, done.stdout)
done = run("nobody.mig", '    http post "http://127.0.0.1:9/" undo < http delete "http://127.0.0.1:9/1"; >;')
check("what was never sent has failed", done.returncode == 1 and "nothing was sent" in done.stdout, done.stdout)
done = run("moved.mig", f'    verify http get "{base}/moved" is 200 within 1s;')
check("redirects are told, not followed", done.returncode == 1 and "http://127.0.0.1:9/; redirects are not followed" in done.stdout, done.stdout)

# A secret: curl itself is watched.
tools = project.folder / "tools"
tools.mkdir()
(tools / "curl").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {project.folder}/argv\nenv >> {project.folder}/argv\nexec /usr/bin/curl "$@"\n')
(tools / "curl").chmod(0o755)
project.write("secret.mig", f"""stage staging <
    verify http get "{base}/secret" with header "Authorization" from file ".secrets/token" is 200;
    let echoed = body of "{base}/secret" with header "Authorization" from file ".secrets/token";
    http put "{base}/items/s" with json "{{}}" with header "Authorization" from file ".secrets/token";
    http post "{base}/secret" with header "Authorization" from file ".secrets/token" as answer undo none because "nothing lasts";
    verify http get "{base}/secret" is 200 within 1s;
> on failure undo;
""")
done = project.migc("run", "secret.mig", "--record", "transcript", environment={"PATH": f"{tools}:{os.environ['PATH']}"})
check("a header from a file is sent", done.returncode == 1 and "http get" in done.stdout and "is 401" in done.stdout, done.stdout)
shown = project.migc("show", "last", "--json").stdout
secret = b"canary-5e8d1c"
places = {"the output": done.stdout.encode(), "migc show": shown.encode(), "argv or environment": (project.folder / "argv").read_bytes()}
places.update({str(p.relative_to(project.folder)): p.read_bytes() for p in project.folder.rglob("*") if p.is_file() and p.name != "token"})
check("and is nowhere else", not [name for name, content in places.items() if secret in content], str([name for name, content in places.items() if secret in content]))
check("even where the server repeats it", "you sent (secret)" in shown)
check("an inverse has it again", any(m == "DELETE" for m, _ in Store.asked) and "/items/s" not in Store.documents)
modes = {stat.S_IMODE(p.stat().st_mode) for p in (project.folder / ".migc/runs").rglob("*.json")}
check("what a run keeps is for its owner only", modes <= {0o600}, str(modes))

# Latency and load.
done = run("latency.mig", f'    verify latency p50 of "{base}/late" over 40 requests below 150ms;\n    verify latency p99 of "{base}/late" over 40 requests below 150ms within 3s;')
check("a percentile of the latency holds, a higher one does not", done.returncode == 1 and "latency p99" in done.stdout.split("undo stage")[0].splitlines()[-1], done.stdout)
done = run("load.mig", f"""
    load test "{base}/late" at 40 per second for 3s as report;
    verify requests in report is 120;
    verify error rate in report below 1%;
    verify latency p50 in report below 150ms;
    verify latency p99 in report above 150ms;
""")
check("a load test reports what it made", done.returncode == 0, done.stdout)
check("neither more nor less", len(Store.asked) == 120, str(len(Store.asked)))
done = run("missing.mig", f'    load test "{base}/items/none" at 20 per second for 2s as report;\n    verify error rate in report below 1%;')
check("and its errors", done.returncode == 1 and "100%" in done.stdout, done.stdout)
project.write("long.mig", f'stage staging < load test "{base}/late" at 5 per second for 10m; > on failure undo;\n')
long = project.start("run", "long.mig", stdout=subprocess.DEVNULL)
Store.asked.clear()
wait_for("the load test", lambda: len(Store.asked) > 5)
long.send_signal(signal.SIGINT)
check("Ctrl-C ends a load test soon", long.wait(timeout=15) in (0, 3))
project.remove()
finish()
