#!/usr/bin/env python3
"""What a project says is executed only where the user wants that. Whoever only looks (check, prove, fmt, graph, diff, an editor,
digests, a plan, the doctor) runs nothing of it; a run asks before its first step; a tool that is replaced under its hands is
never started.

    MIGC=build/cli/migc consent.py [PART...]"""
import hashlib, os, pty, select, shutil, subprocess, sys, time

from room import can_be_another, check, finish, in_rooms

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parents[1] / "lsp"))
from client import Client

YAML = "order: [staging]\nenvironments:\n  staging: { context: here, namespace: default%s }\n"
STAGE = "stage staging < %s > on failure undo;\n"
UNDO = 'undo none because "it is only a test"'


def trip(room):
    return room.top / "tripped"


def tripped(room):
    was = trip(room).exists()
    trip(room).unlink(missing_ok=True)
    return was


def executable(room, name, text, folder=None):
    room.write(name, text, folder).chmod(0o755)


def machine(room):
    """The operator's own tools: kubectl does what a kubeconfig says, terraform what its folder says, as the real ones do."""
    executable(room, "bin/kubectl", f"""#!/bin/sh
echo "$*" >> {room.top}/asked
for a; do [ "$p" = --kubeconfig ] && conf=$a; p=$a; done
[ -n "$conf" ] && grep -q exec "$conf" && sh -c "$(sed -n 's/.*command: //p' "$conf")"
case " $*" in *" config get-contexts"*) echo here; exit ;; *" config "*|*" version --client"*) exit ;; esac
case "$*" in
*" exec "*|*" run "*|*" create "*) touch {trip(room)} ;;
*kube-system*) echo '{{"metadata": {{"uid": "u1"}}}}' ;;
*"get pods"*) echo '{{"items": [{{"metadata": {{"name": "web-1", "labels": {{"app": "web"}}, "ownerReferences": [{{"kind": "Deployment", "name": "web"}}]}}, "spec": {{"containers": [{{"name": "web"}}]}}, "status": {{"phase": "Running", "conditions": [{{"type": "Ready", "status": "True"}}], "containerStatuses": [{{"name": "web", "state": {{"running": {{}}}}}}]}}}}]}}' ;;
*) echo '{{"items": [], "kind": "Deployment", "metadata": {{"name": "web", "resourceVersion": "1"}}, "spec": {{"replicas": 2, "selector": {{"matchLabels": {{"app": "web"}}}}}}}}' ;;
esac
""", room.top)
    executable(room, "bin/terraform", """#!/bin/sh
for a; do case "$a" in -chdir=*) "${a#-chdir=}/provider" ;; esac; done
echo '{"values": {"outputs": {}}}'
""", room.top)
    executable(room, "bin/helm", f"#!/bin/sh\ntouch {trip(room)}\necho 1\n", room.top)
    return {"PATH": f"{room.top}/bin:{os.environ['PATH']}"}


def traps(room):
    """Each a script and a migc.yaml: what they say would touch the tripwire if it were executed."""
    wire = f"touch {trip(room)}; echo 1"
    executable(room, "trap", f"#!/bin/sh\n{wire}\n")
    executable(room, "kubectl", f"#!/bin/sh\n{wire}\n")
    executable(room, "infra/provider", f"#!/bin/sh\n{wire}\n")
    room.write("infra/main.tf", 'terraform { backend "local" {} }\n')
    room.write("evil.conf", f"users:\n- name: a\n  user:\n    exec:\n      command: touch {trip(room)}\n")
    room.write("folded.conf", 'users: [{name: a, user: {"\\u0065xec": {command: x}}}] # exec is spelled so that no search finds it\n')
    own = f'tool sh < program "sh"; >\nprobe canary sings: string < read sh ["-c", "{wire}"]; within 5s; >\n'
    room.write("lib.mig", own)
    room.write("migc.yaml", YAML % "")
    put = f"verb put (n: string) < effect canary sings becomes n; do sh [\"-c\", \"true\"]; {UNDO}; >\n"
    bare = lambda tool, words: f"probe canary sings: string < read {tool} {words}; within 5s; >\n" + STAGE % "let x = canary sings; verify x is \"1\";"
    return {
        "a tool of its own": own + put + STAGE % 'put "1";',
        "the same in a file that is used": 'use "lib.mig";\n' + put + STAGE % 'put "1";',
        "a need, a capture, an if": own + f'verb look < needs canary sings is "1"; capture c = canary sings; do sh ["-c", "true"]; {UNDO}; >\n'
        + STAGE % 'look; if canary sings is "1" < look; >',
        "a gate": f'probe trap springs: bool < read program ["trap"] as json; >\n' + 'stage staging < gate trap springs; scale web to 4; > on failure undo;\n',
        "a program of the project": STAGE % 'let ok = script "trap" succeeds; if ok < scale web to 4; >',
        "the native itself": f'probe trap springs: bool < read native script-succeeds ["trap", []] through [program]; >\n' + STAGE % 'let x = trap springs; verify x;',
        "another kubectl": 'tool kubectl < program "./kubectl"; >\n' + STAGE % 'scale web to 4;',
        "kubectl with another PATH": f'tool kubectl < program "kubectl"; environment ["PATH={room.folder}:/usr/bin:/bin"]; >\n' + STAGE % 'scale web to 4;',
        "kubectl with a kubeconfig": bare("kubectl", '["--kubeconfig", "evil.conf", "get", "pods"]'),
        "kubectl with one outside": bare("kubectl", f'["--kubeconfig", "{room.folder}/../elsewhere.conf", "get", "pods"]'),
        "kubectl in a pod": bare("kubectl", '["exec", "web", "--", "true"]'),
        "git with an alias": bare("git", f'["-c", "alias.x=!{wire}", "x"]'),
        "git outside of the stages": f'probe canary sings: string < read git ["-c", "alias.x=!{wire}", "x"]; >\nlet x = canary sings;\nrequire x is "1";\n' + STAGE % 'scale web to 4;',
        "curl with a file": bare("curl", f'["--trace", "{trip(room)}", "http://127.0.0.1:9/"]'),
        "terraform": STAGE % 'let x = terraform output "a"; verify x is "1";',
        "terraform's state": STAGE % 'let x = terraform state at "/serial"; verify x is "1";',
        "a command in a pod": STAGE % 'let x = output of ["true"] in web; verify x is "1";',
        "a pod of its own image": STAGE % 'let x = output of pod "evil/image:1" ["true"]; verify x is "1";',
        "from inside": STAGE % 'let x = http get "http://web/" from inside; verify x is 200;',
        "what another probe is fed": own + 'probe size here: string < read kubectl ["get", "pods"] stdin (canary sings); within 5s; >\n'
        + STAGE % 'let x = size here; verify x is "1";',
        "a secret that is read": own.replace("canary sings: string", "canary sings: secret") + f'verb keep < capture c = canary sings; do sh ["-c", "true"] stdin c; {UNDO}; >\n' + STAGE % "keep;",
    }


