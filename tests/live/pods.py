#!/usr/bin/env python3
"""What pods say and do, on a real cluster: logs, events, commands, jobs, files, backups; and programs that go on running.

Uses the cluster of KUBECONFIG, in a namespace of its own; see cluster.py."""
import os, pathlib, signal, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, kubectl, make_namespace
from harness import Project, check, finish, wait_for

NAMESPACE = f"migc-{os.getpid()}-pods"
make_namespace(NAMESPACE)


def here(*arguments, stdin=None):
    return kubectl("-n", NAMESPACE, *arguments, stdin=stdin)


def cron_job(name, command, image="local/web:1"):
    return f"""---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: {name}}}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {{spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, containers: [{{name: {name}, image: "{image}", imagePullPolicy: IfNotPresent, command: ["/bin/sh", "-c", "{command}"]}}]}}}}}}}}
"""


here("apply", "-f", "-", stdin="""apiVersion: apps/v1
kind: Deployment
metadata: {name: webapi}
spec:
  replicas: 2
  selector: {matchLabels: {app: webapi}}
  template:
    metadata: {labels: {app: webapi}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: local/web:1
          imagePullPolicy: IfNotPresent
          command: ["/bin/sh", "-c", "echo listening; exec httpd -f -vv -p 8080 -h /www"]
          readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 1, timeoutSeconds: 10}
        - {name: side, image: local/web:1, imagePullPolicy: IfNotPresent, command: ["/bin/sh", "-c", "echo side is here; sleep 100000"]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: store
          image: local/web:1
          imagePullPolicy: IfNotPresent
          command: ["/bin/sh", "-c", "for a in rm rmdir mkdir; do busybox ln -s busybox /bin/$a 2>/dev/null; done; mkdir -p /data/sub /etc; echo one > /data/a; echo two > '/data/sub/b; $(touch c)'; echo old > /etc/store.conf; sleep 100000"]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: crashes}
spec:
  selector: {matchLabels: {app: crashes}}
  template:
    metadata: {labels: {app: crashes}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: crashes, image: local/web:1, imagePullPolicy: IfNotPresent, command: ["/bin/sh", "-c", "echo before the end; sleep 3; exit 1"]}]
""" + cron_job("tidy", "echo tidied") + cron_job("breaks", "echo no such table; exit 3") + cron_job("missing", "true", "local/missing:1"))
here("rollout", "status", "deployment/webapi", "--timeout=120s")
here("rollout", "status", "statefulset/store", "--timeout=120s")

project = Project(**{
    "migc.yaml": f"""order: [staging]
environments: {{ staging: {{ context: {CONTEXT}, namespace: {NAMESPACE} }} }}
workloads: {{ store: statefulset/store }}
inside-image: local/web:1
""",
    "gateway.sh": "#!/bin/sh\necho begun\nsleep 1000 &\nwait\n",
    "dies.sh": "#!/bin/sh\necho port 80 is taken >&2\nexit 2\n",
    "new.conf": "new\n",
})
for script in ("gateway.sh", "dies.sh"):
    (project.folder / script).chmod(0o755)


def run(steps):
    project.write("script.mig", f"stage staging < {steps} > on failure undo;\n")
    return project.migc("run", "script.mig")


def stored():
    return here("exec", "store-0", "--", "sh", "-c", "cat /data/a /data/sub/* /etc/store.conf; ls /etc/fresh.conf 2>/dev/null")


