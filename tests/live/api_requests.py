#!/usr/bin/env python3
"""What the API server says to requests, right and wrong, and whether it still says so: `api_answers.json` keeps requests and answers, and
the unit tests ask the simulated cluster the same. `--record` writes it anew."""
import copy, json, os, pathlib, subprocess, sys

from cluster import kubectl, make_namespace
from harness import check, finish

ANSWERS = pathlib.Path(__file__).resolve().parent / "api_answers.json"
APPLY = ["apply", "--server-side", "--field-manager=migc", "-f", "-"]


def put(thing, pointer, value):
    """The object with the value at the pointer; `...` takes away what is there."""
    thing = copy.deepcopy(thing)
    *path, last = [p.replace("~1", "/") for p in pointer.strip("/").split("/")]
    at = thing
    for step in path:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    last = int(last) if isinstance(at, list) else last
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return thing


def kind(name, version, spec=None, **more):
    return {"apiVersion": version, "kind": name, "metadata": {"name": "web"}, **({"spec": spec} if spec is not None else {}), **more}


POD = {"containers": [{"name": "web", "image": "shop/web:1"}]}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": POD}
SELECTOR = {"matchLabels": {"app": "web"}}
DEPLOYMENT = kind("Deployment", "apps/v1", {"replicas": 2, "selector": SELECTOR, "template": TEMPLATE})
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SET = kind("StatefulSet", "apps/v1", {"serviceName": "web", "replicas": 1, "selector": SELECTOR, "template": TEMPLATE,
                                     "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": CLAIM}]})
