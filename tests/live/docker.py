#!/usr/bin/env python3
"""docker with registries, all private to this test: build, tag, push, and the tag that comes back by its digest."""
import base64, crypt, json, os, pathlib, shutil, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engine import LIST, ONE, Engine
from harness import Project, check, finish, wait_for

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

# Somebody else moves the tag: the wrapper acts for them in a chosen moment.
(work / "bin").mkdir()
OTHERS = """#!/usr/bin/env python3
import json, os, subprocess, sys
real, plan = "REAL", "WORK/plan.json"
hook = json.load(open(plan)) if os.path.exists(plan) else {"word": None}
here = hook["word"] is not None and any(hook["word"] in word for word in sys.argv[1:])
if here:
    hook["turn"] -= 1
    json.dump(hook, open(plan, "w"))
if here and hook["turn"] == 0 and not hook["after"]:
    subprocess.run(hook["command"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
code = subprocess.run([real, *sys.argv[1:]]).returncode
if here and hook["turn"] == 0 and hook["after"]:
    subprocess.run(hook["command"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
sys.exit(code)
"""
for program in ("docker", "curl"):
    (work / "bin" / program).write_text(OTHERS.replace("REAL", shutil.which(program)).replace("WORK", str(work)))
    (work / "bin" / program).chmod(0o755)
CURL = shutil.which("curl")


def others(word, turn, command, after=False):
    """Before (or right after) the turn-th command with this word, somebody else does this."""
    (work / "plan.json").write_text(json.dumps({"word": word, "turn": turn, "command": command, "after": after}))


def put(tag, manifest, name="theirs.json"):
    """The command with which somebody moves a tag to a manifest that the registry knows the parts of."""
    (work / name).write_text(manifest)
    return [CURL, "-s", "-X", "PUT", "-H", f"Content-Type: {ONE}", "--data-binary", f"@{work}/{name}", f"http://{plain}/v2/web/manifests/{tag}"]


def move(tag, manifest):
    (work / "plan.json").unlink(missing_ok=True)
    subprocess.run(put(tag, manifest), check=True, capture_output=True)


def beside(script, text):
    project.write(script, f"stage staging < {text} > on failure undo;\n")
    return project.migc("run", script, environment={"PATH": f"{work}/bin:{os.environ['PATH']}"})


def undo():
    return project.migc("undo", "last", environment={"PATH": f"{work}/bin:{os.environ['PATH']}"})


image = f"{plain}/web:shared"
for text in ("theirs", "first"):
    project.write("app/version", f"{text}\n")
    subprocess.run(["docker", "build", "-q", "-t", f"{plain}/web:{text}", project.folder / "app"], check=True, capture_output=True)
    subprocess.run(["docker", "push", "-q", f"{plain}/web:{text}"], check=True, capture_output=True)
their_manifest, first_manifest = (ask(plain, f"manifests/{tag}", "-H", f"Accept: {ONE}") for tag in ("theirs", "first"))
theirs, first = digest(plain, "theirs"), digest(plain, "first")
number = 0


def ours():
    global number
    number += 1
    project.write("app/version", f"ours {number}\n")
    move("shared", first_manifest)
    return f'build image "{image}" from "app"; push image "{image}";'


push = ours()
others("{{.Id}}", 4, put("shared", their_manifest))  # what is needed, the result of the build, what is captured, and directly before the push
done = beside("others.mig", push)
check("a push between our capture and our push is not overwritten", done.returncode != 0 and digest(plain, "shared") == theirs and "somebody else" in done.stdout, done.stdout)
push = ours()
others("push", 1, put("shared", their_manifest), after=True)
done = beside("others.mig", push)
check("a push right after ours is not taken for ours, and stays", done.returncode == 3 and digest(plain, "shared") == theirs, done.stdout)
push = ours()
done = beside("others.mig", push)
check("pushed", done.returncode == 0 and digest(plain, "shared") not in (first, theirs), done.stdout)
same = json.dumps(json.loads(ask(plain, "manifests/shared", "-H", f"Accept: {ONE}")), indent=1)
for what, manifest in (("another image", their_manifest), ("the same image anew", same)):
    move("shared", manifest)
    changed = digest(plain, "shared")
    done = undo()
    check(f"{what}, pushed since, is not overwritten by the undo", done.returncode == 3 and digest(plain, "shared") == changed, done.stdout)
push = ours()
check("pushed again", beside("others.mig", push).returncode == 0)
others("manifests/sha256:", 1, put("shared", their_manifest))
done = undo()
check("nor what is pushed between the undo's look and its act", done.returncode == 3 and digest(plain, "shared") == theirs, done.stdout)

moving = f'move tag "{image}" to digest "{digest(plain, "staging")}";'
move("shared", first_manifest)
others("manifests/sha256:", 1, put("shared", their_manifest))
done = beside("move.mig", moving)
check("a tag that somebody moves meanwhile is not moved", done.returncode != 0 and digest(plain, "shared") == theirs, done.stdout)
move("shared", first_manifest)
check("moved", beside("move.mig", moving).returncode == 0 and digest(plain, "shared") == digest(plain, "staging"))
others("manifests/sha256:", 1, put("shared", their_manifest))
done = undo()
check("nor moved back", done.returncode == 3 and digest(plain, "shared") == theirs, done.stdout)

local = ["docker", "tag", f"{plain}/web:theirs", "web:name"]
naming = f'tag image "{plain}/web:first" to "web:name";'
others("web:name", 3, local)  # captured, looked at, and directly before
done = beside("name.mig", naming)
here = lambda name: subprocess.run(["docker", "image", "inspect", "-f", "{{.Id}}", name], capture_output=True, text=True).stdout
check("a local name that somebody gives away meanwhile stays theirs", done.returncode != 0 and here("web:name") == here(f"{plain}/web:theirs"), done.stdout)
(work / "plan.json").unlink(missing_ok=True)
subprocess.run(["docker", "image", "rm", "--no-prune", "web:name"], capture_output=True)
check("named", beside("name.mig", naming).returncode == 0)
subprocess.run(local, check=True)
done = undo()
check("and is not taken back", done.returncode == 3 and here("web:name") == here(f"{plain}/web:theirs"), done.stdout)

# migc is killed in the middle of a push.
before, codes = digest(plain, "staging"), []
(work / "bin" / "docker").write_text(f'#!/bin/sh\nif [ "$1" = push ]; then touch {work}/pushing; sleep 2; fi\nexec {shutil.which("docker")} "$@"\n')
(work / "bin" / "docker").chmod(0o755)
project.write("push.mig", f'stage staging < build image "{plain}/web:staging" from "app"; push image "{plain}/web:staging"; > on failure undo;\n')
project.write("app/version", "killed\n")
process = project.start("run", "push.mig", stdout=subprocess.DEVNULL, environment={"PATH": f"{work}/bin:{os.environ['PATH']}"})
wait_for("the push", lambda: (work / "pushing").exists())
process.kill()
process.wait()
wait_for("the end of what was left", lambda: (code := project.migc("undo", "last").returncode) != 5 and codes.append(code) is None)
check("a push that was cut off is undone", codes == [0] and digest(plain, "staging") == before, f"exit code {codes}: {digest(plain, 'staging')} in place of {before}")
project.remove()
finish()
