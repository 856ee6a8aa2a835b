#!/usr/bin/env python3
"""The migration guide's scripts of examples/ouroboros against a real cluster: what they do, and that they take it back.
guide.py settings|canary|colours. Windows
are left out and soaks are short; images are local ones; services are asked through the API server's proxy, since the cluster
has no DNS. See cluster.py for which cluster."""
import gzip, json, os, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, kubectl, make_namespace
from guide_project import GATEWAY, NAMESPACES, PART, PORT, TRANSCRIPTS, guide_project, options_of
from harness import check, finish



def deployment(name, labels, replicas, reads=""):
    selector = json.dumps(labels)
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {selector}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {selector}}}
  template:
    metadata: {{labels: {selector}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: {"monadic-pipeline" if reads else "pipeline"}
          image: local/web:1
          imagePullPolicy: IfNotPresent
          command: ["sh", "-c", "echo Ollama is asked at $PIPELINE__LlmProvider__OllamaEndpoint; exec httpd -f -p 8080 -h /www"]
          readinessProbe: {{httpGet: {{path: /health, port: 8080}}, periodSeconds: 1, timeoutSeconds: 10}}
{reads}---
"""


def service(name, selector):
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {json.dumps(selector)}, ports: [{{port: 80, targetPort: 8080}}]}}\n---\n"


project = guide_project(CONTEXT)
config = project.read("k8s/configmap.yaml")
reads = "          envFrom: [{configMapRef: {name: monadic-pipeline-config}}]\n"
for namespace in NAMESPACES.values():
    make_namespace(namespace)
    objects = config + "---\n" + "".join([
        deployment("monadic-pipeline", {"app": "pipeline"}, 1, reads), deployment("monadic-pipeline-webapi", {"app": "monadic-pipeline-webapi"}, 1, reads),
        deployment("monadic-pipeline-blue", {"app": "monadic-pipeline", "version": "blue"}, 2), deployment("monadic-pipeline-stable", {"app": "monadic-pipeline", "version": "stable"}, 2),
        service("monadic-pipeline-webapi-service", {"app": "monadic-pipeline-webapi"}), service("monadic-pipeline-service", {"app": "monadic-pipeline", "version": "blue"})])
    kubectl("-n", namespace, "apply", "-f", "-", stdin=objects)
for namespace in NAMESPACES.values():
    kubectl("-n", namespace, "wait", "--for=condition=Available", "deployment", "--all", "--timeout=120s")
proxy = subprocess.Popen(["kubectl", "proxy", f"--address={GATEWAY}", f"--port={PORT}", "--accept-hosts=.*"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def live(what, field):
    return [kubectl("-n", n, "get", what, "-o", f"jsonpath={field}") for n in NAMESPACES.values()]


def state():
    """What the scripts change: replicas, what the services select, and the settings."""
    return live("deployments", "{range .items[*]}{.metadata.name}={.spec.replicas} {end}") + live("service/monadic-pipeline-service", "{.spec.selector.version}") + live("configmap/monadic-pipeline-config", "{.data}")


def run(name):
    """Runs a script as guide_project says; with MIGC_RECORD=1 its transcript is kept for tests/cli/replay.py."""
    script, *options = options_of(name)
    # What is asked before a run is not asked of a transcript.
    record = ["--record", "transcript", "--no-preflight"] if os.environ.get("MIGC_RECORD") else []
    done = project.migc("run", script, *options, *record)
    if record:
        (TRANSCRIPTS / f"{name}.gz").write_bytes(gzip.compress((project.folder / "transcript").read_bytes(), mtime=0))
    return done


def settings(before):
    done = run("change-configuration")
    check("scenario 1 runs", done.returncode == 0 and all("ollama-service" in text for text in live("configmap/monadic-pipeline-config", "{.data}")), done.stdout)
    check("and is taken back, files and all", project.migc("undo", "last").returncode == 0 and state() == before and "localhost" in project.read("appsettings.Production.json"))
    done = run("feature-flag")
    check("a flag is rolled out", done.returncode == 0 and '"UseRedisCache": true,  // Enable gradually' in project.read("appsettings.Production.json"), done.stdout)
    check("and taken back", project.migc("undo", "last").returncode == 0 and state() == before)


def canary(before):
    done = run("canary")
    check("a canary takes over", done.returncode == 0 and live("deployment/monadic-pipeline-stable", "{.spec.replicas}") == ["0", "0"], done.stdout)
    check("and gives back", project.migc("undo", "last").returncode == 0 and state() == before, str(state()))
    done = run("canary-that-is-not-well")
    check("a canary that is not well is taken back at once", done.returncode == 1 and state() == before, done.stdout)


def colours(_):
    done = run("blue-green")
    check("green takes over from blue", done.returncode == 0 and live("service/monadic-pipeline-service", "{.spec.selector.version}") == ["green", "green"], done.stdout)
    done = run("emergency")
    check("in an emergency blue takes over again", done.returncode == 0 and live("service/monadic-pipeline-service", "{.spec.selector.version}")[1] == "blue", done.stdout)
    done = run("return-from-emergency")
    check("and green comes back, mended", done.returncode == 0 and live("service/monadic-pipeline-service", "{.spec.selector.version}") == ["green", "green"], done.stdout)


try:
    {"settings": settings, "canary": canary, "colours": colours}[PART](state())
finally:
    proxy.terminate()
finish()
