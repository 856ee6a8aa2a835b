#!/usr/bin/env python3
"""A kubectl for tests without a cluster: the objects of several contexts in one file, with what a server minds (versions,
identities, tests of JSON patches, who wrote which field), controllers that have always just caught up (replica sets, pods,
endpoints, volumes), and a ledger of who did what to which object in which context and namespace.

    FAKE_CLUSTER=file.json kubectl --context staging --namespace shop get configmap/settings -o json"""
import base64, copy, fcntl, json, os, re, sys, time, zlib

KINDS = {"configmap": ("ConfigMap", "v1"), "secret": ("Secret", "v1"), "service": ("Service", "v1"), "namespace": ("Namespace", "v1"),
         "pod": ("Pod", "v1"), "node": ("Node", "v1"), "persistentvolumeclaim": ("PersistentVolumeClaim", "v1"),
         "deployment": ("Deployment", "apps/v1"), "statefulset": ("StatefulSet", "apps/v1"), "daemonset": ("DaemonSet", "apps/v1"),
         "replicaset": ("ReplicaSet", "apps/v1"), "controllerrevision": ("ControllerRevision", "apps/v1"),
         "horizontalpodautoscaler": ("HorizontalPodAutoscaler", "autoscaling/v2"), "endpointslice": ("EndpointSlice", "discovery.k8s.io/v1"),
         "storageclass": ("StorageClass", "storage.k8s.io/v1"), "poddisruptionbudget": ("PodDisruptionBudget", "policy/v1")}
SHORT = {"hpa": "horizontalpodautoscaler", "pvc": "persistentvolumeclaim", "deploy": "deployment", "rs": "replicaset", "cm": "configmap", "svc": "service"}
CLUSTER_WIDE = ("namespace", "node", "storageclass")
REVISION = "deployment.kubernetes.io/revision"
# What is in no manifest, and what nobody is said to have written.
BOOKS = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "namespace", "name")


def fail(words, code=1):
    sys.stderr.write(words + "\n")
    sys.exit(code)


def type_of(word):
    word = word.split(".")[0].lower()
    for name in (word, word[:-1], word[:-2]):
        name = SHORT.get(name, name)
        if name in KINDS:
            return name
    fail(f'error: the server doesn\'t have a resource type "{word}"')


def options_of(argv):
    """Options, words, and what stands behind `--`; only those that tests need take a value."""
    valued = {"--kubeconfig", "--context", "--namespace", "-n", "-o", "--output", "-f", "-p", "--patch", "--patch-file", "--type", "--field-manager",
              "--raw", "--current-replicas", "--replicas", "--resource-version", "-l", "--selector", "--timeout", "--request-timeout", "-c", "--to-revision"}
    options, words, at = {}, [], 0
    while at < len(argv) and argv[at] != "--":
        word = argv[at]
        name, equals, value = word.partition("=")
        if word.startswith("-") and word != "-":
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
    return options, words, argv[at + 1:]


# ---- values


def merged(target, patch, strategic=False):
    if isinstance(patch, list) and strategic and all(isinstance(i, dict) and "name" in i for i in patch):
        result = list(target or [])
        for item in patch:
            at = next((i for i, one in enumerate(result) if one["name"] == item["name"]), len(result))
            result[at:at + 1] = [merged(result[at] if at < len(result) else {}, item, True)]
        return result
    if not isinstance(patch, dict):
        return patch
    if strategic and patch.get("$patch") == "replace":
        return {k: v for k, v in patch.items() if k != "$patch"}
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value, strategic)
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
            if one["op"] == "test":
                found = parent.get(last) if isinstance(parent, dict) else parent[last]
                if found != one["value"]:
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