LOOKS = (["check", "a.mig"], ["check", "--fix", "a.mig"], ["prove", "a.mig"], ["fmt", "--check", "a.mig"], ["graph", "a.mig"], ["diff", "a.mig", "a.mig"],
         ["ir", "a.mig"], ["ir", "--digest", "a.mig"], ["plan", "a.mig", "--digest"], ["plan", "a.mig", "--digest", "--allow-tools"])
RUNS = (["run", "a.mig"], ["rehearse", "a.mig", "--stage", "staging"], ["run", "a.mig", "--expect", "0" * 64])
PLANS = (["plan", "a.mig"], ["plan", "a.mig", "--json"], ["plan", "a.mig", "--markdown"], ["plan", "a.mig", "--save", "plan.json"],
         ["doctor"], ["doctor", "--for", "a.mig"], ["doctor", "staging", "--for", "a.mig", "--json"])


def looks(room):
    """Nothing is executed, whatever is asked, and a plan is made all the same."""
    environment = machine(room)
    for what, script in traps(room).items():
        room.write("a.mig", script)
        if "terraform" in what:
            room.write("migc.yaml", YAML % ", terraform: { dir: infra }")
        room.hand_over()
        # In the cluster a run acts; on this machine it asks first.
        in_pods = "pod" in what.removeprefix("kubectl in a pod") or "inside" in what
        for words in (*LOOKS, *PLANS, *(() if in_pods else RUNS)):
            done = room.migc(*words, environment=environment)
            check(f"{what}: {' '.join(words)}", not tripped(room) and done.returncode < (3 if words in RUNS else 126), done.text)
        room.write("a.mig", script)
        plan = room.migc("plan", "a.mig", environment=environment)
        check(f"{what}: there is a plan, which has no PROBLEM for that", plan.returncode == 0 and "PROBLEM" not in plan.text, plan.text)
        secret = "secret" in what
        check(f"{what}: and says what was not read", ("known after the run has read the secret" if secret else "not read: ") in plan.text or secret, plan.text)
        check(f"{what}: once, and how to allow it", secret or plan.text.count("--allow-tools") == 1, plan.text)
        done = room.migc("plan", "a.mig", "--allow-tools", environment=environment)
        check(f"{what}: allowed, it is read; a secret never", tripped(room) != secret or "outside" in what or "another PATH" in what, done.text)


def editor(room):
    environment = machine(room)
    scripts = traps(room)
    room.hand_over()
    if room.user:
        return
    for what, script in scripts.items():
        client = Client(str(room.program), str(room.folder), str(room.top / "cache"))
        client.start()
        client.open(f"file://{room.folder}/a.mig", script)
        client.ask("textDocument/documentSymbol", {"textDocument": {"uri": f"file://{room.folder}/a.mig"}})
        client.process.kill()
        client.process.wait()
        check(f"{what}: an editor executes nothing", not tripped(room))