DAEMON = kind("DaemonSet", "apps/v1", {"selector": SELECTOR, "template": TEMPLATE})
JOB = kind("Job", "batch/v1", {"template": {"spec": {**POD, "restartPolicy": "Never"}}})
CRON = kind("CronJob", "batch/v1", {"schedule": "5 2 * * *", "jobTemplate": {"spec": JOB["spec"]}})
SERVICE = kind("Service", "v1", {"selector": {"app": "web"}, "ports": [{"port": 80}]})
MAP = kind("ConfigMap", "v1", data={"a": "1"})
SECRET = kind("Secret", "v1", stringData={"a": "1"})
PVC = kind("PersistentVolumeClaim", "v1", CLAIM)
HPA = kind("HorizontalPodAutoscaler", "autoscaling/v2", {"minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}})
BUDGET = kind("PodDisruptionBudget", "policy/v1", {"minAvailable": 1, "selector": SELECTOR})
ROUTE = kind("Ingress", "networking.k8s.io/v1", {"rules": [{"host": "shop.example.org", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]})
CONTAINER = "/spec/template/spec/containers/0"

# name: (what is there before, arguments, standard input)
CASES = {}


def case(name, thing, before=(), arguments=APPLY):
    CASES[name] = (list(before), arguments, thing)


def changed(name, thing, pointer, value):
    """First the thing as it is, then with that value."""
    case(name, put(thing, pointer, value), [thing])


for thing in (DEPLOYMENT, SET, DAEMON, JOB, CRON, SERVICE, MAP, SECRET, PVC, HPA, BUDGET, ROUTE):
    case(f"{thing['kind']} as it should be", thing)
    case(f"{thing['kind']} applied again", thing, [thing])

# values of other types
for name, pointer, value in [
    ("a number for a variable", CONTAINER + "/env", [{"name": "P", "value": 8080}]),
    ("true for a variable", CONTAINER + "/env", [{"name": "P", "value": True}]),
    ("a text for a variable", CONTAINER + "/env", [{"name": "P", "value": "8080"}]),
    ("a variable without name", CONTAINER + "/env", [{"value": "8080"}]),
    ("a variable with value and source", CONTAINER + "/env", [{"name": "P", "value": "1", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}]),
    ("a variable's source without key", CONTAINER + "/env", [{"name": "P", "valueFrom": {"configMapKeyRef": {"name": "m"}}}]),
    ("replicas as text", "/spec/replicas", "3"), ("half a replica", "/spec/replicas", 3.5), ("less than no replica", "/spec/replicas", -3),
    ("no replica", "/spec/replicas", 0), ("a number as label", "/metadata/labels", {"rev": 12}), ("true as annotation", "/metadata/annotations", {"on": True}),
    ("a number as label of the template", "/spec/template/metadata/labels", {"app": "web", "rev": 12}),
    ("a number in the selector", "/spec/selector/matchLabels", {"app": 1}),
    ("a label with a blank", "/metadata/labels", {"rev": "a b"}), ("a label's name with a blank", "/metadata/labels", {"a b": "x"}),
    ("a label that is too long", "/metadata/labels", {"rev": "x" * 64}),
    ("a name in upper case", "/metadata/name", "Web"), ("a name with a blank", "/metadata/name", "we b"), ("no name", "/metadata/name", ...),
    ("a port as text", CONTAINER + "/ports", [{"containerPort": "80"}]), ("a port that is too high", CONTAINER + "/ports", [{"containerPort": 70000}]),
    ("a port of another protocol", CONTAINER + "/ports", [{"containerPort": 80, "protocol": "HTTP"}]),
    ("a port's name that is too long", CONTAINER + "/ports", [{"containerPort": 80, "name": "a-name-that-is-long"}]),
    ("no image", CONTAINER + "/image", ...), ("an image with a blank", CONTAINER + "/image", "shop/web:1 "), ("a number as image", CONTAINER + "/image", 1),
    ("no name of a container", CONTAINER + "/name", ...), ("a container's name with an underscore", CONTAINER + "/name", "we_b"),
    ("no containers", "/spec/template/spec/containers", []), ("two containers of one name", "/spec/template/spec/containers", POD["containers"] * 2),
    ("no selector", "/spec/selector", ...), ("a selector of expressions", "/spec/selector", {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}),
    ("a selector of expressions that does not match", "/spec/selector", {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}),
    ("an operator that there is not", "/spec/selector", {"matchExpressions": [{"key": "app", "operator": "Is", "values": ["web"]}]}),
    ("labels that the selector does not match", "/spec/template/metadata/labels", {"app": "other"}), ("no labels in the template", "/spec/template/metadata", ...),
    ("a quantity of its own", CONTAINER + "/resources", {"requests": {"memory": "2 GB"}}), ("a quantity in megabytes", CONTAINER + "/resources", {"requests": {"memory": "200MB"}}),
    ("less than no cpu", CONTAINER + "/resources", {"requests": {"cpu": "-1"}}), ("a number of cpus", CONTAINER + "/resources", {"requests": {"cpu": 1}}),
    ("half a cpu as number", CONTAINER + "/resources", {"requests": {"cpu": 0.5}}),
    ("more requested than allowed", CONTAINER + "/resources", {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
    ("a mount of no volume", CONTAINER + "/volumeMounts", [{"name": "data", "mountPath": "/data"}]), ("two volumes of one name", "/spec/template/spec/volumes", [{"name": "a", "emptyDir": {}}] * 2),
    ("a volume of a claim", "/spec/template/spec/volumes", [{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}]),
    ("pods that are not restarted", "/spec/template/spec/restartPolicy", "Never"), ("a strategy that there is not", "/spec/strategy", {"type": "Sometimes"}),
    ("a strategy without room", "/spec/strategy", {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}), ("recreate with room", "/spec/strategy", {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
    ("a strategy in words", "/spec/strategy", {"rollingUpdate": {"maxSurge": "some"}}),
    ("a probe without a way", CONTAINER + "/readinessProbe", {"periodSeconds": 5}), ("a probe by http", CONTAINER + "/readinessProbe", {"httpGet": {"path": "/", "port": 80}}),
    ("a probe without port", CONTAINER + "/readinessProbe", {"httpGet": {"path": "/"}}), ("a probe with two ways", CONTAINER + "/readinessProbe", {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}),
    ("a policy of pulling that there is not", CONTAINER + "/imagePullPolicy", "Sometimes"), ("a field that there is not", "/spec/replica", 3), ("a field of a container that there is not", CONTAINER + "/imagee", "x"),
    ("a deadline below none", "/spec/progressDeadlineSeconds", -1), ("a deadline within the time of being ready", "/spec", {**DEPLOYMENT["spec"], "progressDeadlineSeconds": 10, "minReadySeconds": 20}),
    ("a toleration without key", "/spec/template/spec/tolerations", [{"operator": "Equal", "value": "x"}]), ("a grace below none", "/spec/template/spec/terminationGracePeriodSeconds", -1),
    ("a field that is null", "/spec/minReadySeconds", None), ("no spec", "/spec", ...), ("a kind that there is not", "/kind", "Deploymentt"), ("a version that there is not", "/apiVersion", "apps/v7"),
    ("variables of a map without name", CONTAINER + "/envFrom", [{"configMapRef": {}}]), ("variables of nothing", CONTAINER + "/envFrom", [{}]),
    ("a first container without image", "/spec/template/spec/initContainers", [{"name": "first"}]),
]:
    case(name, put(DEPLOYMENT, pointer, value))
for name, thing, pointer, value in [
    ("a number in a map", MAP, "/data", {"port": 6379}), ("true in a map", MAP, "/data", {"on": True}), ("a map in a map", MAP, "/data", {"a": {"b": "c"}}), ("a list in a map", MAP, "/data", {"a": ["b"]}),
    ("null in a map", MAP, "/data", {"a": None}), ("a key with a blank", MAP, "/data", {"a b": "1"}), ("a key of a file", MAP, "/data", {"app.settings_1.json": "{}"}), ("a map without data", MAP, "/data", ...),
    ("a key in both", MAP, "/binaryData", {"a": "MQ=="}), ("binary data that are none", MAP, "/binaryData", {"b": "%%"}), ("true as immutable", MAP, "/immutable", "yes"),
    ("a secret in no base64", SECRET, "/data", {"b": "a b"}), ("a secret in base64", SECRET, "/data", {"b": "MQ=="}), ("a number in a secret", SECRET, "/stringData", {"a": 1}),
    ("a service without ports", SERVICE, "/spec/ports", ...), ("a headless service without ports", SERVICE, "/spec", {"clusterIP": "None", "selector": {"app": "web"}}), ("a service's port as text", SERVICE, "/spec/ports/0/port", "80"),
    ("a service's port that is too high", SERVICE, "/spec/ports/0/port", 70000), ("a service's target by name", SERVICE, "/spec/ports/0/targetPort", "http"), ("a service's target zero", SERVICE, "/spec/ports/0/targetPort", 0),
    ("two ports without names", SERVICE, "/spec/ports", [{"port": 80}, {"port": 81}]), ("two ports of one number", SERVICE, "/spec/ports", [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]), ("a type that there is not", SERVICE, "/spec/type", "Public"),
    ("a service's address that is none", SERVICE, "/spec/clusterIP", "10.0.0"), ("a number in a service's selector", SERVICE, "/spec/selector", {"rev": 1}), ("a port of a node that is too low", SERVICE, "/spec", {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}),
    ("a service of an outer name", SERVICE, "/spec", {"type": "ExternalName", "externalName": "db.example.org"}), ("a service's name that begins with a digit", SERVICE, "/metadata/name", "1web"),
    ("a claim without a size", PVC, "/spec/resources", ...), ("a claim without a mode", PVC, "/spec/accessModes", ...), ("a claim of a mode that there is not", PVC, "/spec/accessModes", ["ReadWriteSometimes"]), ("a claim of no size", PVC, "/spec/resources/requests/storage", "0"),
    ("a claim of a size that is none", PVC, "/spec/resources/requests/storage", "1 GB"),
    ("fewer at most than at least", HPA, "/spec/minReplicas", 5), ("no most", HPA, "/spec/maxReplicas", ...), ("none at least", HPA, "/spec/minReplicas", 0), ("an autoscaler of nothing", HPA, "/spec/scaleTargetRef", ...),
    ("a utilization below one", HPA, "/spec/metrics", [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 0}}}]),
    ("a budget of both", BUDGET, "/spec/maxUnavailable", 1), ("a budget in percent", BUDGET, "/spec/minAvailable", "50%"), ("a budget in words", BUDGET, "/spec/minAvailable", "half"), ("a budget below none", BUDGET, "/spec/minAvailable", -1),
    ("a path without type", ROUTE, "/spec/rules/0/http/paths/0/pathType", ...), ("a path that is relative", ROUTE, "/spec/rules/0/http/paths/0/path", "shop"), ("a host in upper case", ROUTE, "/spec/rules/0/host", "Shop.example.org"), ("a rule without backend", ROUTE, "/spec/rules/0/http/paths/0/backend", ...), ("an ingress without rules", ROUTE, "/spec", {}),
    ("a set without service", SET, "/spec/serviceName", ...), ("a set that creates anew", SET, "/spec/updateStrategy", {"type": "Recreate"}), ("a set that waits for deletion", SET, "/spec/updateStrategy", {"type": "OnDelete"}),
    ("a daemon with replicas", DAEMON, "/spec/replicas", 1), ("a job that is always restarted", JOB, "/spec/template/spec/restartPolicy", "Always"), ("a job without policy", JOB, "/spec/template/spec/restartPolicy", ...), ("a job of less than none", JOB, "/spec/completions", -1),
    ("a job with a selector", JOB, "/spec/selector", SELECTOR), ("a schedule that is none", CRON, "/spec/schedule", "at night"), ("a schedule by word", CRON, "/spec/schedule", "@daily"), ("a schedule of four", CRON, "/spec/schedule", "5 2 * *"), ("a policy of concurrency that there is not", CRON, "/spec/concurrencyPolicy", "Never"),
]:
    case(name, put(thing, pointer, value))

case("a mount of a set's claim", put(SET, CONTAINER + "/volumeMounts", [{"name": "data", "mountPath": "/data"}]))
# Of the pods of a set the server looks at the types alone; making the pods fails then.
for name, pointer, value in [("a set without image", CONTAINER + "/image", ...), ("a port of a set that is too high", CONTAINER + "/ports", [{"containerPort": 70000}]), ("a variable of a set without name", CONTAINER + "/env", [{"value": "1"}]),
                             ("a number for a variable of a set", CONTAINER + "/env", [{"name": "P", "value": 1}]), ("a quantity of a set of its own", CONTAINER + "/resources", {"requests": {"memory": "2 GB"}}), ("two containers of one name in a set", "/spec/template/spec/containers", POD["containers"] * 2),
                             ("no containers in a set", "/spec/template/spec/containers", []), ("pods of a set that are not restarted", "/spec/template/spec/restartPolicy", "Never"), ("a probe of a set without a way", CONTAINER + "/readinessProbe", {"periodSeconds": 5})]:
    case(name, put(SET, pointer, value))
case("a mount of no claim of a set", put(SET, CONTAINER + "/volumeMounts", [{"name": "date", "mountPath": "/data"}]))

# what cannot be changed
for name, thing, pointer, value in [
    ("another selector", DEPLOYMENT, "/spec", {**DEPLOYMENT["spec"], "selector": {"matchLabels": {"tier": "web"}}, "template": put(TEMPLATE, "/metadata/labels", {"app": "web", "tier": "web"})}),
    ("another image", DEPLOYMENT, CONTAINER + "/image", "shop/web:2"), ("more replicas", DEPLOYMENT, "/spec/replicas", 3), ("another strategy", DEPLOYMENT, "/spec/strategy", {"type": "Recreate"}),
    ("another selector of a daemon", DAEMON, "/spec", {"selector": {"matchLabels": {"tier": "web"}}, "template": put(TEMPLATE, "/metadata/labels", {"app": "web", "tier": "web"})}),
    ("a larger claim template", SET, "/spec/volumeClaimTemplates/0/spec/resources/requests/storage", "2Gi"), ("another service of a set", SET, "/spec/serviceName", "other"), ("another policy of pods of a set", SET, "/spec/podManagementPolicy", "Parallel"),
    ("more replicas of a set", SET, "/spec/replicas", 3), ("another image of a set", SET, CONTAINER + "/image", "shop/web:2"), ("no claim templates any more", SET, "/spec/volumeClaimTemplates", ...),
    ("another image of a job", JOB, CONTAINER + "/image", "shop/web:2"), ("more completions of a job", JOB, "/spec/completions", 3), ("more at once of a job", JOB, "/spec/parallelism", 3), ("another schedule", CRON, "/spec/schedule", "6 3 * * *"),
    ("another image of a cron job", CRON, "/spec/jobTemplate/spec/template/spec/containers/0/image", "shop/web:2"),
    ("another type of a secret", SECRET, "/type", "example.org/other"), ("another port", SERVICE, "/spec/ports/0/port", 81), ("another selector of a service", SERVICE, "/spec/selector", {"app": "other"}), ("no address any more", SERVICE, "/spec/clusterIP", "None"),
    ("another type of a service", SERVICE, "/spec/type", "NodePort"), ("a smaller claim", PVC, "/spec/resources/requests/storage", "500Mi"), ("another mode of a claim", PVC, "/spec/accessModes", ["ReadWriteMany"]), ("another class of a claim", PVC, "/spec/storageClassName", "fast"),
    ("a larger claim that is not bound", PVC, "/spec/resources/requests/storage", "2Gi"), ("another target of an autoscaler", HPA, "/spec/scaleTargetRef/name", "other"), ("another budget", BUDGET, "/spec/minAvailable", 2), ("another selector of a budget", BUDGET, "/spec/selector", {"matchLabels": {"app": "x"}}),
]:
    changed(name, thing, pointer, value)
for thing, field in ((MAP, "data"), (SECRET, "stringData")):
    fixed = put(thing, "/immutable", True)
    case(f"another value of an immutable {thing['kind']}", put(fixed, f"/{field}/a", "2"), [fixed])
    case(f"an immutable {thing['kind']} that is no more", put(fixed, "/immutable", ...), [fixed])
    case(f"a {thing['kind']} that becomes immutable", fixed, [thing])
    case(f"a label for an immutable {thing['kind']}", put(fixed, "/metadata/labels", {"rev": "2"}), [fixed])

# other ways of writing
for name, before, arguments in [
    ("patch: replicas", DEPLOYMENT, ["patch", "deployment/web", "--type=merge", "-p", '{"spec":{"replicas":3}}']),
    ("patch: replicas as text", DEPLOYMENT, ["patch", "deployment/web", "--type=merge", "-p", '{"spec":{"replicas":"3"}}']),
    ("patch: replicas below none", DEPLOYMENT, ["patch", "deployment/web", "--type=merge", "-p", '{"spec":{"replicas":-1}}']),
    ("patch: the selector", DEPLOYMENT, ["patch", "deployment/web", "--type=merge", "-p", '{"spec":{"selector":{"matchLabels":{"app":"x"}}}}']),
    ("patch: a number as label", DEPLOYMENT, ["patch", "deployment/web", "--type=merge", "-p", '{"metadata":{"labels":{"rev":12}}}']),
    ("patch: a number as annotation, by pointer", DEPLOYMENT, ["patch", "deployment/web", "--type=json", "-p", '[{"op":"add","path":"/metadata/annotations","value":{"a":1}}]']),
    ("patch: an annotation, slash not escaped", put(DEPLOYMENT, "/metadata/annotations", {"example.org/rev": "1"}), ["patch", "deployment/web", "--type=json", "-p", '[{"op":"replace","path":"/metadata/annotations/example.org/rev","value":"2"}]']),
    ("patch: an annotation, slash escaped", put(DEPLOYMENT, "/metadata/annotations", {"example.org/rev": "1"}), ["patch", "deployment/web", "--type=json", "-p", '[{"op":"replace","path":"/metadata/annotations/example.org~1rev","value":"2"}]']),
    ("patch: a test that fails", DEPLOYMENT, ["patch", "deployment/web", "--type=json", "-p", '[{"op":"test","path":"/spec/replicas","value":5},{"op":"replace","path":"/spec/replicas","value":3}]']),
    ("patch: removing what is not there", DEPLOYMENT, ["patch", "deployment/web", "--type=json", "-p", '[{"op":"remove","path":"/spec/nothing"}]']),
    ("patch: a variable's number", DEPLOYMENT, ["patch", "deployment/web", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"P","value":1}]}]}}}}']),
    ("patch: a variable's text", DEPLOYMENT, ["patch", "deployment/web", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"P","value":"1"}]}]}}}}']),
    ("patch: a number in a map", MAP, ["patch", "configmap/web", "--type=merge", "-p", '{"data":{"a":2}}']),
    ("patch: no image", DEPLOYMENT, ["patch", "deployment/web", "--type=json", "-p", '[{"op":"remove","path":"/spec/template/spec/containers/0/image"}]']),
    ("patch: a service's address", SERVICE, ["patch", "service/web", "--type=merge", "-p", '{"spec":{"clusterIP":"10.0.0.77"}}']),
    ("patch: no replicas", DEPLOYMENT, ["patch", "deployment/web", "--type=merge", "-p", '{"spec":{"replicas":null}}']),
    ("patch: a field that there is not", DEPLOYMENT, ["patch", "deployment/web", "--type=merge", "-p", '{"spec":{"replica":3}}']),
    ("scale: below none", DEPLOYMENT, ["scale", "deployment/web", "--replicas=-1"]),
    ("scale: another number expected", DEPLOYMENT, ["scale", "deployment/web", "--replicas=3", "--current-replicas=7"]),
    ("scale: a daemon", DAEMON, ["scale", "daemonset/web", "--replicas=3"]), ("scale: a job", JOB, ["scale", "job/web", "--replicas=3"]), ("scale: what is not there", MAP, ["scale", "deployment/other", "--replicas=3"]),
    ("set image: of no container", DEPLOYMENT, ["set", "image", "deployment/web", "other=shop/web:2"]), ("set image: of a job", JOB, ["set", "image", "job/web", "web=shop/web:2"]), ("set image: with a blank", DEPLOYMENT, ["set", "image", "deployment/web", "web=shop/web:2 "]),
    ("set image: empty", DEPLOYMENT, ["set", "image", "deployment/web", "web="]),
    ("label: a blank", DEPLOYMENT, ["label", "deployment/web", "rev=a b"]), ("label: another value", put(DEPLOYMENT, "/metadata/labels", {"rev": "1"}), ["label", "deployment/web", "rev=2"]),
    ("annotate: anything", DEPLOYMENT, ["annotate", "deployment/web", "why=a b / c"]), ("delete: what is not there", MAP, ["delete", "configmap/other"]),
    ("rollout: of a job", JOB, ["rollout", "restart", "job/web"]), ("rollout: of a daemon", DAEMON, ["rollout", "restart", "daemonset/web"]),
]:
    CASES[name] = ([before], arguments, None)

