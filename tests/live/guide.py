#!/usr/bin/env python3
"""The migration guide's scripts of examples/ouroboros against a real cluster: what they do, and that they take it back. Windows
are left out and soaks are short; images are local ones; services are asked through the API server's proxy, since the cluster
has no DNS. See cluster.py for which cluster."""
import json, os, re, shutil, subprocess

from cluster import CONTEXT, kubectl, make_namespace
from support import SOURCE, Project, check, finish

NAMESPACES = {"staging": f"migc-{os.getpid()}-guide-staging", "production": f"migc-{os.getpid()}-guide"}
GATEWAY, PORT = "10.244.0.1", 18003


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
          readinessProbe: {{httpGet: {{path: /health, port: 8080}}, periodSeconds: 1}}
{reads}---
"""


def service(name, selector):
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {json.dumps(selector)}, ports: [{{port: 80, targetPort: 8080}}]}}\n---\n"


project = Project()
shutil.copytree(SOURCE / "examples/ouroboros", project.folder, dirs_exist_ok=True)
for path in [*project.folder.glob("*.mig"), *project.folder.glob("k8s/*.yaml"), project.folder / "migc.yaml"]:
    text = re.sub(r"adaptive-systems[\w./-]+:1\.[45]\.\d", "local/web:1", path.read_text()).replace("    gate window \"sat 02:00-04:00 Europe/Berlin\";\n", "")
    text = re.sub(r"context: ionos-\w+", f"context: {CONTEXT}", text).replace("curlimages/curl:8.10.1", "local/web:1")
    text = text.replace("namespace: monadic-pipeline-staging", f"namespace: {NAMESPACES['staging']}").replace("namespace: monadic-pipeline\n", f"namespace: {NAMESPACES['production']}\n")
    path.write_text(text)
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


def health(name):
    return f"health=http://{GATEWAY}:{PORT}/api/v1/namespaces/{NAMESPACES['staging']}/services/{name}:80/proxy/health"


def live(what, field):
    return [kubectl("-n", n, "get", what, "-o", f"jsonpath={field}") for n in NAMESPACES.values()]


def state():
    """What the scripts change: replicas, what the services select, and the settings."""
    return live("deployments", "{range .items[*]}{.metadata.name}={.spec.replicas} {end}") + live("service/monadic-pipeline-service", "{.spec.selector.version}") + live("configmap/monadic-pipeline-config", "{.data}")


def run(script, *options):
    return project.migc("run", script, *options)


try:
    before, door, web = state(), health("monadic-pipeline-service"), health("monadic-pipeline-webapi-service")
    short = ["--set", "soak-time=2s"]
    done = run("change-configuration.mig", *short, "--set", web, "--set", web.replace("health=", "end-to-end="))
    check("scenario 1 runs", done.returncode == 0 and all("ollama-service" in text for text in live("configmap/monadic-pipeline-config", "{.data}")), done.stdout)
    check("and is taken back, files and all", project.migc("undo", "last").returncode == 0 and state() == before and "localhost" in project.read("appsettings.Production.json"))
    done = run("feature-flag.mig", *short)
    check("a flag is rolled out", done.returncode == 0 and '"UseRedisCache": true,  // Enable gradually' in project.read("appsettings.Production.json"), done.stdout)
    check("and taken back", project.migc("undo", "last").returncode == 0 and state() == before)
    project.write("canary.mig", project.read("canary.mig").replace(" of 4", " of 2"))
    done = run("canary.mig", *short, "--set", door)
    check("a canary takes over", done.returncode == 0 and live("deployment/monadic-pipeline-stable", "{.spec.replicas}") == ["0", "0"], done.stdout)
    check("and gives back", project.migc("undo", "last").returncode == 0 and state() == before, str(state()))
    done = run("canary.mig", *short, "--set", door + "-not")
    check("a canary that is not well is taken back at once", done.returncode == 1 and state() == before, done.stdout)
    done = run("blue-green.mig", *short, "--set", door)
    check("green takes over from blue", done.returncode == 0 and live("service/monadic-pipeline-service", "{.spec.selector.version}") == ["green", "green"], done.stdout)
    done = run("emergency.mig", "--set", door.replace(NAMESPACES["staging"], NAMESPACES["production"]))
    check("in an emergency blue takes over again", done.returncode == 0 and live("service/monadic-pipeline-service", "{.spec.selector.version}")[1] == "blue", done.stdout)
    done = run("return-from-emergency.mig", *short, "--set", door)
    check("and green comes back, mended", done.returncode == 0 and live("service/monadic-pipeline-service", "{.spec.selector.version}") == ["green", "green"], done.stdout)
finally:
    proxy.terminate()
finish()
