#!/usr/bin/env python3
"""A kubectl for tests without a cluster: the objects of several contexts in one file, with what a server minds (versions,
identities, tests of JSON patches) and a ledger of who did what to which object in which context and namespace.

    FAKE_CLUSTER=file.json kubectl --context staging --namespace shop get configmap/settings -o json"""
import base64, copy, fcntl, json, os, re, sys, uuid

KINDS = {"configmap": ("ConfigMap", "v1"), "secret": ("Secret", "v1"), "service": ("Service", "v1"), "namespace": ("Namespace", "v1"),
         "deployment": ("Deployment", "apps/v1"), "hpa": ("HorizontalPodAutoscaler", "autoscaling/v2"), "pod": ("Pod", "v1"),
         "replicaset": ("ReplicaSet", "apps/v1"), "node": ("Node", "v1"), "horizontalpodautoscaler": ("HorizontalPodAutoscaler", "autoscaling/v2")}


def fail(words, code=1):
    sys.stderr.write(words + "\n")
    sys.exit(code)


def type_of(word):
    word = word.split(".")[0].lower()
    if word == "hpa":
        return "horizontalpodautoscaler"
    for name in KINDS:
        if word in (name, name + "s"):
            return name
    fail(f'error: the server doesn\'t have a resource type "{word}"')


class Cluster:
    def __init__(self, path):
        self.file = open(path, "r+")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.all = json.load(self.file)

    def save(self):
        self.file.seek(0)
        self.file.truncate()
        json.dump(self.all, self.file, indent=1)


def options_of(argv):
    """Options and words; only those that tests need take a value."""
    valued = {"--kubeconfig", "--context", "--namespace", "-n", "-o", "--output", "-f", "-p", "--patch-file", "--type", "--field-manager", "--raw",
              "--current-replicas", "--replicas", "--resource-version", "-l", "--selector", "--timeout", "--request-timeout"}
    options, words, at = {}, [], 0
    while at < len(argv):
        word = argv[at]
        name, equals, value = word.partition("=")
        if word.startswith("-") and word not in ("-", "--"):
            if equals:
                options[name] = value
            elif name in valued:
                at += 1
                options[name] = argv[at]
            else:
                options[name] = "true"
        else:
            words.append(word)
        at += 1
    return options, words