def kubeconfigs(room):
    """A kubeconfig of the project's own that runs a plug-in."""
    environment = machine(room)
    traps(room)
    room.write("a.mig", STAGE % "scale web to 4;")
    for conf in ("evil.conf", "folded.conf"):
        room.write("migc.yaml", YAML % f", kubeconfig: {conf}")
        room.hand_over()
        for words in (*LOOKS, *PLANS, *RUNS):
            done = room.migc(*words, environment=environment)
            check(f"{conf}: {' '.join(words)}", not tripped(room), done.text)
        plan = room.migc("plan", "a.mig", environment=environment)
        check(f"{conf}: there is a plan", plan.returncode == 0 and "(not read: the project's kubeconfig runs programs)" in plan.text, plan.text)
        digest = room.migc("plan", "a.mig", "--digest", environment=environment)
        check(f"{conf}: no run digest is told that would be another one", digest.returncode == 2 and "\nrun " not in digest.text, digest.text)
        doctor = room.migc("doctor", "--for", "a.mig", environment=environment)
        check(f"{conf}: it is no trouble for the doctor", "the cluster is not read" in doctor.text and "does not answer" not in doctor.text, doctor.text)
    room.write("migc.yaml", YAML % ", kubeconfig: evil.conf")
    room.migc("plan", "a.mig", "--allow-tools", environment=environment)
    check("allowed, it is used", tripped(room))
    digest = hashlib.sha256((room.folder / "evil.conf").read_bytes()).hexdigest()
    room.write(".config/migc/config.yaml", f"allowed-tools: [{{ path: {room.folder}/evil.conf, sha256: {digest} }}]\n", room.home)
    room.hand_over()
    done = room.migc("plan", "a.mig", environment=environment)
    check("or by the user's configuration", tripped(room), done.text)
    (room.folder / "evil.conf").write_text((room.folder / "evil.conf").read_text() + "# more\n")
    done = room.migc("plan", "a.mig", environment=environment)
    check("of this content only", not tripped(room), done.text)
    room.write("plain.conf", "users: [{name: a, user: {token: abc}}]\n")
    room.write("migc.yaml", YAML % ", kubeconfig: plain.conf")
    room.hand_over()
    plan = room.migc("plan", "a.mig", environment=environment)
    check("one that runs nothing needs nobody's leave", "not read" not in plan.text, plan.text)


def named_files(room):
    """A kubeconfig of the project's own that names files, and one that kubectl takes by itself from the project."""
    environment = machine(room)
    room.write("a.mig", STAGE % "scale web to 4;")
    room.write("key", "a client key of the operator's\n", room.outside)
    os.mkfifo(room.folder / "pipe")
    for name, target in (("linked", room.outside / "key"), ("folder", room.outside), ("conf/twice", room.folder / "linked")):
        room.link(name, target)
    room.write("own", "a certificate\n")
    asked = room.top / "asked"

    def conf(key, value, quote="", name="plain.conf", where="user"):
        room.write(name, f"apiVersion: v1\nusers:\n- name: a\n  {where}:\n    {quote}{key}{quote}: {value}\n")
        room.write("migc.yaml", YAML % f", kubeconfig: {name}")
        room.hand_over()
        asked.unlink(missing_ok=True)

    def is_refused(what, *words, **more):
        for command in (["plan", "a.mig"], ["plan", "a.mig", "--digest"], ["doctor"], ["run", "a.mig"]):
            done = room.migc(*command, environment={**environment, **more})
            lines = [line for line in asked.read_text().splitlines() if "config get-contexts" not in line and not line.startswith("version ")] if asked.exists() else []
            check(f"{what}: {' '.join(command)} asks nothing with it", lines == [], f"{lines}\n{done.text}")
        plan = room.migc("plan", "a.mig", environment={**environment, **more})
        flat = " ".join(plan.text.split())
        check(f"{what}: there is a plan, which says why", plan.returncode == 0 and "not read: the project's kubeconfig" in flat and all(word in flat for word in words), plan.text)
        digest = room.migc("plan", "a.mig", "--digest", environment={**environment, **more})
        check(f"{what}: no run digest is told that would be another one", digest.returncode == 2 and "\nrun " not in digest.text, digest.text)

    def is_used(what, *more):
        plan = room.migc("plan", "a.mig", *more, environment=environment)
        check(f"{what}: it is used", plan.returncode == 0 and "not read" not in plan.text, plan.text)

    for key in ("client-certificate", "client-key", "certificate-authority"):
        for value in (str(room.outside / "key"), "../outside/key", "linked", "folder/key", "./own/../linked", ".git/config", "{}/linked".format(room.folder)):
            conf(key, value)
            is_refused(f"{key}: {value}", "names the file", "outside-files" if value != "pipe" else "pipe")
        conf(key, "pipe")
        is_refused(f"{key}: a pipe", "no regular file")
        conf(key, "own")
        is_used(f"{key} of the project")
    conf("client-key", "twice", name="conf/deep.conf")
    is_refused("a link to a link", "names the file")
    conf("client-key", "../own", name="conf/deep.conf")
    is_used("beside the folder of the kubeconfig")
    conf("client-key-data", "YWJj")
    is_used("what is written in it")
    for what, text in (("in quotes", '"client-key": KEY'), ("in JSON", '{"users": [{"name": "a", "user": {"client-key": "KEY"}}]}'), ("with a ?", "? client-key\n: KEY"),
                       ("by an anchor", "a: &a KEY\nclient-key: *a"), ("merged", "<<: {client-key: KEY}"), ("twice", "client-key: own\nclient-key: KEY"),
                       ("in a second document", "a: b\n---\nclient-key: KEY"), ("in capitals", "Client-Key: KEY"), ("over two lines", 'client-key:\n  "KEY"')):
        room.write("plain.conf", text.replace("KEY", str(room.outside / "key")) + "\n")
        room.hand_over()
        asked.unlink(missing_ok=True)
        is_refused(what)
    conf("client-key", str(room.outside / "key"))
    is_used("allowed", "--allow-tools")
    is_used("named by a flag", "--outside", str(room.outside))
    room.write(".config/migc/config.yaml", f"outside-files: [{room.outside}]\n", room.home)
    room.hand_over()
    is_used("named by the user's configuration")
    (room.home / ".config/migc/config.yaml").unlink()

    # Taken by kubectl itself: by KUBECONFIG, or from a home that lies in the project.
    conf("client-key", str(room.outside / "key"))
    room.write(".kube/config", room.read("plain.conf"))
    room.write("evil.conf", f"users:\n- name: a\n  user:\n    exec:\n      command: touch {trip(room)}\n")
    room.write("migc.yaml", YAML % "")
    room.hand_over()
    is_refused("KUBECONFIG", KUBECONFIG=f"{room.folder}/plain.conf")
    is_refused("the second of KUBECONFIG", KUBECONFIG=f"{room.home}/none:{room.folder}/evil.conf")
    is_refused("a home in the project", HOME=str(room.folder))
    asked.unlink(missing_ok=True)
    room.write("fine.conf", "users: []\n", room.outside)
    room.hand_over()
    plan = room.migc("plan", "a.mig", environment={**environment, "KUBECONFIG": f"{room.outside}/fine.conf"})
    check("one's own is one's own", plan.returncode == 0 and "not read" not in plan.text, plan.text)

    # A kubectl that hangs does not outlive whoever only looks.
    executable(room, "bin/kubectl", f"#!/bin/sh\ntrap '' TERM INT HUP\necho $$ > {room.top}/hangs\nwhile :; do sleep 1; done\n", room.top)
    room.hand_over()
    hangs = room.top / "hangs"
    for number in (15, 2, 1):
        hangs.unlink(missing_ok=True)
        process = room.start("plan", "a.mig", "--digest", environment=environment)
        for _ in range(200):
            if hangs.exists() and hangs.read_text().strip():
                break
            time.sleep(0.05)
        process.send_signal(number)
        check(f"it ends by signal {number}", process.wait(10) == -number)
        pid = int(hangs.read_text())
        for _ in range(40):
            if not os.path.exists(f"/proc/{pid}") or open(f"/proc/{pid}/stat").read().split(")")[1].split()[0] == "Z":
                break
            time.sleep(0.05)
        else:
            os.kill(pid, 9)
            check(f"and kubectl with it ({number})", False)