def alive(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z " not in stat.read_text()


BEFORE = stored()
FAIL = "verify replicas of webapi is 9 within 1s;"

done = run("""
    restart webapi;
    verify pods ready of webapi;
    verify logs of webapi contains "listening";
    verify number of log lines of webapi matching "side is here" is 2;
    verify pods of webapi serving "response:200" is 2;
    verify number of log lines of crashes matching "before the end" at least 1;
    verify number of events matching "Killing .*webapi" at least 1;
    verify number of events matching "OOM" is 0;
    verify output of ["cat", "/etc/store.conf"] in store is "old";
    verify output of pod "local/web:1" ["echo", "a; $(b)"] is "a; $(b)";
    verify used space of "/data" in store above 1Ki;
    run job from "tidy" undo none because "it only tidies";
""")
check("logs, events, output of commands and of pods, space, a job", done.returncode == 0, done.stdout)
check("the job is removed when it is complete, and so is the pod of a command", not here("get", "jobs", "-o", "name") and "migc-output" not in here("get", "pods", "-o", "name"))

done = run(f"""
    backup "/data" of store to "backups/store.tar";
    verify digest of backup "backups/store.tar" is not absent;
    execute ["sh", "-c", "echo changed > /data/a; rm /data/sub/*"] in store undo execute ["sh", "-c", "echo one > /data/a; echo two > '/data/sub/b; $(touch c)'"] in store;
    restore "/data" of store from "backups/store.tar";
    verify output of ["cat", "/data/a", "/data/sub/b; $(touch c)"] in store is "one\\ntwo";
    copy "new.conf" into store at "/etc/store.conf";
    copy "new.conf" into store at "/etc/fresh.conf";
    verify output of ["cat", "/etc/store.conf"] in store is "new";
    copy "/data/a" of store to "got/a";
    start program ["gateway.sh", "--port", "$(80)"] as gateway;
    verify program gateway running;
    {FAIL}
""".replace("undo execute", "undo < execute").replace("'\"] in store;", "'\"] in store undo none because \"it is the way back\"; >;"))
check("backup, restore, copies and a program, all undone", done.returncode == 1 and stored() == BEFORE, done.stdout + stored())
check("what was copied out is here", project.read("got/a") == "one\n")
check("no program is left", not subprocess.run(["pgrep", "-f", str(project.folder / ".migc")], capture_output=True).stdout)

for steps, reason in {
    'run job from "breaks" undo none because "x";': "container breaks ended with exit code 3: no such table",
    'run job from "missing" undo none because "x";': "cannot start, so it was removed again",
    'run job from "a; --all $(touch pwned)" undo none because "x";': "is no name of a cron job",
    'execute ["sh", "-c", "echo bad >&2; exit 3"] in store undo none because "x";': "ended with exit code 3: bad",
    'execute ["nosuch"] in store undo none because "x";': "has no program `nosuch`",
    'backup "/www" of webapi to "www.tar";': "each has files of its own",
    'backup "/nosuch" of store to "nosuch.tar";': "No such file or directory",
    'copy "new.conf" into store at "/nosuch/x";': "No such file or directory",
    'restore "/www" of store from "backups/store.tar";': "is no backup of /www",
    'verify cpu of webapi below 1;': "it has no metrics server",
    'verify output of pod "local/web:1" ["nosuch"] is "x";': "has no program `nosuch`",
    'start program ["dies.sh"] as p;': "port 80 is taken",
}.items():
    done = run(steps)
    check(f"told at once: {reason}", done.returncode == 1 and reason in done.stdout, done.stdout)
check("nothing came of it", stored() == BEFORE and not (project.folder / "nosuch.tar").exists() and not (project.folder / "pwned").exists())

# A pod that dies in the middle of a backup: no file.
here("exec", "store-0", "--", "sh", "-c", "busybox dd if=/dev/zero of=/data/large bs=1M count=300 2>/dev/null")
project.write("script.mig", 'stage staging < backup "/data" of store to "cut.tar"; > on failure undo;\n')
process = project.start("run", "script.mig", stdout=subprocess.DEVNULL)
wait_for("the stream", lambda: any(f.stat().st_size > 1 << 20 for f in project.folder.glob(".cut*")) or process.poll() is not None)
here("delete", "pod/store-0", "--grace-period=0", "--force")
check("a stream that is cut off becomes no file", process.wait() == 1 and not list(project.folder.glob("*cut*")) and not list(project.folder.glob(".cut*")), str(list(project.folder.iterdir())))

# migc dies, its program lives on, and another migc ends it.
project.write("script.mig", 'stage staging < start program ["gateway.sh"] as gateway; verify replicas of webapi is 9 within 10m; > on failure undo;\n')
process = project.start("run", "script.mig", stdout=subprocess.DEVNULL)
runs = project.folder / ".migc/runs"
before = set(runs.glob("*/program.log.pid"))
wait_for("the program", lambda: set(runs.glob("*/program.log.pid")) - before)
process.send_signal(signal.SIGKILL)
process.wait()
log = max(runs.glob("*/program.log.pid"), key=lambda f: f.stat().st_mtime)
pid = int(log.read_text().split()[1])
check("the program outlives migc", alive(pid))
done = project.migc("undo", "last")
check("and is ended by a later undo", done.returncode == 0 and not alive(pid), done.stdout)
project.remove()
finish()
