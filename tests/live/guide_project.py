"""examples/ouroboros as it runs on the real test cluster: windows are left out and soaks are short; images are local ones;
services are asked through the API server's proxy, since the cluster has no DNS."""
import os, pathlib, re, shutil, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, Project

# What is run together, in this order. The parts have namespaces of their own, so that they can be tested side by side; a
# recording is made of one after the other, with the names that every machine replays.
PARTS = {"settings": ["change-configuration", "feature-flag"], "canary": ["canary", "canary-that-is-not-well"],
         "colours": ["blue-green", "emergency", "return-from-emergency"]}
PART = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] in PARTS else ""
OWN = f"-{PART}" if PART and not os.environ.get("MIGC_RECORD") else ""
NAMESPACES = {"staging": f"migc-guide{OWN}-staging", "production": f"migc-guide{OWN}"}
GATEWAY, PORT = "10.244.0.1", 18003 + (1 + list(PARTS).index(PART) if OWN else 0)
TRANSCRIPTS = SOURCE / "tests/live/transcripts"


def health(service, environment="staging", name="health"):
    return ["--set", f"{name}=http://{GATEWAY}:{PORT}/api/v1/namespaces/{NAMESPACES[environment]}/services/{service}:80/proxy/health"]


SHORT, DOOR, WEB = ["--set", "soak-time=2s"], "monadic-pipeline-service", "monadic-pipeline-webapi-service"
# What is run, and how it ends.
RUNS = {
    "change-configuration": (["change-configuration.mig", *SHORT, *health(WEB), *health(WEB, name="end-to-end")], 0),
    "feature-flag": (["feature-flag.mig", *SHORT], 0),
    "canary": (["canary.mig", *SHORT, *health(DOOR)], 0),
    "canary-that-is-not-well": (["canary.mig", *SHORT, *health(DOOR + "-not")], 1),
    "blue-green": (["blue-green.mig", *SHORT, *health(DOOR)], 0),
    "emergency": (["emergency.mig", *health(DOOR, "production")], 0),
    "return-from-emergency": (["return-from-emergency.mig", *SHORT, *health(DOOR)], 0),
}


def options_of(name):
    return RUNS[name][0]


def guide_project(context):
    project = Project()
    shutil.copytree(SOURCE / "examples/ouroboros", project.folder, dirs_exist_ok=True)
    for path in [*project.folder.glob("*.mig"), *project.folder.glob("k8s/*.yaml"), project.folder / "migc.yaml"]:
        text = re.sub(r"adaptive-systems[\w./-]+:1\.[45]\.\d", "local/web:1", path.read_text()).replace("    gate window \"sat 02:00-04:00 Europe/Berlin\";\n", "")
        text = re.sub(r"context: ionos-\w+", f"context: {context}", text).replace("curlimages/curl:8.10.1", "local/web:1")
        text = text.replace("namespace: monadic-pipeline-staging", f"namespace: {NAMESPACES['staging']}").replace("namespace: monadic-pipeline\n", f"namespace: {NAMESPACES['production']}\n")
        path.write_text(text)
    # The name under which a server keeps what is applied: not that of the folder, which is another one each time.
    project.write("migc.yaml", "project: ouroboros\n" + project.read("migc.yaml"))
    project.write("canary.mig", project.read("canary.mig").replace(" of 4", " of 2"))
    return project
