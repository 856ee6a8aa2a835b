#!/usr/bin/env python3
"""docker with registries, all private to this test: build, tag, push, and the tag that comes back by its digest."""
import base64, crypt, json, os, shutil, subprocess

from engine import LIST, ONE, Engine
from support import MIGC, Project, check, finish, wait_for

engine = Engine("docker")
work = engine.work
PASSWORD = 'pass"word;$(id) %s'

(work / "htpasswd").write_text(f"deploy:{crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH))}\n")
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", work / "key.pem", "-out", work / "cert.pem"], check=True, capture_output=True)
plain = engine.registry("plain")
locked = engine.registry("locked", f"auth: {{ htpasswd: {{ realm: test, path: {work}/htpasswd }} }}\n")
secure = engine.registry("secure", tls=f"  tls: {{ certificate: {work}/cert.pem, key: {work}/key.pem }}\n")
(work / "config" / "config.json").write_text(json.dumps({"auths": {locked: {"auth": base64.b64encode(f"deploy:{PASSWORD}".encode()).decode()}}}))
os.environ["SSL_CERT_FILE"] = str(work / "cert.pem")
os.environ.pop("SSL_CERT_DIR", None)  # curl would look there only


def ask(where, path, *arguments):
    scheme = "https" if where == secure else "http"
    return subprocess.run(["curl", "-sk", "-u", f"deploy:{PASSWORD}", *arguments, f"{scheme}://{where}/v2/web/{path}"], capture_output=True, text=True).stdout


def digest(where, tag, accept=f"{LIST}, {ONE}"):
    answer = ask(where, f"manifests/{tag}", "-I", "-H", f"Accept: {accept}")
    return next((line.split(":", 1)[1].strip() for line in answer.splitlines() if line.lower().startswith("docker-content-digest")), None)


def events(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def notes(text):
    """What a run with --json bound to names."""
    return {e["name"]: e["value"] for e in (event.get("body", event) for event in events(text)) if "name" in e and "value" in e}


def restored(where):
    """A push whose stage fails later: the tag names again what it named."""
    image = f"{where}/web:staging"
    steps = f'build image "{image}" from "app" as id; push image "{image}" as pinned;'
    project.write("push.mig", f'stage staging < {steps} verify digest of image "{image}" is not absent; > on failure undo;\n')
    project.write("fail.mig", f'stage staging < {steps} verify http get "http://{plain}/v2/nothing/manifests/x" is 200 within 1s; > on failure undo;\n')
    project.write("app/version", f"one for {where}\n")
    done = project.migc("run", "push.mig", "--json")
    first, said = digest(where, "staging"), notes(done.stdout)
    check(f"{where}: build and push", done.returncode == 0 and first is not None)
    check(f"{where}: the pinned name is what the registry holds", said.get("pinned") == f"{where}/web@{first}", said)
    check(f"{where}: it can be pulled by that name", subprocess.run(["docker", "pull", "-q", f"{where}/web@{first}"], capture_output=True).returncode == 0)
    check(f"{where}: the same again changes nothing", project.migc("run", "push.mig").returncode == 0 and digest(where, "staging") == first)
    project.write("app/version", f"two for {where}\n")
    done = project.migc("run", "fail.mig")
    check(f"{where}: a failed verification is undone", done.returncode == 1, done.stdout)
    check(f"{where}: the tag is what it was, by digest", digest(where, "staging") == first, f"{digest(where, 'staging')} in place of {first}")
    return first


engine.start()
project = Project(**{
    "migc.yaml": "order: [staging]\nenvironments:\n  staging: { context: none, namespace: none }\n",
    "app/Dockerfile": "FROM scratch\nCOPY version /version\n",
})
for where in (plain, secure, locked):
    restored(where)
journal = b"".join(f.read_bytes() for f in (project.folder / ".migc").rglob("*") if f.is_file())
check("the password is in no journal", PASSWORD.encode() not in journal)

# An image of several platforms comes back as it was, not as one of its platforms.
manifest = ask(plain, "manifests/staging", "-H", f"Accept: {ONE}")
platforms = [{"mediaType": ONE, "size": len(manifest.encode()), "digest": digest(plain, "staging"), "platform": {"os": "linux", "architecture": a}} for a in ("amd64", "arm64")]
(work / "list.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": LIST, "manifests": platforms}, indent=3) + "\n")
ask(plain, "manifests/multi", "-X", "PUT", "-H", f"Content-Type: {LIST}", "--data-binary", f"@{work}/list.json")
many = digest(plain, "multi")
project.write("multi.mig", f'stage staging < build image "{plain}/web:multi" from "app"; push image "{plain}/web:multi"; verify http get "http://{plain}/v2/nothing/manifests/x" is 200 within 1s; > on failure undo;\n')
done = project.migc("run", "multi.mig")
check("a tag of several platforms is undone", done.returncode == 1 and many is not None and digest(plain, "multi") == many, done.stdout)