def merged(target, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def json_patched(target, operations):
    target = copy.deepcopy(target)
    for one in operations:
        tokens = [t.replace("~1", "/").replace("~0", "~") for t in one["path"].split("/")[1:]]
        parent = target
        try:
            for token in tokens[:-1]:
                parent = parent[int(token)] if isinstance(parent, list) else parent[token]
            last = int(tokens[-1]) if isinstance(parent, list) and tokens[-1] != "-" else tokens[-1]
            if one["op"] == "test" and parent[last] != one["value"]:
                raise KeyError
            if one["op"] in ("replace", "remove"):
                parent[last]
        except (KeyError, IndexError, TypeError):
            fail(f'The request is invalid: the server rejected our request due to an error in our request: testing path {one["path"]} value failed')
        if one["op"] in ("add", "replace"):
            parent[last] = one["value"]
        elif one["op"] == "remove":
            del parent[last]
    return target


def manage(argv):
    options, words = options_of(argv)
    cluster = Cluster(os.environ["FAKE_CLUSTER"])
    if words[:1] == ["config"]:
        current = cluster.all["current-context"]
        print("\n".join(cluster.all["contexts"]) if words[1] == "get-contexts" else current)
        return
    if words[:1] == ["version"]:
        print(json.dumps({"clientVersion": {"gitVersion": "v1.31.0"}, "serverVersion": {"gitVersion": "v1.31.0"}}))
        return
    context = options.get("--context", cluster.all["current-context"])
    if context not in cluster.all["contexts"]:
        fail(f'error: context "{context}" does not exist')
    here = cluster.all["contexts"][context]
    space = options.get("--namespace", options.get("-n", "default"))
    verb, words = words[0], words[1:]

    def note(what):
        cluster.all["ledger"].append(f"{context} {space} {what}")

    def stored(name):
        return here["objects"].get(name)

    def key(kind, name, where=None):
        return f"{where or space}/{kind}/{name}" if kind not in ("namespace", "node") else f"/{kind}/{name}"

    def put(name, obj, manager):
        here["version"] += 1
        meta = obj.setdefault("metadata", {})
        meta.setdefault("uid", str(uuid.uuid4()))
        meta["resourceVersion"] = str(here["version"])
        if obj["kind"] == "Deployment":  # its controller is quick
            count = obj["spec"]["replicas"]
            meta["generation"] = meta.get("generation", 1) + 1
            obj["status"] = {"observedGeneration": meta["generation"],
                             **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)}
        here["objects"][name] = obj
        cluster.save()

    def out(obj):
        shape = options.get("-o", options.get("--output", ""))
        if shape == "json":
            print(json.dumps(obj))
        elif shape.startswith("jsonpath="):
            path = shape[len("jsonpath={."):-1]
            filtered = re.match(r'items\[\?\(@\.spec\.scaleTargetRef\.name=="([^"]*)"\)\]\.metadata\.name', path)
            if filtered:
                print(" ".join(i["metadata"]["name"] for i in obj["items"] if i["spec"]["scaleTargetRef"]["name"] == filtered.group(1)), end="")
                return
            image = re.match(r'\.containers\[\?\(@\.name=="([^"]*)"\)\]\.image', path)
            if image:
                print("".join(c["image"] for c in obj["spec"]["template"]["spec"]["containers"] if c["name"] == image.group(1)), end="")
                return
            for part in path.split("."):
                obj = obj.get(part, "") if isinstance(obj, dict) else ""
            print(obj, end="")

    def refuse_version(obj, wanted):
        if wanted and wanted != obj["metadata"]["resourceVersion"]:
            fail('Error from server (Conflict): Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again')

    if verb == "get" and "--raw" in options:
        version = options["--raw"].split("/", 2)[2]
        found = [{"name": t + "s", "kind": k} for t, (k, v) in KINDS.items() if v == version and t != "hpa"]
        print(json.dumps({"resources": found}))
        return
    if verb == "auth":
        print("yes")
        return
    if verb == "get":
        kinds, _, name = words[0].partition("/")
        if not name and len(words) > 1:
            name = words[1]
        if name:
            obj = stored(key(type_of(kinds), name))
            if obj is None:
                if "--ignore-not-found" in options:
                    return
                fail(f'Error from server (NotFound): {kinds} "{name}" not found')
            return out(obj)
        wanted = [type_of(k) for k in kinds.split(",")]
        items = [o for n, o in here["objects"].items() for k in wanted if n.startswith(f"{space}/{k}/")]
        return out({"kind": "List", "items": items})
    if verb in ("create", "apply"):
        text = sys.stdin.read() if options["-f"] == "-" else open(options["-f"]).read()
        obj = json.loads(text)
        where = space
        if "--raw" in options:
            where = re.search(r"/namespaces/([^/]+)/", options["--raw"]).group(1)
        kind = next(t for t, (k, _) in KINDS.items() if k == obj["kind"] and t != "hpa")
        name = key(kind, obj["metadata"]["name"], where)
        obj["metadata"]["namespace"] = where
        if "stringData" in obj:
            obj.setdefault("data", {}).update({k: base64.b64encode(v.encode()).decode() for k, v in obj.pop("stringData").items()})
        before = stored(name)
        if verb == "create" and before is not None:
            fail(f'Error from server (AlreadyExists): "{name}" already exists')
        if verb == "apply":
            refuse_version(before or {"metadata": {"resourceVersion": ""}}, obj["metadata"].get("resourceVersion") if before else None)
            obj = merged(before or {}, obj)
            if before and "data" in before and kind in ("configmap", "secret"):
                obj["data"] = json.loads(text).get("data", obj["data"])
        if "dry-run" not in "".join(options):
            note(f"{verb} {kind}/{obj['metadata']['name']}")
            put(name, obj, options.get("--field-manager"))
        return out(obj)
    if verb == "delete" and "--raw" in options:
        *_, where, kind, thing = options["--raw"].split("/")
        name = key(type_of(kind), thing, where)
        asked = json.loads(sys.stdin.read() if options.get("-f") == "-" else open(options["-f"]).read())
        if stored(name) is None:
            fail("Error from server (NotFound): not found")
        for field in ("uid", "resourceVersion"):
            if asked.get("preconditions", {}).get(field) not in (None, stored(name)["metadata"][field]):
                fail("Error from server (Conflict): the UID in the precondition does not match the UID in record")
        note(f"delete {type_of(kind)}/{thing}")
        del here["objects"][name]
        return cluster.save()
    kinds, _, thing = words[0].partition("/")
    if verb in ("rollout", "set"):
        kinds, _, thing = words[1].partition("/")
    if not thing and len(words) > 1:
        thing = words[1]
    name = key(type_of(kinds), thing)
    obj = stored(name)
    if obj is None:
        if verb == "delete" and "--ignore-not-found" in options:
            return
        fail(f'Error from server (NotFound): {kinds} "{thing}" not found')
    if verb == "delete":
        note(f"delete {type_of(kinds)}/{thing}")
        del here["objects"][name]
        return cluster.save()
    if verb == "scale":
        if "--current-replicas" in options and int(options["--current-replicas"]) != obj["spec"]["replicas"]:
            fail(f'error: Expected replicas to be {options["--current-replicas"]}, was {obj["spec"]["replicas"]}')
        refuse_version(obj, options.get("--resource-version"))
        obj["spec"]["replicas"] = int(options["--replicas"])
    elif verb == "set":
        container, _, image = words[2].partition("=")
        for one in obj["spec"]["template"]["spec"]["containers"]:
            if one["name"] == container:
                one["image"] = image
    elif verb == "patch":
        path = options.get("--patch-file")
        text = options["-p"] if path is None else sys.stdin.read() if path in ("-", "/dev/stdin") else open(path).read()
        patch = json.loads(text)
        if options.get("--type") == "json":
            obj = json_patched(obj, patch)
        else:
            refuse_version(obj, patch.get("metadata", {}).get("resourceVersion"))
            obj = merged(obj, patch)
    else:
        fail(f"fake kubectl: no {verb}")
    if "dry-run" not in "".join(options):
        note(f"{verb} {type_of(kinds)}/{thing}")
        put(name, obj, options.get("--field-manager"))
    out(obj)


manage(sys.argv[1:])
