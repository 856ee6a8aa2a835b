#!/usr/bin/env python3
"""The undo runbook is given to bash, from another folder and with another current context: what the run changed is as it was
before, and what others have under the same names elsewhere is untouched. For each verb of the standard library with an effect;
kubectl and docker are fakes that mind what the servers mind, files are files.

    MIGC=build/cli/migc runbook.py [--long] [PART...]

The short form types each runbook once, and a few more after somebody else has changed the same. The long form does that for
all, types each twice, and types it after somebody has changed something beside it. Both end with the numbers."""
import dataclasses, http.server, json, os, pathlib, shutil, stat, subprocess, sys, threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish

HERE = pathlib.Path(__file__).resolve().parent
FAKE = HERE / "fake_kubectl.py"
LONG = "--long" in sys.argv
PARTS = [word for word in sys.argv[1:] if not word.startswith("--")]
numbers = dict.fromkeys(("runbooks", "lines typed", "worlds as before", "changes of others kept"), 0)


def obj(kind, version, name, **parts):
    return {"kind": kind, "apiVersion": version, "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{kind}-{name}", "resourceVersion": "1",
                                                              **parts.pop("metadata", {})}, **parts}


def settings(colour="red"):
    return obj("ConfigMap", "v1", "settings", data={"colour": colour, "note": "kept/as ~it is"})


def creds():
    return obj("Secret", "v1", "creds", data={"password": "b2xkLXBhc3N3b3Jk", "user": "YW5uaWUtc2hvcA=="}, type="Opaque",
               metadata={"labels": {"tier": "one"}})