# A tag that is new cannot go: that is told.
project.write("new.mig", project.read("multi.mig").replace("web:multi", "web:new"))
done = project.migc("run", "new.mig")
check("a new tag stays, and is told", done.returncode == 3 and "stays" in done.stdout and digest(plain, "new") is not None, done.stdout)

# Local names.
project.write("tag.mig", f'stage staging < tag image "{plain}/web:staging" to "web:local"; verify id of image "web:local" is absent within 1s; > on failure undo;\n')
done = project.migc("run", "tag.mig")
check("a local name that was new is taken away again", done.returncode == 1 and subprocess.run(["docker", "image", "inspect", "web:local"], capture_output=True).returncode != 0, done.stdout)
project.write("nothing.mig", 'stage staging < push image "127.0.0.1:1/web:none"; > on failure undo;\n')
done = project.migc("run", "nothing.mig")
check("an image that is not here is not pushed", done.returncode == 1 and "needs" in done.stdout, done.stdout)

# The simulated world answers the same.
for name, wanted in (("absent", None), ("staging", "a digest")):
    project.write("read.mig", f'stage staging < let found = digest of image "{plain}/web:{name}"; > on failure undo;\n')
    project.write("world.yaml", f'registry: {{ "{plain}/web:staging": one }}\n')
    real, simulated = (notes(project.migc("run", "read.mig", "--json", *more).stdout) for more in ([], ["--world", "world.yaml"]))
    alike = real.get("found") is None and simulated.get("found") is None if wanted is None else all(str(x.get("found")).startswith("sha256:") for x in (real, simulated))
    check(f"real and simulated agree on a tag that is {name}", alike, f"{real} {simulated}")

# migc is killed in the middle of a push.
before, codes = digest(plain, "staging"), []
(work / "bin").mkdir()
(work / "bin" / "docker").write_text(f'#!/bin/sh\nif [ "$1" = push ]; then touch {work}/pushing; sleep 2; fi\nexec {shutil.which("docker")} "$@"\n')
(work / "bin" / "docker").chmod(0o755)
project.write("push.mig", f'stage staging < build image "{plain}/web:staging" from "app"; push image "{plain}/web:staging"; > on failure undo;\n')
project.write("app/version", "killed\n")
process = subprocess.Popen([os.path.abspath(MIGC), "run", "push.mig"], cwd=project.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={**os.environ, "PATH": f"{work}/bin:{os.environ['PATH']}"})
wait_for("the push", lambda: (work / "pushing").exists())
process.kill()
process.wait()
wait_for("the end of what was left", lambda: (code := project.migc("undo", "last").returncode) != 5 and codes.append(code) is None)
check("a push that was cut off is undone", codes == [0] and digest(plain, "staging") == before, f"exit code {codes}: {digest(plain, 'staging')} in place of {before}")
project.remove()
finish()
