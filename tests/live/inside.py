#!/usr/bin/env python3
"""Requests from inside a real cluster, to a server on this host that pods can reach: secrets, changes, load. See
cluster.py for which cluster."""
import http.server, json, os, pathlib, subprocess, sys, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, kubectl, make_namespace
from harness import Project, check, finish, skip

# Which of this machine's addresses pods reach, only the cluster's maker knows; usually one of the pods' own network.
addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
host = os.environ.get("HOST_FOR_PODS") or next((a for a in addresses if a.startswith("10.")), addresses[0])
documents, asked, secrets = {"/a": b'{"x": 1}'}, [], []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_ANY(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked.append((self.command, self.path))
        secrets.append(self.headers.get("Authorization"))
        status, answer = 200, b"ok"
        if self.path == "/cut":
            return self.connection.shutdown(2)
        if self.path in ("/a", "/b"):
            status, answer = (200, documents.get(self.path, b"")) if self.path in documents else (404, b"")
            if self.command == "PUT":
                status, answer = 204, b""
                documents[self.path] = body
            if self.command == "DELETE":
                status = 204 if documents.pop(self.path, None) is not None else 404
        self.send_response(status)
        self.send_header("Content-Length", "0" if status == 204 else str(len(answer)))
        self.end_headers()
        if status != 204 and self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_ANY

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


try:
    server = Server((host, 0), Handler)
except OSError:
    skip(f"this machine has not the address {host}")
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://{host}:{server.server_port}"
namespace = f"migc-{os.getpid()}-inside"
make_namespace(namespace)
project = Project(**{
    "migc.yaml": f"order: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {namespace} }}\n",
    "token": "Bearer canary-77aa01\n",
    "body.json": json.dumps({"text": "\"; $(touch pwned) $(HOSTNAME) `id` \\ü\n"}),
})


def run(steps, *arguments):
    project.write("x.mig", f"stage staging <\n{steps}\n> on failure undo;\n")
    asked.clear(), secrets.clear()
    return project.migc("run", "x.mig", *arguments)


done = run(f"""
verify http get "{base}/ok?$(HOSTNAME)" from inside 10 times is 200;
verify body of "{base}/ok" from inside with header "Authorization" from file "token" is "ok";
verify latency p95 of "{base}/ok" from inside over 50 requests below 1s;
""", "--record", "transcript")
check("probes from inside", done.returncode == 0, done.stdout)
check("as often as they say", len(asked) == 61 and asked[0] == ("GET", "/ok?$(HOSTNAME)"), str(asked[:3]))
check("with a header that is a secret", secrets[10] == "Bearer canary-77aa01", str(secrets[8:12]))
check("and is written down nowhere", not [p for p in project.folder.rglob("*") if p.is_file() and p.name != "token" and b"canary" in p.read_bytes()])
done = run(f"""
http put "{base}/a" from inside with body "body.json";
http put "{base}/b" from inside with json "{{}}";
http post "{base}/ok" from inside with body "body.json" undo none because "nothing lasts";
verify json of "{base}/a" at "/text" from inside is "nothing" within 1s;
""")
check("changes from inside are undone", done.returncode == 1 and documents == {"/a": b'{"x": 1}'}, f"{done.stdout}{documents}")
check("a post is made once", asked.count(("POST", "/ok")) == 1, str(asked))
done = run(f'    http post "{base}/cut" from inside undo < http delete "{base}/b"; >;')
check("a post whose answer is lost is in doubt", done.returncode == 4 and [a for a in asked if a[0] != "GET"] == [("POST", "/cut")], f"{done.stdout}{asked}")
done = run(f'    load test "{base}/ok" at 20 per second for 4s from inside as report;\n    verify error rate in report below 1%;\n    verify requests in report is 80;')
check("a load test from inside", done.returncode == 0 and len(asked) == 80, f"{done.stdout}{len(asked)}")
project.write("migc.yaml", project.read("migc.yaml") + "inside-image: example.invalid/no/such:1\n")
done = run(f'    verify http get "{base}/ok" from inside is 200 within 5s;')
check("without an image it is told why", done.returncode == 1 and "did not run" in done.stdout and not asked, done.stdout)
left = kubectl("get", "pods", "-n", namespace, "-l", "app.kubernetes.io/managed-by=migc", "-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.deletionTimestamp}{'\\n'}{end}")
check("no pod stays", all(len(line.split()) == 2 for line in left.splitlines()), left)
project.remove()
finish()
