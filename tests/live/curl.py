#!/usr/bin/env python3
"""curl against a server on loopback: status, JSON, messages, hostile values."""
import http.server, json, pathlib, signal, subprocess, sys, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, need, wait_for

need("curl")
posted = []


class Handler(http.server.BaseHTTPRequestHandler):
    statuses = {"/health": 200, "/broken": 503}
    flaky = 0

    def do_GET(self):
        status = self.statuses.get(self.path, 404)
        if self.path == "/late":  # well from the third request on
            Handler.flaky += 1
            status = 200 if Handler.flaky > 2 else 503
        body = json.dumps({"status": "up", "replicas": 4}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
project = Project(**{
    "migc.yaml": "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none }\nnotify:\n  ops: { url-file: hook }\n",
    "hook": f"{base}/hook\n",
    "good.mig": f"""
let health = "{base}/health";
stage staging <
    verify http get health 10 times is 200;
    verify http get "{base}/late" is 200 within 30s;
    verify json of health at "/replicas" is 4;
    notify ops "it's done; \\"really\\" $(touch pwned) `touch pwned`";
> on failure undo;
""",
    "bad.mig": f'stage staging < verify http get "{base}/broken" is 200 within 2s; > on failure < undo; notify ops "failed"; >\n',
    "nobody.mig": 'stage staging < verify http get "http://127.0.0.1:9/" is 200 within 2s; > on failure undo;\n',
})
check("a healthy server passes", project.migc("run", "good.mig").returncode == 0)
check("the message arrives as it is", posted and json.loads(posted[0])["text"] == "it's done; \"really\" $(touch pwned) `touch pwned`", str(posted))
check("no shell has read it", not (project.folder / "pwned").exists())
done = project.migc("run", "bad.mig")
check("a broken server fails the stage", done.returncode == 1, done.stdout)
check("with its status", "503" in done.stdout)
check("the failure block goes on after the undo", len(posted) == 2 and "failed" in posted[1], str(posted))
done = project.migc("run", "nobody.mig")
check("an address without a server fails and says so", done.returncode == 1 and "could not be found out" in done.stdout, done.stdout)
project.write("hook", "http://127.0.0.1:9/canary\n")
done = project.migc("run", "good.mig")
check("a message that does not arrive is told, and fails nothing", done.returncode == 0 and "not said in ops" in done.stdout and "canary" not in done.stdout, done.stdout)
project.write("hook", f"{base}/hook\n")
events = project.migc("show", "last", "--json").stdout
check("the secret address is in no record", f"{base}/hook" not in events and f"{base}/hook".encode() not in (project.folder / ".migc/journal.db").read_bytes())

# One at a time.
project.write("slow.mig", f'stage staging < verify http get "{base}/broken" is 200 within 20s; > on failure undo;\n')
slow = project.start("run", "slow.mig", stdout=subprocess.DEVNULL)
wait_for("the slow run", lambda: "slow.mig" in (project.folder / ".migc/locks/staging").read_text())
for command in (["undo", "last"], ["run", "good.mig"]):
    done = project.migc(*command)
    check(f"`{command[0]}` is refused while a run is under way", done.returncode in (2, 5) and "slow.mig" in done.stdout, done.stdout)
# Before the run is begun, an interrupt ends migc like any other program: there is nothing to hold.
wait_for("the run to begin", lambda: '"run":""' not in (project.folder / ".migc/locks/staging").read_text())
slow.send_signal(signal.SIGINT)
check("Ctrl-C ends it, held", slow.wait(timeout=30) == 3)
check("and then the next may run", project.migc("run", "good.mig").returncode == 0)
project.remove()
finish()