# whose field it is
for name, pointer, value, arguments in [
    ("owned: another's replicas", "/spec/replicas", 5, ["apply", "--server-side", "--field-manager=other", "-f", "-"]),
    ("owned: the same replicas", "/spec/replicas", 2, ["apply", "--server-side", "--field-manager=other", "-f", "-"]),
    ("owned: another's replicas, by force", "/spec/replicas", 5, ["apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-"]),
    ("owned: another's image", CONTAINER + "/image", "shop/web:9", ["apply", "--server-side", "--field-manager=other", "-f", "-"]),
    ("owned: one's own replicas", "/spec/replicas", 5, APPLY),
]:
    case(name, put(DEPLOYMENT, pointer, value), [DEPLOYMENT], arguments)
case("create: what is there", MAP, [MAP], ["create", "-f", "-"])
case("replace: what is not there", MAP, [], ["replace", "-f", "-"])
case("replace: a number in a map", put(MAP, "/data", {"a": 1}), [MAP], ["replace", "-f", "-"])
case("a new object's version", put(MAP, "/metadata/resourceVersion", "7"), [MAP])


def ask(name_space, arguments, thing):
    return subprocess.run(["kubectl", "--namespace", name_space, *arguments], input="" if thing is None else json.dumps(thing), capture_output=True, text=True)


def answer(number, before, arguments, thing):
    name_space = f"migc-api-{os.getpid()}-{number}"
    make_namespace(name_space)
    for one in before:
        assert ask(name_space, APPLY, one).returncode == 0, one
    done = ask(name_space, arguments, thing)
    # What differs from one server, day or namespace to the next is left out.
    errors = "\n".join(line for line in done.stderr.splitlines() if not line.startswith(("Warning", "Please review", "Flag "))).replace(name_space, "shop")
    return {"before": before, "arguments": arguments, "input": thing, "accepted": done.returncode == 0, "errors": errors[:600] if done.returncode else ""}


now = {name: answer(i, *parts) for i, (name, parts) in enumerate(CASES.items())}
if "--record" in sys.argv:
    ANSWERS.write_text(json.dumps(now, indent=1) + "\n")
kept = json.loads(ANSWERS.read_text())
check("the table has all requests", list(kept) == list(now), set(kept) ^ set(now))
for name, is_now in now.items():
    same = all(kept.get(name, {}).get(part) == is_now[part] for part in ("arguments", "input", "accepted"))
    check(name, same, (is_now["errors"], kept.get(name, {}).get("errors")))
finish()