def configuration_in_it(room):
    """Nothing of a user's configuration that lies in the project, or in its repository, counts: no file outside, no trusted project."""
    environment = machine(room)
    executable(room, "bin/docker", "#!/bin/sh\ncat > " + f"{room.top}/received\n", room.top)
    token = room.write("token", "canary-5e9d31\n", room.outside)
    script = f'param token: secret;\nverb keep (t: secret) < do docker ["login"] stdin t; {UNDO}; >\n' + STAGE % "keep token;"
    received = room.top / "received"
    tree = room.folder / "tree"
    for what, root, home, config in (("in the project", tree, tree, tree / ".config"), ("by XDG_CONFIG_HOME", tree, room.home, tree / ".cfg"),
                                     ("in the same repository", tree / "ops", tree, tree / ".config"), ("by a link", tree, room.home, room.home / ".config")):
        shutil.rmtree(tree, ignore_errors=True)
        shutil.rmtree(room.home / ".config", ignore_errors=True)
        (tree / ".git").mkdir(parents=True)
        folder = config / "migc"
        if what == "by a link":
            folder.parent.mkdir()
            folder.symlink_to(tree / "there")
            folder = tree / "there"
        room.write("config.yaml", f"outside-files: [{room.outside}]\ntrusted-projects: [{root}]\n", folder)
        room.write("migc.yaml", YAML % f", secrets: {{ token: {{ file: {token} }} }}", root)
        room.write("a.mig", script, root)
        room.hand_over()
        own = {**environment, "HOME": str(home), **({"XDG_CONFIG_HOME": str(config)} if "XDG" in what else {})}
        done = room.migc("run", "a.mig", "--allow-tools", cwd=root, environment=own)
        check(f"{what}: no file outside is read", not received.exists() and done.returncode != 0 and "so nothing in it counts" in " ".join(done.text.split()), done.text)
        # Asked from elsewhere, where only the script's own place tells.
        done = room.migc("run", str(root / "a.mig"), "--allow-tools", cwd=room.top, environment=own)
        check(f"{what}: nor from elsewhere", not received.exists() and done.returncode != 0, done.text)
        done = room.migc("run", "a.mig", "--allow-tools", "--outside", str(room.outside), cwd=root, environment=own)
        check(f"{what}: a flag is the user's", received.exists() and "canary" in received.read_text(), done.text)
        received.unlink(missing_ok=True)
        if can_be_another():
            subprocess.run(["chown", "daemon", str(root / "migc.yaml")], check=True)
            done = room.migc("check", "a.mig", cwd=root, environment=own)
            check(f"{what}: nor does it trust itself", done.returncode != 0 and "belongs to daemon" in done.text, done.text)
        # Keys that came along are nobody's.
        room.hand_over()
        subprocess.run(["chown", room.user or "root", str(root / "migc.yaml")], check=can_be_another())
        if "XDG" not in what and what != "by a link":
            shutil.rmtree(root / ".migc", ignore_errors=True)
            done = room.migc("run", "a.mig", "--allow-tools", "--outside", str(room.outside), cwd=root, environment=own)
            check(f"{what}: no key lies there", "is not authenticated" in done.text and not (config / "migc/journals").exists(), done.text)
            received.unlink(missing_ok=True)


TOOLS = ("kubectl", "terraform", "docker", "curl", "git", "openssl", "dot")


