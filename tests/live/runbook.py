#!/usr/bin/env python3
"""The undo runbook is given to bash, from another folder and with another current context: what the run changed is as it was
before, and what others have under the same names elsewhere is untouched. For the verbs of the standard library that can be
typed; kubectl is a fake that minds what the server minds, files are files.

    MIGC=build/cli/migc runbook.py [PART...]"""
import json, os, pathlib, shutil, stat, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from support import Project, check, finish

HERE = pathlib.Path(__file__).resolve().parent
FAKE = HERE / "fake_kubectl.py"


def obj(kind, version, name, **parts):
    return {"kind": kind, "apiVersion": version, "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{kind}-{name}", "resourceVersion": "1",
                                                              **parts.pop("metadata", {})}, **parts}


def settings(colour="red"):
    return obj("ConfigMap", "v1", "settings", data={"colour": colour, "note": "kept/as ~it is"})


def creds():
    return obj("Secret", "v1", "creds", data={"password": "b2xkLXBhc3N3b3Jk", "user": "YW5uaWUtc2hvcA=="}, type="Opaque",
               metadata={"labels": {"tier": "one"}})


def web(replicas=2):
    return obj("Deployment", "apps/v1", "web", metadata={"generation": 1}, status={"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas},
               spec={"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                     "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}})


def front():
    return obj("Service", "v1", "front", spec={"selector": {"app": "web", "version": "blue"}, "ports": [{"port": 80}]})


def comparable(objects):
    """Without what the server keeps books with."""
    result = json.loads(json.dumps(objects))
    for one in result.values():
        for key in ("resourceVersion", "uid", "generation"):
            one["metadata"].pop(key, None)
        one.pop("status", None)
    return result


class Shop(Project):
    """A context `shop` in which the stage acts, and `other`, the current one, with a stranger's objects of the same names in
    `default`, as the namespace `default` of `shop` has them, too."""

    def __init__(self, stages, *objects, files=()):
        super().__init__()
        self.bin, self.home = pathlib.Path(f"{self.folder}-bin"), pathlib.Path(f"{self.folder}-home")
        self.elsewhere = pathlib.Path(f"{self.folder}-elsewhere")
        for folder in (self.bin, self.home, self.elsewhere):
            folder.mkdir()
        self.cluster_file = pathlib.Path(f"{self.folder}-cluster.json")
        (self.bin / "kubectl").write_text(f"#!/bin/sh\nFAKE_CLUSTER='{self.cluster_file}' exec '{sys.executable}' '{FAKE}' \"$@\"\n")
        (self.bin / "kubectl").chmod(0o755)
        ours = {f"shop/{o['kind'].lower()}/{o['metadata']['name']}": o for o in objects}
        ours["/namespace/shop"] = obj("Namespace", "v1", "shop")
        ours["/namespace/kube-system"] = obj("Namespace", "v1", "kube-system")
        strangers = {f"default/{kind}/{name}": {**make(), "stranger": True} for kind, name, make in
                     [("configmap", "settings", settings), ("configmap", "fresh", settings), ("secret", "creds", creds), ("deployment", "web", web), ("service", "front", front)]}
        self.state = {"current-context": "other", "ledger": [], "contexts": {
            "shop": {"version": 10, "objects": {**ours, **json.loads(json.dumps(strangers))}}, "other": {"version": 10, "objects": strangers}}}
        self.cluster_file.write_text(json.dumps(self.state))
        self.write("migc.yaml", "order: [staging]\nenvironments:\n  staging: { context: shop, namespace: shop }\n")
        self.write("a.mig", f"stage staging < {stages} > on failure hold;")
        for name, text in dict(files).items():
            self.write(name, text)

    def environment(self):
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(self.home)}

    def migc(self, *arguments):
        return super().migc(*arguments, environment=self.environment())

    def cluster(self):
        return json.loads(self.cluster_file.read_text())

    def typed(self):
        sheet = self.migc("sheet", "last").stdout
        return sheet, subprocess.run(["bash", "-e"], input=sheet, cwd=self.elsewhere, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     env={**os.environ, **self.environment()})

    def remove(self):
        super().remove()
        self.cluster_file.unlink()
        for folder in (self.bin, self.home, self.elsewhere):
            shutil.rmtree(folder, ignore_errors=True)


def apart(cluster):
    """What is not the stage's own."""
    return {"other": cluster["contexts"]["other"], "default": {n: o for n, o in cluster["contexts"]["shop"]["objects"].items() if n.startswith("default/")}}