def web(replicas=2, name="web", image="web:1", labels=None):
    labels = {"app": name, **(labels or {})}
    return obj("Deployment", "apps/v1", name, metadata={"generation": 1},
               spec={"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}})


def node(**spec):
    return obj("Node", "v1", "node-1", spec=spec)


def scaler():
    return obj("HorizontalPodAutoscaler", "autoscaling/v2", "web-scaler", spec={"scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
                                                                                "minReplicas": 1, "maxReplicas": 4})


def claim():
    return obj("PersistentVolumeClaim", "v1", "data", spec={"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}})


def storage_class():
    return obj("StorageClass", "storage.k8s.io/v1", "fast", allowVolumeExpansion=True)


def front():
    return obj("Service", "v1", "front", spec={"selector": {"app": "web", "version": "blue"}, "ports": [{"port": 80}]})


def comparable(objects):
    """Without what the server keeps books with, what controllers make, and when something was restarted."""
    result = {n: o for n, o in json.loads(json.dumps(objects)).items() if n.split("/")[1] not in ("pod", "replicaset", "endpointslice")}
    for one in result.values():
        for key in ("resourceVersion", "uid", "generation", "managedFields"):
            one["metadata"].pop(key, None)
        one.pop("status", None)
        for meta in (one["metadata"], one.get("spec", {}).get("template", {}).get("metadata", {})):
            for note in ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/restartedAt"):
                meta.get("annotations", {}).pop(note, None)
            if meta.get("annotations") == {}:
                del meta["annotations"]
    return result


class Shop(Project):
    """A context `shop` in which the stage acts, and `other`, the current one, with a stranger's objects of the same names in
    `default`, as the namespace `default` of `shop` has them, too."""

    def __init__(self, stages, *objects, files=(), prepare=()):
        super().__init__()
        self.bin, self.home = pathlib.Path(f"{self.folder}-bin"), pathlib.Path(f"{self.folder}-home")
        self.elsewhere = pathlib.Path(f"{self.folder}-elsewhere")
        for folder in (self.bin, self.home, self.elsewhere):
            folder.mkdir()
        self.cluster_file = pathlib.Path(f"{self.folder}-cluster.json")
        (self.bin / "kubectl").write_text(f"#!/bin/sh\nFAKE_CLUSTER='{self.cluster_file}' exec '{sys.executable}' -S -E '{FAKE}' \"$@\"\n")
        (self.bin / "kubectl").chmod(0o755)
        wide = ("Node", "StorageClass")
        ours = {f"{'' if o['kind'] in wide else 'shop'}/{o['kind'].lower()}/{o['metadata']['name']}": o for o in objects}
        ours["/namespace/shop"] = obj("Namespace", "v1", "shop")
        ours["/namespace/kube-system"] = obj("Namespace", "v1", "kube-system")
        strangers = {f"default/{kind}/{name}": {**make(), "stranger": True} for kind, name, make in
                     [("configmap", "settings", settings), ("configmap", "fresh", settings), ("secret", "creds", creds), ("deployment", "web", web), ("service", "front", front)]}
        self.state = {"current-context": "other", "ledger": [], "contexts": {
            "shop": {"version": 10, "objects": {**ours, **json.loads(json.dumps(strangers))}}, "other": {"version": 10, "objects": strangers}}}
        self.cluster_file.write_text(json.dumps(self.state))
        (self.bin / "docker").write_text(f"#!/bin/sh\nFAKE_IMAGES='{self.folder}-images.json' exec '{sys.executable}' -S -E '{HERE / 'fake_docker.py'}' \"$@\"\n")
        (self.bin / "docker").chmod(0o755)
        self.images_file = pathlib.Path(f"{self.folder}-images.json")
        ids = ["sha256:" + 64 * digit for digit in "123"]
        self.images_file.write_text(json.dumps({"ids": ids, "names": {"web:1": ids[0], "web:2": ids[1]}}))
        self.kubectl("get", "configmaps")  # its controllers come to rest
        for command in prepare:
            self.kubectl(*command)
        self.state = self.cluster()
        self.write("migc.yaml", "order: [staging]\nenvironments:\n  staging: { context: shop, namespace: shop }\n")
        self.write("a.mig", f"stage staging < {stages} > on failure hold;")
        for name, text in dict(files).items():
            self.write(name, text)

    def environment(self):
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(self.home)}

    def migc(self, *arguments):
        return super().migc(*arguments, environment=self.environment())

    def kubectl(self, *words):
        """As a colleague does it, in the stage's own namespace."""
        subprocess.run([self.bin / "kubectl", "--context", "shop", "--namespace", "shop", *words], check=True, stdout=subprocess.DEVNULL)

    def cluster(self):
        return json.loads(self.cluster_file.read_text())

    def images(self):
        return json.loads(self.images_file.read_text())

    def inside(self, path):
        """What stands for a file in a container."""
        return pathlib.Path(f"{self.cluster_file}-root{path}")

    def typed(self):
        sheet = self.migc("sheet", "last").stdout
        numbers["runbooks"] += 1
        numbers["lines typed"] += sum(1 for line in sheet.splitlines() if line and not line.startswith("#"))
        return sheet, subprocess.run(["bash", "-e"], input=sheet, cwd=self.elsewhere, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     env={**os.environ, **self.environment()})

    def remove(self):
        super().remove()
        self.cluster_file.unlink()
        self.images_file.unlink()
        for folder in (self.bin, self.home, self.elsewhere, pathlib.Path(f"{self.cluster_file}-root")):
            shutil.rmtree(folder, ignore_errors=True)


def apart(cluster):
    """What is not the stage's own."""
    return {"other": cluster["contexts"]["other"], "default": {n: o for n, o in cluster["contexts"]["shop"]["objects"].items() if n.startswith("default/")}}


def ours(cluster):
    wide = ("/node/", "/storageclass/")
    return comparable({n: o for n, o in cluster["contexts"]["shop"]["objects"].items() if n.startswith(("shop/", *wide))})


def typed_lines(sheet):
    return [line for line in sheet.splitlines() if "kubectl" in line and not line.startswith("#")]


def taken_back(what, shop, before=None):
    before = before or shop.state
    done = shop.migc("run", "a.mig")
    check(f"{what}: the run", done.returncode == 0, done.stdout)
    check(f"{what}: changes something", shop.cluster()["ledger"] != before["ledger"] or shop.images_file.read_text(), done.stdout)
    sheet, typed = shop.typed()
    for line in typed_lines(sheet):
        check(f"{what}: says where: {line[:60]}..", line.count("--context shop") == line.count("kubectl ") and "--namespace shop" in line, line)
    check(f"{what}: the runbook runs", typed.returncode == 0, sheet + typed.stdout)
    back = ours(shop.cluster()) == ours(before)
    numbers["worlds as before"] += back
    check(f"{what}: all is as before", back, sheet + typed.stdout + json.dumps([ours(before), ours(shop.cluster())]))
    check(f"{what}: strangers' objects are untouched", apart(shop.cluster()) == apart(before))
    check(f"{what}: nothing stays in the folder where it was typed", not list(shop.elsewhere.iterdir()))
    return sheet


def files_of(shop):
    folder, = (shop.folder / ".migc/runs").iterdir()
    return sorted((folder / "undo").iterdir()) if (folder / "undo").is_dir() else []


def manifest(name, colour):
    return json.dumps({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": {"colour": colour}})


@dataclasses.dataclass
class Case:
    """A step, what is there before it, and what somebody else does to the very thing that it has changed: a command, and the
    value that stands then at a place of an object."""
    stage: str
    objects: list
    theirs: tuple = ()
    files: dict = dataclasses.field(default_factory=dict)
    prepare: tuple = ()
    words: tuple = ()  # what the runbook says
    beside: str = ""   # an object of which somebody changes something else


def patch(what, **fields):
    return ("patch", what, "--type=merge", "-p", json.dumps(fields))


CASES = {
    "made": Case('apply "k8s/fresh.json";', [], (patch("configmap/fresh", data={"colour": "theirs"}), "shop/configmap/fresh", "data/colour", "theirs"),
                 files={"k8s/fresh.json": manifest("fresh", "green")}),
    "changed": Case('apply "k8s/settings.json";', [settings()], (patch("configmap/settings", data={"colour": "theirs"}), "shop/configmap/settings", "data/colour", "theirs"),
                    files={"k8s/settings.json": manifest("settings", "green")}, beside="configmap/settings"),
    "patched": Case('patch object "configmap/settings" at "/data/colour" to "green"; patch object "configmap/settings" at "/data/extra" to "more";', [settings()],
                    (patch("configmap/settings", data={"colour": "theirs"}), "shop/configmap/settings", "data/colour", "theirs"), beside="configmap/settings"),
    "dropped": Case('apply "k8s/settings.json";', [settings()], (patch("configmap/settings", data={"note": "theirs"}), "shop/configmap/settings", "data/note", "theirs"),
                    files={"k8s/settings.json": manifest("settings", "green")}),
    "deleted": Case('delete object "configmap/settings";', [settings()], (("create", "-f", "THEIRS"), "shop/configmap/settings", "data/colour", "theirs"), words=("create",)),
    "scaled": Case("scale web to 4;", [web()], (("scale", "deployment/web", "--replicas=7"), "shop/deployment/web", "spec/replicas", 7), words=("--current-replicas=4",), beside="deployment/web"),
    "imaged": Case('set image of web to "web:2";', [web()], (("set", "image", "deployment/web", "web=web:9"), "shop/deployment/web", "spec/template/spec/containers/0/image", "web:9"),
                   beside="deployment/web"),
    "restarted": Case("restart web;", [web()], words=("rollout restart deployment/web",), beside="deployment/web"),
    "rolled_back": Case("roll back web;", [web()], (("set", "image", "deployment/web", "web=web:9"), "shop/deployment/web", "spec/template/spec/containers/0/image", "web:9"),
                        prepare=(("set", "image", "deployment/web", "web=web:2"),), words=("--to-revision=2",), beside="deployment/web"),
    "switched": Case('switch service front to "version=green";', [front(), web(name="green", labels={"app": "web", "version": "green"})],
                     (patch("service/front", spec={"selector": {"version": "theirs"}}), "shop/service/front", "spec/selector/version", "theirs"), beside="service/front"),
    "autoscaled": Case('set autoscaling of web to "3..6";', [web(4), scaler()],
                       (patch("hpa/web-scaler", spec={"maxReplicas": 9}), "shop/horizontalpodautoscaler/web-scaler", "spec/maxReplicas", 9), beside="hpa/web-scaler"),
    "cordoned": Case('cordon "node-1";', [node()], (("uncordon", "node-1"), "/node/node-1", "spec/unschedulable", None), beside="node/node-1"),
    "uncordoned": Case('uncordon "node-1";', [node(unschedulable=True)], (("cordon", "node-1"), "/node/node-1", "spec/unschedulable", True), beside="node/node-1"),
}


def case_of(name, **more):
    case = CASES[name]
    return case, Shop(case.stage, *json.loads(json.dumps(case.objects)), files=case.files, prepare=case.prepare, **more)


def alone(name):
    case, shop = case_of(name)
    sheet = taken_back(name, shop)
    for words in case.words:
        check(f"{name}: says {words}", words in sheet, sheet)
    if LONG:  # once more: nothing is left to be taken back, so nothing changes but that it is restarted
        before = shop.cluster()
        subprocess.run(["bash", "-e"], input=sheet, cwd=shop.elsewhere, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, **shop.environment()})
        check(f"{name}: typed twice, it is as typed once", ours(shop.cluster()) == ours(before) and apart(shop.cluster()) == apart(before), sheet)
    shop.remove()


def at(obj, path):
    for part in path.split("/"):
        obj = obj[int(part)] if isinstance(obj, list) else obj.get(part)
    return obj


def with_others(name):
    """Somebody has made something else of it: that stays."""
    case, shop = case_of(name)
    if not case.theirs:
        return shop.remove()
    command, which, path, value = case.theirs
    shop.migc("run", "a.mig")
    shop.write("theirs.json", manifest("settings", "theirs"))
    shop.kubectl(*[str(shop.folder / "theirs.json") if word == "THEIRS" else word for word in command])
    sheet, typed = shop.typed()
    found = shop.cluster()["contexts"]["shop"]["objects"].get(which)
    kept = found is not None and at(found, path) == value
    numbers["changes of others kept"] += kept
    # What cannot be undone must not pass as undone; an uncordoned node is what an undo would have left.
    check(f"{name}: somebody else's change is not overwritten, and bash says so", kept and (typed.returncode != 0 or name in ("cordoned", "uncordoned")), sheet + typed.stdout)
    shop.remove()


def beside(name):
    """Somebody has changed something that the step has nothing to do with: all the same it is taken back, and theirs stays."""
    case, shop = case_of(name)
    if not case.beside:
        return shop.remove()
    shop.migc("run", "a.mig")
    shop.kubectl(*patch(case.beside, metadata={"labels": {"theirs": "kept"}}))
    sheet, typed = shop.typed()
    now, labelled = ours(shop.cluster()), json.loads(json.dumps(shop.state))
    kind, thing = case.beside.replace("hpa/", "horizontalpodautoscaler/").split("/")
    which = next(n for n in labelled["contexts"]["shop"]["objects"] if n.endswith(f"/{kind}/{thing}") and not n.startswith("default/"))
    labelled["contexts"]["shop"]["objects"][which]["metadata"].setdefault("labels", {})["theirs"] = "kept"
    check(f"{name}: with something of somebody else's beside it", typed.returncode == 0 and now == ours(labelled), sheet + typed.stdout + json.dumps([now, ours(labelled)]))
    numbers["worlds as before"] += now == ours(labelled)
    numbers["changes of others kept"] += now.get(which, {}).get("metadata", {}).get("labels", {}).get("theirs") == "kept"
    shop.remove()


def payloads():
    """What the lines name lies beside the runbook, for its owner."""
    _, shop = case_of("changed")
    shop.migc("run", "a.mig")
    shop.migc("sheet", "last")
    found = files_of(shop)
    check("what it names lies beside it, for its owner", found and all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in found)
          and stat.S_IMODE(found[0].parent.stat().st_mode) == 0o700, found)
    shop.remove()


def grown():
    """What cannot go back is said, with what was there."""
    shop = Shop("grow volume data to 2Gi;", claim(), storage_class())
    done = shop.migc("run", "a.mig")
    sheet, typed = shop.typed()
    check("a claim that has grown", done.returncode == 0 and typed.returncode == 0, done.stdout + typed.stdout)
    check("has no way back, and had 1Gi", "THERE IS NO WAY BACK: a claim cannot shrink" in sheet and "was 1Gi" in sheet and typed_lines(sheet) == [], sheet)
    shop.remove()


def in_pods():
    """Files in containers: one that was there, one that was not; and one that somebody else has written since."""
    script = 'copy "a.conf" into web at "/etc/it\'s.conf"; copy "a.conf" into web at "/etc/$(touch owned).conf";'
    for theirs in (False, True):
        shop = Shop(script, web(1), files={"a.conf": "new\n"})
        kept, fresh = shop.inside("/etc/it's.conf"), shop.inside("/etc/$(touch owned).conf")
        kept.parent.mkdir(parents=True)
        kept.write_text("old\n")
        done = shop.migc("run", "a.mig")
        check("files are copied into a pod", done.returncode == 0 and kept.read_text() == fresh.read_text() == "new\n", done.stdout)
        if theirs:
            fresh.write_text("theirs\n")
        sheet, typed = shop.typed()
        if theirs:
            check("a file in a pod that somebody else wrote stays", typed.returncode != 0 and fresh.read_text() == "theirs\n", sheet + typed.stdout)
            numbers["changes of others kept"] += fresh.read_text() == "theirs\n"
        else:
            check("and put back, and removed", typed.returncode == 0 and kept.read_text() == "old\n" and not fresh.exists(), sheet + typed.stdout)
            numbers["worlds as before"] += kept.read_text() == "old\n" and not fresh.exists()
        shop.remove()


def named():
    """Names of images that are here."""
    for theirs in (False, True):
        shop = Shop('tag image "web:2" to "web:1"; tag image "web:2" to "web:new";')
        before = shop.images()
        done = shop.migc("run", "a.mig")
        check("images are named", done.returncode == 0 and shop.images() != before, done.stdout)
        if theirs:
            subprocess.run([shop.bin / "docker", "tag", "sha256:" + 64 * "3", "web:new"], check=True)
        sheet, typed = shop.typed()
        if theirs:
            check("a name that somebody else gave away stays", typed.returncode != 0 and shop.images()["names"]["web:new"] == "sha256:" + 64 * "3", sheet + typed.stdout)
            numbers["changes of others kept"] += 1
        else:
            check("and have their names back", typed.returncode == 0 and shop.images() == before, sheet + typed.stdout)
            numbers["worlds as before"] += shop.images() == before
        shop.remove()


def own_ways_back():
    """Commands that the script says itself, with arguments that a shell would take apart."""
    shop = Shop('execute ["touch", "/made; touch owned"] in web undo < execute ["rm", "/made; touch owned"] in web; >;'
                'run script "mark.sh" with ["on", "$(touch owned)"] undo < run script "mark.sh" with ["off", "$(touch owned)"]; >;', web(1),
                files={"mark.sh": "#!/bin/sh\necho \"$@\" >> marks\n"})
    (shop.folder / "mark.sh").chmod(0o755)
    shop.inside("").mkdir()
    done = shop.migc("run", "a.mig")
    check("commands of the script's own are run", done.returncode == 0 and shop.inside("/made; touch owned").exists(), done.stdout)
    sheet, typed = shop.typed()
    back = typed.returncode == 0 and not shop.inside("/made; touch owned").exists() and shop.read("marks") == "on $(touch owned)\noff $(touch owned)\n"
    check("and taken back by its own", back, sheet + typed.stdout)
    numbers["worlds as before"] += back
    harmless(shop, "an argument")


def restored():
    """A backup that was put over what was there: that comes back, and what the backup had brought is named."""
    shop = Shop('restore "/data" of web from "old.tar";', web(1))
    data = shop.inside("/data")
    data.mkdir(parents=True)
    for name, text in {"a": "old\n", "brought": "old\n"}.items():
        (data / name).write_text(text)
    subprocess.run(["tar", "cf", shop.folder / "old.tar", "-C", shop.inside("/"), "./data"], check=True)
    (data / "brought").unlink()
    (data / "a").write_text("new\n")
    done = shop.migc("run", "a.mig")
    check("a backup is restored", done.returncode == 0 and (data / "a").read_text() == "old\n" and (data / "brought").exists(), done.stdout)
    sheet, typed = shop.typed()
    check("what was there comes back", typed.returncode == 0 and (data / "a").read_text() == "new\n", sheet + typed.stdout)
    names = next((line.removeprefix("#   ") for line in sheet.splitlines() if line.startswith("#   comm")), "false")
    left = subprocess.run(["bash", "-c", names], text=True, stdout=subprocess.PIPE).stdout.split()
    check("and what only the backup had brought is named", left == ["./data/brought"], sheet + str(left))
    numbers["worlds as before"] += left == ["./data/brought"]
    shop.remove()


def started():
    """A program that goes on running is ended by a person, who is told by which file it is known."""
    shop = Shop('start program ["./wait.sh"] as log;', files={"wait.sh": "#!/bin/sh\nexec sleep 60\n"})
    (shop.folder / "wait.sh").chmod(0o755)
    done = shop.migc("run", "a.mig")
    sheet, typed = shop.typed()
    check("a program that was started is named by its log", done.returncode == 0 and typed.returncode == 0 and "end the program that writes" in sheet and "program.log" in sheet,
          done.stdout + sheet)
    check("which migc itself ends", shop.migc("undo", "last").returncode == 0)
    shop.remove()


def planned():
    """terraform: the variable goes back first, then a plan is made and applied, if it does nothing but take back."""
    if not shutil.which("terraform"):
        return print("no terraform: left out")
    for theirs in (False, True):
        shop = Shop('set variable "size" to 3; plan terraform as p; expect p adds 1 changes 0 destroys 0; apply p;',
                    files={"it's/main.tf": 'variable "size" { type = number }\nresource "terraform_data" "node" { count = var.size }\n', "it's/staging.tfvars": "size = 2  # nodes\n"})
        shop.write("migc.yaml", "order: [staging]\nenvironments:\n  staging: { context: shop, namespace: shop, terraform: { dir: \"it's\", var-file: staging.tfvars } }\n")
        def terraform(*words):
            return subprocess.run(["terraform", f"-chdir={shop.folder}/it's", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        terraform("init", "-input=false")
        terraform("apply", "-auto-approve", "-input=false", "-var-file=staging.tfvars")
        done = shop.migc("run", "a.mig")
        check("terraform makes one more", done.returncode == 0 and len(terraform("state", "list").split()) == 3, done.stdout)
        if theirs:  # a colleague's work that is not applied yet
            shop.write("it's/more.tf", 'resource "terraform_data" "theirs" {}\n')
        sheet, typed = shop.typed()
        left = terraform("state", "list").split()
        if theirs:
            check("a plan that would do more is not applied", typed.returncode != 0 and len(left) == 3 and "terraform_data.theirs" not in left, sheet + typed.stdout)
            numbers["changes of others kept"] += len(left) == 3
        else:
            back = typed.returncode == 0 and len(left) == 2 and shop.read("it's/staging.tfvars") == "size = 2  # nodes\n"
            check("and the runbook takes it away", back, sheet + typed.stdout)
            numbers["worlds as before"] += back
        shop.remove()


class Store(http.server.BaseHTTPRequestHandler):
    """Documents with ETags."""
    documents = {}

    def do_GET(self):
        self.answer(*((200, self.documents[self.path]) if self.path in self.documents else (404, b"")))

    def do_PUT(self):
        self.documents[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, self.documents[self.path])

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", f'"{hash(body) & 0xffff}"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def on_the_web():
    """Documents of a server are taken back by a person who looks, with what was there at hand."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/it's"
    Store.documents = {"/it's": b'{"size": 2}'}
    shop = Shop(f'http put "{address}" with json "{{\\"size\\": 4}}";')
    done = shop.migc("run", "a.mig")
    sheet, typed = shop.typed()
    check("a document is put", done.returncode == 0 and Store.documents["/it's"] != b'{"size": 2}', done.stdout)
    kept = [p.read_text() for p in files_of(shop)]
    check("the runbook says how it is taken back, and has both beside it", "--request PUT" in sheet and '{"size": 2}' in kept and len(kept) == 2
          and typed.returncode == 0, sheet + str(kept))
    then = next((line for line in sheet.splitlines() if line.startswith("#   then: ")), "").removeprefix("#   then: ")
    subprocess.run(["bash", "-e"], input=then.replace("ETAG", "*"), cwd=shop.elsewhere, text=True, stdout=subprocess.DEVNULL)
    check("which does it", Store.documents["/it's"] == b'{"size": 2}', then)
    numbers["worlds as before"] += Store.documents["/it's"] == b'{"size": 2}'
    shop.remove()
    server.shutdown()


# What a shell would stumble over, or do.
HOSTILE = ["$(touch owned)", "`touch owned`", "a'b\"c\\d", "two\nlines\ntouch owned", "; touch owned #", "--all", "-rf", "@{to be read version}@", "*", "\t\u202e~1/", "!! %s {}", "x\u001b[2J", ""]


def hostile():
    """Values and names that somebody else chose go through unharmed, and nothing of them is run."""
    for values in [[v] for v in HOSTILE] if LONG else [HOSTILE]:
        odd_data, odd_notes = ({f"{prefix}{value}": value for value in values} for prefix in ("it's \"odd\"/~", "example.org/"))
        shop = Shop('patch object "configmap/settings" at "/data/colour" to "green"; delete object "configmap/odd"; apply "k8s/more.json";',
                    settings("".join(values)), obj("ConfigMap", "v1", "odd", data=odd_data, metadata={"annotations": odd_notes}),
                    obj("ConfigMap", "v1", "more", data={"colour": values[0], **odd_data}), files={"k8s/more.json": manifest("more", "green")})
        taken_back(f"the values {values!r}", shop)
        harmless(shop, values)
    # Images and names of containers, which no server would take.
    plain = [v for v in HOSTILE if v and "\n" not in v]
    for image in plain if LONG else ["".join(plain)]:
        deployment = web(image=image)
        deployment["spec"]["template"]["spec"]["containers"].insert(0, {"name": image, "image": "side:1"})
        shop = Shop('set image of web container "web" to "web:2";', deployment)
        taken_back(f"the image {image!r}", shop)
        harmless(shop, image)
    shop = Shop('set value of "conf/$(touch owned)\'s.json" at "/size" to 4;', files={"conf/$(touch owned)'s.json": '{"size": "$(touch owned)\\n`touch owned`"}\n'})
    before = shop.read("conf/$(touch owned)'s.json")
    shop.migc("run", "a.mig")
    sheet, typed = shop.typed()
    check("a file with a hostile name", typed.returncode == 0 and shop.read("conf/$(touch owned)'s.json") == before, sheet + typed.stdout)
    harmless(shop, "a file's name")


def harmless(shop, value):
    owned = [p for folder in (shop.elsewhere, shop.folder) for p in folder.rglob("*") if p.name == "owned"]
    check(f"nothing of {value!r} is run", owned == [] and not pathlib.Path("owned").exists(), owned)
    shop.remove()


def secret():
    values = json.dumps({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "creds", "labels": {"tier": "two"}}, "type": "Opaque",
                         "data": {"password": "bmV3LXBhc3N3b3JkLTc=", "user": "YW5uaWUtc2hvcA=="}})
    shop = Shop('apply "k8s/creds.json";', creds(), files={"k8s/creds.json": values})
    plan = shop.migc("plan", "a.mig").stdout
    check("plan says who can put a secret's values back", "the previous value of secret/creds is kept encrypted; only" in plan, plan)
    done = shop.migc("run", "a.mig", "--record", "transcript")
    sheet = shop.migc("sheet", "last").stdout
    check("the runbook says that only the keeper of the key can", "password" in sheet and "only `migc undo` of" in sheet, sheet)
    old, new = "b2xkLXBhc3N3b3Jk", "bmV3LXBhc3N3b3JkLTc="
    texts = [sheet, plan, done.stdout, shop.migc("show", "last", "--json").stdout]
    undo = shop.migc("undo", "last")
    check("the values are back", undo.returncode == 0 and ours(shop.cluster()) == ours(shop.state), undo.stdout)
    texts.append(undo.stdout)
    hits = [str(p) for folder in (shop.folder / ".migc", shop.home) for p in folder.rglob("*") if p.is_file() and "inputs" not in p.parts
            and any(v.encode() in p.read_bytes() for v in (old, "old-password", new, "new-password-7"))]
    hits += [i for i, t in enumerate([*texts, shop.read("transcript")]) if any(v in t for v in (old, "old-password", new, "new-password-7"))]
    check("and in no journal, transcript, runbook or output", hits == [], hits)
    check("the key is erased", not list((shop.home / "migc/run-keys").iterdir()))
    shop.remove()

    shop = Shop('delete object "secret/creds";', creds())
    done = shop.migc("run", "a.mig")
    check("a secret can be deleted where its values are kept", done.returncode == 0 and "shop/secret/creds" not in shop.cluster()["contexts"]["shop"]["objects"], done.stdout)
    undo = shop.migc("undo", "last")
    check("and made again with them", undo.returncode == 0 and ours(shop.cluster()) == ours(shop.state), undo.stdout)
    shop.remove()


def files():
    shop = Shop('set value of "conf/a.json" at "/size" to 4; set value of "conf/it\'s b.yaml" at "/new/deep" to "x";',
                files={"conf/a.json": '{"size": 2}\n', "conf/it's b.yaml": "old: 1 # kept\n"})
    before = {n: shop.read(n) for n in ("conf/a.json", "conf/it's b.yaml")}
    done = shop.migc("run", "a.mig")
    check("files are edited", done.returncode == 0 and all(shop.read(n) != t for n, t in before.items()), done.stdout)
    sheet, typed = shop.typed()
    check("files are put back byte by byte", typed.returncode == 0 and all(shop.read(n) == t for n, t in before.items()), sheet + typed.stdout)
    shop.remove()
    shop = Shop('set value of "conf/a.json" at "/size" to 4;', files={"conf/a.json": '{"size": 2}\n'})
    shop.migc("run", "a.mig")
    shop.write("conf/a.json", "theirs\n")
    sheet, typed = shop.typed()
    check("a file that somebody else changed is not overwritten", typed.returncode != 0 and shop.read("conf/a.json") == "theirs\n", sheet + typed.stdout)
    shop.remove()


def shown():
    """Where a step acts is in every command that is shown: in plan, run and journal."""
    shop = Shop('apply "k8s/fresh.json"; patch object "configmap/settings" at "/data/colour" to "green"; delete object "configmap/settings";', settings(),
                files={"k8s/fresh.json": manifest("fresh", "green")})
    texts = {"plan": shop.migc("plan", "a.mig").stdout, "run": shop.migc("run", "a.mig", "--json").stdout}
    for where, text in texts.items():
        for verb in ("apply", "patch", "delete"):
            lines = [l for l in text.splitlines() if "kubectl" in l and f" {verb} " in l]
            check(f"{where}: {verb} says where", lines and all("--context shop" in l and "--namespace shop" in l for l in lines), text)
    shop.remove()
    # What kubectl has applied is taken over first, and that is a command of its own.
    note = {"kubectl.kubernetes.io/last-applied-configuration": manifest("settings", "red")}
    shop = Shop('apply "k8s/settings.json";', settings(), files={"k8s/settings.json": manifest("settings", "green")},
                prepare=((*patch("configmap/settings", metadata={"annotations": note}), "--field-manager=kubectl-client-side-apply"),))
    plan = shop.migc("plan", "a.mig").stdout
    runs = next((l for l in plan.splitlines() if l.strip().startswith("runs")), "")
    check("plan: what apply takes over, and then the apply", " patch " in runs and "what kubectl-client-side-apply keeps" in runs and " apply " in runs, plan)
    shop.remove()


def main():
    own = {p.__name__: p for p in (payloads, grown, in_pods, named, own_ways_back, restored, started, planned, on_the_web, hostile, secret, files, shown)}
    unknown = [name for name in PARTS if name not in (*CASES, *own)]
    if unknown:
        sys.exit(f"there is no part {unknown[0]}")
    for name in CASES:
        if PARTS and name not in PARTS:
            continue
        print(f"\n== {name}")
        alone(name)
        if LONG or name in ("made", "patched", "imaged"):
            with_others(name)
        if LONG:
            beside(name)
    for name, part in own.items():
        if not PARTS or name in PARTS:
            print(f"\n== {name}")
            part()
    print("\n" + ", ".join(f"{count} {what}" for what, count in numbers.items()))
    finish()


if __name__ == "__main__":
    main()