def lying(room):
    """A program that PATH finds in the project is the project's, whatever it is called, and by whatever links it is found."""
    machine(room)
    room.write("migc.yaml", YAML % "")
    room.write("infra/main.tf", 'terraform { backend "local" {} }\n')
    for folder in (room.folder, room.folder / "node_modules/.bin", room.outside):
        for tool in TOOLS:
            executable(room, tool, f"#!/bin/sh\ntouch {trip(room)}\n[ -x {room.top}/bin/{tool} ] && exec {room.top}/bin/{tool} \"$@\"\n", folder)
    for name, target in (("linked", room.folder / "node_modules/.bin"), ("tools/kubectl", room.folder / "kubectl"), ("project/links", room.outside),
                         ("twice/kubectl", room.top / "between/kubectl"), ("between/kubectl", room.top / "tools/kubectl")):
        (room.top / name).parent.mkdir(exist_ok=True)
        (room.top / name).symlink_to(target)
    for what, path in (("its folder", room.folder), ("a folder in it", room.folder / "node_modules/.bin"), ("a link to one", room.top / "linked"),
                       ("a link to its file", room.top / "tools"), ("a link to a link to its file", room.top / "twice"), ("a link in it that leads out", room.folder / "links"), ("by way of ..", room.folder / "infra/../links")):
        environment = {"PATH": f"{path}:{room.top}/bin:{os.environ['PATH']}"}
        for where in ("with migc.yaml", "without", "below it, in the work tree") if path == room.folder else ("with migc.yaml",):
            script, yaml = room.folder / "a.mig", room.folder / "migc.yaml"
            yaml.unlink(missing_ok=True)
            shutil.rmtree(room.folder / ".git", ignore_errors=True)
            shutil.rmtree(room.folder / "ops", ignore_errors=True)
            cwd = room.folder
            if where == "with migc.yaml":
                room.write("migc.yaml", YAML % "")
            if where.startswith("below"):
                (room.folder / ".git").mkdir()
                cwd = room.folder / "ops"
                room.write("ops/migc.yaml", YAML % "")
            room.write(str((cwd / "a.mig").relative_to(room.folder)), STAGE % "scale web to 4;")
            room.hand_over()
            case = f"{what}, {where}"
            for words in (*LOOKS, *PLANS, *RUNS):
                done = room.migc(*words, cwd=cwd, environment=environment)
                check(f"{case}: {' '.join(words)}", not tripped(room) and done.returncode < (3 if words in RUNS else 126), done.text)
            picture = room.migc("graph", "a.mig", "--format", "svg", cwd=cwd, environment=environment)
            check(f"{case}: nothing of it draws", not tripped(room) and (what.endswith("to its file") or (picture.returncode == 2 and "lies in the project" in picture.text)), picture.text)
            plan = room.migc("plan", "a.mig", cwd=cwd, environment=environment)
            check(f"{case}: there is a plan, which says so once", plan.returncode == 0 and "PROBLEM" not in plan.text
                  and "not read: the project would run its own kubectl" in plan.text and plan.text.count("--allow-tools") == 1, plan.text)
            if where != "without":
                digest = room.migc("plan", "a.mig", "--digest", cwd=cwd, environment=environment)
                check(f"{case}: no run digest is told that would be another one", digest.returncode == 2 and "\nrun " not in digest.text, digest.text)
            run = room.migc("run", "a.mig", cwd=cwd, environment=environment)
            check(f"{case}: a run shows it", run.returncode == 2 and "the project would run its own kubectl" in run.text and f"{path}/kubectl" in run.text, run.text)
        room.migc("plan", "a.mig", "--allow-tools", cwd=cwd, environment=environment)
        check(f"{what}: allowed, it is used", tripped(room))
    # What the machine's kubectl starts in its turn, in a project below a work tree.
    (room.folder / ".git").mkdir()
    (room.folder / "migc.yaml").unlink()
    room.write("ops/migc.yaml", YAML % "")
    room.write("ops/a.mig", STAGE % "scale web to 4;")
    room.hand_over()
    executable(room, "helped/kubectl", f"#!/bin/sh\nmy-helper && touch {room.top}/helped/found\nexec {room.top}/bin/kubectl \"$@\"\n", room.top)
    executable(room, "helped/real/my-helper", "#!/bin/sh\n", room.top)
    executable(room, "my-helper", f"#!/bin/sh\ntouch {trip(room)}\n")
    executable(room, "ops/my-helper", f"#!/bin/sh\ntouch {trip(room)}\n")
    for what in (str(room.folder), ".", "", f"{room.folder}/ops/.."):
        for name in ("kubectl", *TOOLS):
            (room.folder / name).unlink(missing_ok=True)
        room.hand_over()
        found = room.top / "helped/found"
        found.unlink(missing_ok=True)
        done = room.migc("plan", "a.mig", cwd=room.folder / "ops", environment={"PATH": f"{room.top}/helped:{what}:{room.top}/helped/real:{os.environ['PATH']}"})
        check(f"a helper of kubectl is not found in the project by {what!r}", not tripped(room) and found.exists() and "not read" not in done.text, done.text)
    neighbour = {"PATH": f"{room.outside}:{room.top}/bin:{os.environ['PATH']}"}
    plan = room.migc("plan", "a.mig", cwd=room.folder / "ops", environment=neighbour)
    check("one that lies elsewhere is the machine's", tripped(room) and "not read" not in plan.text, plan.text)