def ours(cluster):
    return comparable({n: o for n, o in cluster["contexts"]["shop"]["objects"].items() if n.startswith("shop/")})


def taken_back(what, shop, before=None, code=0):
    before = before or shop.state
    done = shop.migc("run", "a.mig")
    check(f"{what}: the run", done.returncode == code, done.stdout)
    check(f"{what}: changes something", ours(shop.cluster()) != ours(before), done.stdout)
    sheet, typed = shop.typed()
    for line in sheet.splitlines():
        if "kubectl" in line and not line.startswith("#"):
            check(f"{what}: says where: {line[:60]}..", "--context shop" in line and "--namespace shop" in line, line)
    check(f"{what}: the runbook runs", typed.returncode == 0, sheet + typed.stdout)
    check(f"{what}: all is as before", ours(shop.cluster()) == ours(before), sheet + typed.stdout + json.dumps([ours(before), ours(shop.cluster())]))
    check(f"{what}: strangers' objects are untouched", apart(shop.cluster()) == apart(before))
    check(f"{what}: nothing stays in the folder where it was typed", not list(shop.elsewhere.iterdir()))
    return sheet


def files_of(shop):
    folder, = (shop.folder / ".migc/runs").iterdir()
    return sorted((folder / "undo").iterdir()) if (folder / "undo").is_dir() else []


def manifest(name, colour):
    return json.dumps({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": {"colour": colour}})


def made():
    shop = Shop('apply "k8s/fresh.json";', files={"k8s/fresh.json": manifest("fresh", "green")})
    taken_back("an object that was made", shop)
    shop.remove()
    # Somebody has put another one in its place: it is not deleted.
    shop = Shop('apply "k8s/fresh.json";', files={"k8s/fresh.json": manifest("fresh", "green")})
    shop.migc("run", "a.mig")
    cluster = shop.cluster()
    cluster["contexts"]["shop"]["objects"]["shop/configmap/fresh"]["data"] = {"colour": "theirs"}
    shop.cluster_file.write_text(json.dumps(cluster))
    sheet, typed = shop.typed()
    check("somebody else's object of that name is not deleted", typed.returncode != 0 and "shop/configmap/fresh" in shop.cluster()["contexts"]["shop"]["objects"], sheet + typed.stdout)
    shop.remove()


def changed():
    shop = Shop('apply "k8s/settings.json";', settings(), files={"k8s/settings.json": manifest("settings", "green")})
    taken_back("an object that was changed", shop)
    payloads = files_of(shop)
    check("what it names lies beside it, for its owner", payloads and all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in payloads)
          and stat.S_IMODE(payloads[0].parent.stat().st_mode) == 0o700, payloads)
    shop.remove()
    shop = Shop('apply "k8s/settings.json";', settings(), files={"k8s/settings.json": manifest("settings", "green")})
    shop.migc("run", "a.mig")
    cluster = shop.cluster()
    cluster["contexts"]["shop"]["objects"]["shop/configmap/settings"]["data"]["colour"] = "theirs"
    shop.cluster_file.write_text(json.dumps(cluster))
    sheet, typed = shop.typed()
    check("somebody else's change is not overwritten", typed.returncode != 0 and shop.cluster() == cluster, sheet + typed.stdout)
    shop.remove()


def patched():
    shop = Shop('patch object "configmap/settings" at "/data/colour" to "green"; patch object "configmap/settings" at "/data/extra" to "more";', settings())
    taken_back("a field that was patched, one that was new", shop)
    shop.remove()


def deleted():
    shop = Shop('delete object "configmap/settings";', settings())
    sheet = taken_back("an object that was deleted", shop)
    check("it is made again, not patched", "create" in sheet and "patch" not in sheet, sheet)
    shop.remove()


def scaled():
    shop = Shop("scale web to 4;", web())
    sheet = taken_back("replicas", shop)
    check("with the number that must be there", "--current-replicas=4" in sheet, sheet)
    shop.remove()


def imaged():
    shop = Shop('set image of web to "web:2";', web())
    taken_back("an image", shop)
    shop.remove()


def switched():
    shop = Shop('patch object "service/front" at "/spec/selector/version" to "green";', front())
    taken_back("a selector", shop)
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


for part in (made, changed, patched, deleted, scaled, imaged, switched, secret, files, shown):
    if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
        print(f"\n== {part.__name__}")
        part()
finish()