def at_path(values, path):
    """JSONPath, as far as it is written here: .a.b\\.c ..a [0] [*] [?(@.a.b=="x")]"""
    while path:
        recursive = path.startswith("..")
        name = re.match(r"\.{1,2}((?:\\.|[^.\[\\])+)", path)
        if name:
            key, found = re.sub(r"\\(.)", r"\1", name.group(1)), []
            for value in values:
                found += [v[key] for v in everything(value) if isinstance(v, dict) and key in v] if recursive else \
                    [value[key]] if isinstance(value, dict) and key in value else []
            values, path = found, path[name.end():]
            continue
        part = re.match(r'\[(?:\?\(@((?:\.\w+)+)=="((?:\\.|[^"\\])*)"\)|(\d+|\*))\]', path) or fail(f"error: error parsing jsonpath {path}")
        where, wanted, index = part.groups()
        items = [i for v in values if isinstance(v, list) for i in (v if index in (None, "*") else v[int(index):int(index) + 1])]
        values = [i for i in items if at_path([i], where) == [re.sub(r"\\(.)", r"\1", wanted)]] if where else items
        path = path[part.end():]
    return values


def everything(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from everything(inner)


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def by_jsonpath(template, obj):
    return "".join(" ".join(as_text(v) for v in at_path([obj], part[1:-1])) if part.startswith("{") else part
                   for part in re.findall(r"\{[^}]*\}|[^{]+", template))


# ---- who wrote what


def leaves(value, path=()):
    """{where: value}; an item of a list goes by its name, where it has one."""
    if isinstance(value, dict) and value:
        return {k: v for key, inner in value.items() for k, v in leaves(inner, (*path, "f:" + key)).items()}
    if isinstance(value, list) and value and all(isinstance(i, dict) and "name" in i for i in value):
        return {k: v for i in value for k, v in leaves(i, (*path, "k:" + json.dumps({"name": i["name"]}, separators=(",", ":")))).items()}
    return {path: value}


def said(obj):
    """What of an object somebody may be said to have written."""
    plain = {k: v for k, v in obj.items() if k not in ("kind", "apiVersion", "status", "stranger")}
    plain["metadata"] = {k: v for k, v in obj.get("metadata", {}).items() if k not in BOOKS}
    return {where: value for where, value in leaves(plain).items() if value != {}}


def owned(entry, path=(), fields=None):
    fields = entry["fieldsV1"] if fields is None else fields
    inner = {k: v for k, v in fields.items() if k != "."}
    return {p for k, v in inner.items() for p in owned(entry, (*path, k), v)} if inner else {path}


def as_fields(places):
    fields = {}
    for place in places:
        node = fields
        for step in place:
            node = node.setdefault(step, {})
    return fields


def note_writer(before, after, manager, operation, given):
    """`given`: what was applied is the applier's, changed or not."""
    was, now = said(before or {}), said(after)
    theirs = {p for p in now if p not in was or was[p] != now[p]} | {p for p in said(given or {}) if p in now}
    entries, stamp = [], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for entry in (before or {}).get("metadata", {}).get("managedFields", []):
        same = (entry["manager"], entry["operation"]) == (manager, operation)
        places = owned(entry) & set(now)
        if same:
            theirs |= places
        elif places - theirs:
            entries.append({**entry, "fieldsV1": as_fields(places - theirs)})
    if theirs:
        entries.append({"manager": manager, "operation": operation, "apiVersion": after["apiVersion"], "time": stamp, "fieldsType": "FieldsV1", "fieldsV1": as_fields(theirs)})
    after["metadata"]["managedFields"] = entries


# ---- the cluster


class Cluster:
    def __init__(self, path):
        self.file = open(path, "r+")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.all = json.load(self.file)
        if not self.all.get("settled"):
            for here in self.all["contexts"].values():
                for obj in here["objects"].values():
                    note_writer(None, obj, "somebody", "Update", None)
                control(here)
            self.all["settled"] = True
            self.save()

    def save(self):
        self.file.seek(0)
        self.file.truncate()
        json.dump(self.all, self.file, indent=1)


def key(kind, name, where):
    return f"{where}/{kind}/{name}" if kind not in CLUSTER_WIDE else f"/{kind}/{name}"


def control(here):
    """What controllers make of all that is there; they are always done."""
    objects = here["objects"]
    for name in [n for n in objects if n.split("/")[1] in ("pod", "endpointslice")]:
        del objects[name]
    for name, obj in list(objects.items()):
        where, kind, _ = name.split("/")
        if kind == "horizontalpodautoscaler":
            scaled = objects.get(key("deployment", obj["spec"]["scaleTargetRef"]["name"], where))
            within = scaled and max(obj["spec"]["minReplicas"], min(scaled["spec"]["replicas"], obj["spec"]["maxReplicas"]))
            if scaled and scaled["spec"]["replicas"] != within:
                scaled["spec"]["replicas"] = within
                here["version"] += 1
                scaled["metadata"]["resourceVersion"] = str(here["version"])
    for name, obj in list(objects.items()):
        where, kind, _ = name.split("/")
        if kind == "deployment":
            control_deployment(here, where, obj)
        if kind == "persistentvolumeclaim":
            obj["status"] = {"phase": "Bound", "capacity": {"storage": obj["spec"]["resources"]["requests"]["storage"]}}
    for name, obj in list(objects.items()):
        where, kind, thing = name.split("/")
        if kind == "service":
            pods = [o for n, o in objects.items() if n.startswith(f"{where}/pod/") and selects(obj["spec"]["selector"], o)]
            objects[f"{where}/endpointslice/{thing}-1"] = made("endpointslice", f"{thing}-1", where, metadata={"labels": {"kubernetes.io/service-name": thing}},
                endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": p["metadata"]["name"]}} for p in pods])


def selects(selector, obj):
    return all(obj["metadata"].get("labels", {}).get(k) == v for k, v in selector.items())


def made(kind, name, where, metadata=None, **parts):
    return {"kind": KINDS[kind][0], "apiVersion": KINDS[kind][1],
            "metadata": {"name": name, "namespace": where, "uid": f"uid-{kind}-{name}", "resourceVersion": "1", **(metadata or {})}, **parts}


def owner(obj):
    return [{"kind": obj["kind"], "name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"], "controller": True}]


def control_deployment(here, where, obj):
    name, spec = obj["metadata"]["name"], obj["spec"]
    digest = f'{zlib.crc32(json.dumps(spec["template"], sort_keys=True).encode()):08x}'
    sets = {n: o for n, o in here["objects"].items() if n.startswith(f"{where}/replicaset/{name}-")}
    numbers = [int(o["metadata"]["annotations"][REVISION]) for o in sets.values()]
    mine, newest = f"{where}/replicaset/{name}-{digest}", max(numbers, default=0)
    labels = {**spec["template"]["metadata"]["labels"], "pod-template-hash": digest}
    if mine not in sets or int(sets[mine]["metadata"]["annotations"][REVISION]) != newest:
        template = copy.deepcopy(spec["template"])
        template["metadata"]["labels"] = labels
        here["objects"][mine] = made("replicaset", f"{name}-{digest}", where, {"labels": labels, "annotations": {REVISION: str(newest + 1)}, "ownerReferences": owner(obj)},
                                     spec={"replicas": spec["replicas"], "template": template})
        newest += 1
    obj["metadata"].setdefault("annotations", {})[REVISION] = str(newest)
    count, generation = spec["replicas"], obj["metadata"].setdefault("generation", 1)
    obj["status"] = {"observedGeneration": generation, **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)}
    for i in range(count):
        pod = f"{name}-{digest}-{i}"
        containers = spec["template"]["spec"]["containers"]
        here["objects"][f"{where}/pod/{pod}"] = made("pod", pod, where, {"labels": labels, "ownerReferences": owner(here["objects"][mine])}, spec={"containers": containers},
            status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": c["name"], "ready": True, "restartCount": 0, "state": {"running": {}}} for c in containers]})


# ---- one command


class Command:
    def __init__(self, argv):
        self.options, self.words, self.inner = options_of(argv)
        self.cluster = Cluster(os.environ["FAKE_CLUSTER"])
        self.context = self.options.get("--context", self.cluster.all["current-context"])
        self.space = self.options.get("--namespace", self.options.get("-n", "default"))
        self.dry = "--dry-run" in self.options

    def option(self, *names):
        return next((self.options[n] for n in names if n in self.options), None)

    def text(self, path):
        return sys.stdin.read() if path in ("-", "/dev/stdin") else open(path).read()

    def target(self, words):
        kinds, _, thing = words[0].partition("/")
        return type_of(kinds), thing or (words[1] if len(words) > 1 else "")

    def found(self, kind, thing):
        obj = self.here["objects"].get(key(kind, thing, self.space))
        if obj is None and "--ignore-not-found" in self.options:
            sys.exit(0)
        return obj if obj is not None else fail(f'Error from server (NotFound): {kind}s "{thing}" not found')

    def refuse_version(self, obj, wanted):
        if wanted and wanted != obj["metadata"]["resourceVersion"]:
            fail('Error from server (Conflict): Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again')

    def out(self, obj):
        shape = self.option("-o", "--output") or ""
        if "--show-managed-fields" not in self.options:
            obj = copy.deepcopy(obj)
            for one in [obj, *obj.get("items", [])]:
                one.get("metadata", {}).pop("managedFields", None)
        if shape == "json":
            print(json.dumps(obj))
        elif shape.startswith("jsonpath="):
            print(by_jsonpath(shape[len("jsonpath="):], obj), end="")

    def put(self, verb, kind, obj, before, operation="Update", given=None):
        """Stores what a write has made of an object, unless it only asks; says what it would be."""
        obj = copy.deepcopy(obj)
        note_writer(before, obj, self.option("--field-manager") or f"kubectl-{verb}", operation, given)
        if before is None or said(before) != said(obj):
            self.here["version"] += 1
            obj["metadata"]["resourceVersion"] = str(self.here["version"])
            obj["metadata"]["generation"] = obj["metadata"].get("generation", 0) + (1 if before is None or before.get("spec") != obj.get("spec") else 0)
        obj["metadata"].setdefault("uid", os.urandom(16).hex())
        if not self.dry:
            self.note(f"{verb} {kind}/{obj['metadata']['name']}")
            self.here["objects"][key(kind, obj["metadata"]["name"], obj["metadata"].get("namespace", self.space))] = obj
            self.finish()
        self.out(obj)

    def finish(self):
        control(self.here)
        self.cluster.save()

    def note(self, what):
        self.cluster.all["ledger"].append(f"{self.context} {self.space} {what}")

    def run(self):
        verb, self.words = self.words[0], self.words[1:]
        if verb == "config":
            return print("\n".join(self.cluster.all["contexts"]) if self.words[0] == "get-contexts" else self.cluster.all["current-context"])
        if verb == "version":
            return print(json.dumps({"clientVersion": {"gitVersion": "v1.31.0"}, "serverVersion": {"gitVersion": "v1.31.0"}}))
        if self.context not in self.cluster.all["contexts"]:
            fail(f'error: context "{self.context}" does not exist')
        self.here = self.cluster.all["contexts"][self.context]
        getattr(self, "do_" + verb, lambda: fail(f"fake kubectl: no {verb}"))()

    def do_auth(self):
        print("yes")

    def do_get(self):
        if "--raw" in self.options:
            version = self.options["--raw"].split("/", 2)[2]
            return print(json.dumps({"resources": [{"name": t + "s", "kind": k} for t, (k, v) in KINDS.items() if v == version]}))
        kinds, _, name = self.words[0].partition("/")
        name = name or (self.words[1] if len(self.words) > 1 else "")
        if name:
            return self.out(self.found(type_of(kinds), name))
        wanted, labels = [type_of(k) for k in kinds.split(",")], self.option("-l", "--selector")
        selector = dict(one.split("=", 1) for one in labels.split(",")) if labels else {}
        everywhere = "--all-namespaces" in self.options or "-A" in self.options
        items = [o for n, o in self.here["objects"].items() for k in wanted
                 if n.split("/")[1] == k and (everywhere or k in CLUSTER_WIDE or n.startswith(f"{self.space}/")) and selects(selector, o)]
        self.out({"kind": "List", "items": items})

    def submitted(self):
        obj = json.loads(self.text(self.options["-f"]))
        where = re.search(r"/namespaces/([^/]+)/", self.options["--raw"]).group(1) if "--raw" in self.options else self.space
        kind = next(t for t, (k, _) in KINDS.items() if k == obj["kind"])
        obj["metadata"]["namespace"] = where
        if "stringData" in obj:
            obj.setdefault("data", {}).update({k: base64.b64encode(v.encode()).decode() for k, v in obj.pop("stringData").items()})
        return kind, obj, self.here["objects"].get(key(kind, obj["metadata"]["name"], where))

    def do_create(self):
        kind, obj, before = self.submitted()
        if before is not None:
            fail(f'Error from server (AlreadyExists): "{obj["metadata"]["name"]}" already exists')
        self.put("create", kind, obj, None)

    def do_apply(self):
        kind, given, before = self.submitted()
        if before:
            self.refuse_version(before, given["metadata"].get("resourceVersion"))
        obj = merged(before or {}, given)
        if before and "data" in before and kind in ("configmap", "secret"):
            obj["data"] = given.get("data", obj["data"])
        self.put("apply", kind, obj, before, "Apply", given)

    def do_delete(self):
        if "--raw" not in self.options:
            kind, thing = self.target(self.words)
            self.found(kind, thing)
            name = key(kind, thing, self.space)
        else:
            *_, where, kind, thing = self.options["--raw"].split("/")
            kind, asked = type_of(kind), json.loads(self.text(self.options["-f"]))
            name = key(kind, thing, where)
            obj = self.here["objects"].get(name) or fail("Error from server (NotFound): not found")
            for field in ("uid", "resourceVersion"):
                if asked.get("preconditions", {}).get(field) not in (None, obj["metadata"][field]):
                    fail("Error from server (Conflict): the UID in the precondition does not match the UID in record")
        self.note(f"delete {kind}/{thing}")
        del self.here["objects"][name]
        self.finish()

    def changed(self, verb, words, change):
        kind, thing = self.target(words)
        before = self.found(kind, thing)
        self.put(verb, kind, change(copy.deepcopy(before)), before)

    def do_scale(self):
        def change(obj):
            current = self.options.get("--current-replicas")
            if current and int(current) != obj["spec"]["replicas"]:
                fail(f'error: Expected replicas to be {current}, was {obj["spec"]["replicas"]}')
            self.refuse_version(obj, self.options.get("--resource-version"))
            obj["spec"]["replicas"] = int(self.options["--replicas"])
            return obj
        self.changed("scale", self.words, change)

    def do_set(self):
        container, _, image = self.words[2].partition("=")
        def change(obj):
            for one in obj["spec"]["template"]["spec"]["containers"]:
                if one["name"] == container:
                    one["image"] = image
            return obj
        self.changed("set", self.words[1:], change)

    def do_patch(self):
        path, kind = self.options.get("--patch-file"), self.options.get("--type", "strategic")
        patch = json.loads(self.option("-p", "--patch") if path is None else self.text(path))
        def change(obj):
            if kind == "json":
                return json_patched(obj, patch)
            self.refuse_version(obj, patch.get("metadata", {}).get("resourceVersion"))
            return merged(obj, patch, kind == "strategic")
        self.changed("patch", self.words, change)

    def do_cordon(self, wanted=True):
        def change(obj):
            obj["spec"].pop("unschedulable", None)
            return merged(obj, {"spec": {"unschedulable": True}}) if wanted else obj
        self.changed("cordon", ["node", self.words[0].removeprefix("node/")], change)

    def do_uncordon(self):
        self.do_cordon(False)

    def do_wait(self):
        """Nothing takes its time here."""

    def do_rollout(self):
        what, words = self.words[0], self.words[1:]
        if what == "status":
            return
        def restart(obj):
            return merged(obj, {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": f"{time.time():.3f}"}}}}})
        def undo(obj):
            sets = [o for n, o in self.here["objects"].items() if n.startswith(f"{self.space}/replicaset/{obj['metadata']['name']}-")]
            numbers = {int(o["metadata"]["annotations"][REVISION]): o for o in sets}
            wanted = int(self.options.get("--to-revision", 0)) or sorted(numbers)[-2]
            template = copy.deepcopy((numbers.get(wanted) or fail(f"error: unable to find specified revision {wanted} in history"))["spec"]["template"])
            template["metadata"]["labels"].pop("pod-template-hash")
            obj["spec"]["template"] = template
            return obj
        self.changed(f"rollout-{what}", words, {"restart": restart, "undo": undo}[what])

    def do_exec(self):
        """In a folder that stands for the file system of all containers."""
        root = os.environ["FAKE_CLUSTER"] + "-root"
        words = [root + word if word.startswith("/") else word for word in self.inner]
        self.cluster.file.close()
        os.execvp(words[0], words)


def main(argv):
    if "--watch-only" in argv:  # nothing happens by itself
        time.sleep(3600)
    Command(argv).run()


main(sys.argv[1:])