def of_nobody(room):
    """The user's configuration is nobody's word if it lies in the project."""
    executable(room, "t.sh", f"#!/bin/sh\ntouch {trip(room)}\necho now\n")
    digest = hashlib.sha256((room.folder / "t.sh").read_bytes()).hexdigest()
    script = ('tool t < program "./t.sh"; arguments []; >\nprobe tt now: string < read t []; >\n'
              + STAGE % 'let a = tt now; set value of "a.json" at "/x" to 4;')
    allowed = f"allowed-tools: [{{ name: ./t.sh, sha256: {digest} }}]\ntrusted-projects: [{room.folder}]\noutside-files: [{room.outside}]\n"
    for place in (".config/migc", ".cfg/migc", "kept"):
        room.write(f"{place}/config.yaml", allowed)
    room.write("migc/config.yaml", allowed, room.outside)
    (room.folder / "out").symlink_to(room.outside)
    homes = {"a link": ("migc", room.folder / "kept"), "a link to the file": ("migc/config.yaml", room.folder / "kept/config.yaml"),
             "a link to a link": ("migc", room.folder / "out/migc")}
    for what, (name, target) in homes.items():
        link = room.top / what / ".config" / name
        link.parent.mkdir(parents=True)
        link.symlink_to(target)
    cases = [("HOME", {"HOME": str(room.folder)}), ("XDG_CONFIG_HOME", {"XDG_CONFIG_HOME": f"{room.folder}/.cfg"}),
             ("a link that leads out", {"XDG_CONFIG_HOME": f"{room.folder}/out"}), *((what, {"HOME": str(room.top / what)}) for what in homes)]
    for below in (False, True):
        project = room.folder / "ops" if below else room.folder
        if below:
            (room.folder / ".git").mkdir()
            (room.folder / "migc.yaml").unlink()
        room.write("a.mig", script, project)
        room.write("a.json", '{"x": 1}\n', project)
        if below:
            shutil.copy(room.folder / "t.sh", project / "t.sh")
        for what, environment in cases:
            for yaml in (False, True):
                (project / "migc.yaml").unlink(missing_ok=True)
                if yaml:
                    room.write("migc.yaml", "order: [staging]\nenvironments: { staging: {} }\n", project)
                room.hand_over()
                for cwd in (project, room.outside):
                    case = f"{what}{', in the work tree' if below else ''}{', migc.yaml' if yaml else ''}, from {cwd.name}"
                    plan = room.migc("plan", f"{project}/a.mig", cwd=cwd, environment=environment)
                    check(f"{case}: a plan runs nothing, and says once why", not tripped(room) and plan.returncode == 0
                          and plan.text.count("lies in the project") == 1 and plan.text.count("so nothing in it counts") == 1, plan.text)
                    run = room.migc("run", f"{project}/a.mig", cwd=cwd, environment=environment)
                    check(f"{case}: nor does a run", not tripped(room) and run.returncode == 2 and "so nothing in it counts" in run.text, run.text)
        shutil.rmtree(project / ".migc", ignore_errors=True)
        # What lies outside, and whose project it is.
        room.write("migc.yaml", f"order: [staging]\nenvironments: {{ staging: {{ context: here, kubeconfig: {room.outside}/conf }} }}\n", project)
        room.write("conf", "users: []\n", room.outside)
        room.write("b.mig", STAGE % "scale web to 4;", project)
        room.hand_over()
        for what, environment in cases:
            path = machine(room)
            room.hand_over()
            (room.top / "asked").unlink(missing_ok=True)
            done = room.migc("plan", f"{project}/b.mig", cwd=project, environment={**path, **environment})
            asked = (room.top / "asked").read_text() if (room.top / "asked").exists() else ""
            check(f"{what}{', in the work tree' if below else ''}: it allows no file outside", "so nothing in it counts" in done.text and f"{room.outside}/conf" not in asked, done.text + asked)
            if room.user or not can_be_another():
                continue
            shutil.chown(project / "migc.yaml", "nobody")
            done = room.migc("check", f"{project}/b.mig", cwd=project, environment=environment)
            check(f"{what}{', in the work tree' if below else ''}: nor somebody else's project", "is not used" in done.text and "so nothing in it counts" in done.text, done.text)
            shutil.chown(project / "migc.yaml", os.geteuid())
        if not below:
            room.write("a.mig", script)
    room.write(".config/migc/config.yaml", allowed, room.home)
    room.hand_over()
    shutil.rmtree(room.folder / "ops")
    (room.folder / ".git").rmdir()
    done = room.migc("plan", "a.mig")
    check("that of one's home counts", tripped(room), done.text)


def of_the_machine(room):
    """What the standard library asks, and a `kubectl get` of a probe of one's own, is read as before."""
    environment = machine(room)
    room.write("migc.yaml", YAML % "")
    get = lambda words: f'probe size here: int < read kubectl {words} at "/spec/replicas"; within 5s; >\n' + STAGE % "let x = size here; verify x is 2;"
    for words in ('["get", "deployment", "web", "-o", "json"]', '["get", "deploy/web", "-l", "a=b", "--output=json", "--ignore-not-found"]'):
        room.write("a.mig", get(words))
        room.hand_over()
        plan = room.migc("plan", "a.mig", environment=environment)
        check(f"{words} is read", "x = 2" in plan.text and "not read" not in plan.text, plan.text)
    for words in ('["get", "secret", "web", "-o", "json"]', '["get", "deploy", "web", "-o", "go-template-file=x"]', '["get", "-f", "a.yaml", "-o", "json"]',
                  '["get", "--raw", "/x"]', '["get", "deploy", "--server", "http://x", "-o", "json"]', '["delete", "deploy", "web"]'):
        room.write("a.mig", get(words))
        room.hand_over()
        plan = room.migc("plan", "a.mig", environment=environment)
        check(f"{words} is not", plan.returncode == 0 and "not read: kubectl is run as the project says" in plan.text, plan.text)


# ------------------------------------------------------------------ runs

BOX = """#!/bin/sh
cd "{state}" || exit 9
echo "$*" >> ledger
case "$1" in
get) cat "$2" 2>/dev/null || echo 1 ;;
set) echo "$3" > "$2" ;;
become) cp "{top}/trap" "{top}/box.new"; mv "{top}/box.new" "{top}/bin/box" ;;
esac
"""
DECLARED = """tool box < program "box"; >
probe level of (name: string): int < read box ["get", name]; >
verb raise (name: string) to (n: int) < capture prior = level of name; effect level of name becomes n; do box ["set", name, n]; undo raise name to prior; >
verb swap it < do box ["become"]; undo none because "a test"; >
"""


def shop(room, stage):
    room.write("state/ledger", "", room.top)
    executable(room, "bin/box", BOX.format(state=room.top / "state", top=room.top), room.top)
    executable(room, "trap", f"#!/bin/sh\ntouch {trip(room)}\necho 1\n", room.top)
    room.write("migc.yaml", "order: [staging]\nenvironments: { staging: {} }\n")
    room.write("a.mig", DECLARED + STAGE % stage)
    room.hand_over()
    return {"PATH": f"{room.top}/bin:{os.environ['PATH']}"}


def ledger(room):
    file = room.top / "state/ledger"
    lines = file.read_text().split("\n")[:-1]
    file.write_text("")
    return lines


def on_terminal(room, environment, answer, *words):
    """The exit code and what was said, with a terminal on which somebody answers."""
    become = ["setpriv", "--reuid", room.user, "--regid", "nogroup", "--clear-groups"] if room.user else []
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*become, str(room.program), *words], cwd=room.folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                               env={"HOME": str(room.home), "LANG": "C.UTF-8", **environment})
    os.close(theirs)
    said, answered, end = b"", False, time.monotonic() + 30
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                said += os.read(ours, 4096)
            except OSError:
                break
        if b"[y/N]" in said and not answered:
            os.write(ours, answer.encode() + b"\n")
            answered = True
    process.wait(10)
    os.close(ours)
    return process.returncode, said.decode("utf-8", "replace")


def runs(room):
    environment = shop(room, 'raise "pump" to 4;')
    migc = lambda *words: room.migc(*words, environment=environment)
    box = room.top / "bin/box"
    digest = hashlib.sha256(box.read_bytes()).hexdigest()
    for words in (["run", "a.mig"], ["rehearse", "a.mig", "--stage", "staging"], ["run", "a.mig", "--detach"]):
        done = migc(*words)
        check(f"{words[0]}: without a terminal it is refused", done.returncode == 2 and not ledger(room), done.text)
        check(f"{words[0]}: with all that it would execute, where that stands, and what to do",
              all(word in done.text for word in ("box", str(box), digest[:12], "a.mig:2", 'box ["get", name]', "--allow-tools", f"sha256: {digest}")), done.text)
        check(f"{words[0]}: and nothing is left behind", not (room.folder / ".migc/journal.db").exists())
    code, said = on_terminal(room, environment, "n", "run", "a.mig")
    check("on a terminal it is asked, and a no is a no", code == 2 and "Run these? [y/N]" in said and not ledger(room), said)
    code, said = on_terminal(room, environment, "", "run", "a.mig")
    check("so is nothing", code == 2 and not ledger(room), said)
    code, said = on_terminal(room, environment, "y", "run", "a.mig")
    check("and a yes is a yes", code == 0 and "set pump 4" in ledger(room), said)
    done = migc("undo", "last")
    check("which holds for the undo of the same run", done.returncode == 0 and "set pump 1" in ledger(room), done.text)
    done = migc("run", "a.mig")
    check("and for no other run", done.returncode == 2 and not ledger(room), done.text)
    done = migc("run", "a.mig", "--allow-tools")
    check("a flag does without asking", done.returncode == 0 and "set pump 4" in ledger(room), done.text)
    box.write_text(box.read_text() + "# another build\n")
    done = migc("undo", "last")
    check("of another program the undo asks again", done.returncode == 2 and "nobody has allowed" in done.text and not ledger(room), done.text)
    box.write_text(box.read_text().replace("# another build\n", ""))
    check("of the same it does not", migc("undo", "last").returncode == 0)
    ledger(room)
    done = migc("plan", "a.mig", "--save", "plan.json")
    check("a plan that read nothing of it", done.returncode == 0 and not ledger(room), done.text)
    done = migc("run", "a.mig", "--plan", "plan.json", "--allow-tools")
    check("is run as it was reviewed", done.returncode == 0 and "set pump 4" in ledger(room), done.text)
    check("a simulated run asks nobody", migc("run", "a.mig", "--world", "learning").returncode != 2 and not ledger(room))


def configured(room):
    environment = shop(room, 'raise "pump" to 4; raise "pump" to 1;')
    box = room.top / "bin/box"
    digest = hashlib.sha256(box.read_bytes()).hexdigest()
    for entry, allowed in ((f"name: box, sha256: {digest}", True), (f"path: {box}, sha256: {digest}", True), (f"name: box, sha256: {'0' * 64}", False),
                           (f"name: bo, sha256: {digest}", False), (f"path: {box}, sha256: {digest}, project: {room.folder}", True),
                           (f"path: {box}, sha256: {digest}, project: {room.top}", False), ("name: box", False)):
        room.write(".config/migc/config.yaml", f"allowed-tools: [{{ {entry} }}]\n", room.home)
        room.hand_over()
        plan, done = room.migc("plan", "a.mig", environment=environment), None
        read = "get pump" in ledger(room)
        done = room.migc("run", "a.mig", environment=environment)
        check(f"allowed-tools {entry}: {allowed}", read == allowed and (done.returncode == 0) == allowed and bool(ledger(room)) == allowed, plan.text + done.text)
    (room.home / ".config/migc/config.yaml").chmod(0o666)
    done = room.migc("run", "a.mig", environment=environment)
    check("a configuration that others may write allows nothing", done.returncode == 2 and not ledger(room), done.text)


def adopted(room):
    """Somebody else's journal says that it was allowed: that is not this user's word."""
    environment = shop(room, 'raise "pump" to 4;')
    done = room.migc("run", "a.mig", "--allow-tools", environment=environment)
    check("a run", done.returncode == 0, done.text)
    shutil.rmtree(room.home / ".config")
    ledger(room)
    done = room.migc("journal", "adopt", "--because", "a test", environment=environment)
    check("its journal is adopted", done.returncode == 0, done.text)
    done = room.migc("undo", "last", environment=environment)
    check("its undo asks", done.returncode == 2 and "nobody has allowed" in done.text and not ledger(room), done.text)
    done = room.migc("undo", "last", "--allow-tools", environment=environment)
    check("and does what it is told", done.returncode == 0 and "set pump 1" in ledger(room), done.text)


def secrets(room):
    """The command of a secret is shown like any other program, and run by a run only."""
    environment = machine(room)
    executable(room, "fetch", f"#!/bin/sh\ntouch {trip(room)}\necho canary-5e9d31\n")
    room.write("migc.yaml", YAML % ", secrets: { token: { command: [./fetch, it] } }")
    room.write("a.mig", f'param token: secret;\nverb keep (t: secret) < do docker ["login"] stdin t; {UNDO}; >\n' + STAGE % "keep token;")
    executable(room, "bin/docker", "#!/bin/sh\n", room.top)
    room.hand_over()
    for words in (*LOOKS, *PLANS, *RUNS, ["plan", "a.mig", "--allow-tools"], ["doctor", "--for", "a.mig", "--allow-tools"]):
        done = room.migc(*words, environment=environment)
        check(f"a secret's command: {' '.join(words)}", not tripped(room), done.text)
    done = room.migc("run", "a.mig", environment=environment)
    check("a run shows it", done.returncode == 2 and "./fetch" in done.text and "migc.yaml:" in done.text, done.text)
    done = room.migc("run", "a.mig", "--allow-tools", environment=environment)
    check("and runs it if it may", tripped(room) and done.returncode == 0, done.text)


def names(room):
    """What is shown before the question finds nothing to act on, and hides nothing."""
    room.write("migc.yaml", YAML % "")
    room.write("a.mig", f'verb go now < do program ["./safe", "::stop-commands::x"]; {UNDO}; >\n' + STAGE % "go now;")
    executable(room, "safe", "#!/bin/sh\n")
    room.hand_over()
    done = room.migc("run", "a.mig")
    check("no line of it is a command of a log", done.returncode == 2 and not any(line.startswith("::") for line in done.text.split("\n")) and "\x1b" not in done.text, done.text)


# ------------------------------------------------------------------ a tool that is replaced


def replaced(room):
    """Between two steps another program takes the tool's place: it is not even asked how things stand."""
    for what, stage in (("between two steps", 'raise "pump" to 4; swap it; raise "valve" to 2;'),
                        ("before a check", 'raise "pump" to 4; swap it; verify level of "pump" is 4 within 2s;'),
                        ("before an if", 'raise "pump" to 4; swap it; if level of "pump" is 4 < raise "pump" to 5; >'),
                        ("at the end", 'raise "pump" to 4; swap it;')):
        environment = shop(room, stage)
        done = room.migc("run", "a.mig", "--allow-tools", environment=environment)
        check(f"{what}: it is held", done.returncode == 3 and "is not the program that it was when the run began" in done.text, done.text)
        check(f"{what}: and never started", not tripped(room) and "set pump 1" not in ledger(room), done.text)
        done = room.migc("resume", "last", environment=environment)
        check(f"{what}: nobody has allowed the other one", done.returncode == 2 and not tripped(room), done.text)
        done = room.migc("undo", "last", environment=environment)
        check(f"{what}: nor for the undo", done.returncode == 2 and not tripped(room), done.text)
        executable(room, "bin/box", BOX.format(state=room.top / "state", top=room.top), room.top)
        room.hand_over()
        done = room.migc("undo", "last", environment=environment)
        check(f"{what}: with the first one it is undone", done.returncode == 0 and "set pump 1" in ledger(room), done.text)
        shutil.rmtree(room.folder / ".migc")
    # The same content in another file is the same program.
    environment = shop(room, 'raise "pump" to 4; swap it; raise "valve" to 2;')
    shutil.copy(room.top / "bin/box", room.top / "trap")
    done = room.migc("run", "a.mig", "--allow-tools", environment=environment)
    check("the same program once more is no other one", done.returncode == 0, done.text)


PARTS = (looks, editor, kubeconfigs, named_files, configuration_in_it, lying, of_nobody, of_the_machine, runs, configured, adopted, secrets, names, replaced)
for part in PARTS:
    if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
        in_rooms(part)
finish()
