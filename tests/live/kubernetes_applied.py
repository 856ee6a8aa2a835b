#!/usr/bin/env python3
"""Applying, patching, deleting and restoring objects of a real cluster while somebody else acts, too: nothing of theirs is
overwritten, and what is called done or undone is."""
import json, os, pathlib, shutil, stat, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import CONTEXT, kubectl, make_namespace
from harness import MIGC, Project, check, finish

SPACE = f"migc-applied-{os.getpid()}"
KUBECTL = shutil.which("kubectl")
make_namespace(SPACE)


def here(*arguments, stdin=None):
    return kubectl("-n", SPACE, *arguments, stdin=stdin)


def data(name):
    return json.loads(here("get", f"configmap/{name}", "-o", "json") or '{"data": null}').get("data")


def managers(what):
    return {entry["manager"] for entry in json.loads(here("get", what, "-o", "json", "--show-managed-fields"))["metadata"].get("managedFields", [])}


def settings(name, **values):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {json.dumps(values)}\n"


def project(name="shop", **files):
    made = Project(**{"migc.yaml": f"project: {name}\norder: [staging]\nenvironments:\n  staging: {{ context: {CONTEXT}, namespace: {SPACE} }}\n", **files})
    made.write("apply.mig", 'stage staging < apply "map.yaml"; > on failure undo;\n')
    return made


def meanwhile(made, moment, *command, after=False):
    """The environment in which somebody else acts once: just before (or after) the first kubectl command with these words."""
    folder = made.folder / "bin"
    folder.mkdir(exist_ok=True)
    marker = folder / "acted"
    marker.unlink(missing_ok=True)
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in command)
    act = f'touch {marker}; PATH={os.environ["PATH"]} {quoted} >{folder}/said 2>&1'
    matches = " && ".join(f'[[ " $* " == *" {word} "* ]]' for word in moment.split()) + " && [[ ! -e " + str(marker) + " ]]"
    late = f"{KUBECTL} \"$@\"; code=$?; if [ $code = 0 ]; then {act}; fi; exit $code"
    (folder / "kubectl").write_text(f'#!/bin/bash\nif [[ " $* " != *" --dry-run=server "* ]] && {matches}; then\n{late if after else act}\nfi\nexec {KUBECTL} "$@"\n')
    (folder / "kubectl").chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def acted(made):
    return (made.folder / "bin/acted").exists()


# apply, and somebody else between its look and its write.
here("apply", "--server-side", "--field-manager=migc:shop", "-f", "-", stdin=settings("map", colour="blue", taste="sour"))
shop = project(**{"map.yaml": settings("map", colour="green", taste="sour")})
done = shop.migc("run", "apply.mig", environment=meanwhile(shop, "apply --server-side", KUBECTL, "-n", SPACE, "patch", "configmap/map", "--type=merge", "-p", '{"data":{"colour":"red"}}'))
check("a field that somebody changed meanwhile stays, and is named", acted(shop) and done.returncode != 0 and data("map")["colour"] == "red" and "kubectl-patch" in done.stdout and ".data.colour" in done.stdout, done.stdout)
here("apply", "--server-side", "--force-conflicts", "--field-manager=migc:shop", "-f", "-", stdin=settings("map", colour="blue", taste="sour"))
done = shop.migc("run", "apply.mig", environment=meanwhile(shop, "apply --server-side", KUBECTL, "-n", SPACE, "patch", "configmap/map", "--type=merge", "-p", '{"data":{"theirs":"1"}}'))
check("another field that somebody added meanwhile is no obstacle", acted(shop) and done.returncode == 0 and data("map") == {"colour": "green", "taste": "sour", "theirs": "1"}, done.stdout)
done = shop.migc("undo", "last")
check("and it stays when ours is taken back", done.returncode == 0 and data("map") == {"colour": "blue", "taste": "sour", "theirs": "1"}, done.stdout)
here("delete", "configmap/map")
done = shop.migc("run", "apply.mig", environment=meanwhile(shop, "apply --server-side", KUBECTL, "-n", SPACE, "create", "configmap", "map", "--from-literal=colour=theirs"))
check("an object that somebody made meanwhile is not ours", acted(shop) and done.returncode != 0 and data("map") == {"colour": "theirs"}, done.stdout)
here("delete", "configmap/map")
done = shop.migc("run", "apply.mig", environment=meanwhile(shop, "apply --server-side", KUBECTL, "-n", SPACE, "annotate", "--field-manager=note-taker", "configmap/map", "seen=1", after=True))
check("a controller that annotates what we wrote does not make it fail", acted(shop) and done.returncode == 0, done.stdout)
check("nor its undo", shop.migc("undo", "last").returncode == 0 and data("map") is None)

# Two operators of one project, two projects, and the migc of before.
here("apply", "--server-side", "--field-manager=migc:shop", "-f", "-", stdin=settings("map", colour="blue"))
kim = project(**{"map.yaml": settings("map", colour="green")})
lee = project(**{"map.yaml": settings("map", colour="yellow")})
done = kim.migc("run", "apply.mig", environment=meanwhile(kim, "apply --server-side", "env", "-C", str(lee.folder), MIGC, "run", "--allow-tools", "apply.mig"))
check("of two operators of one project the first one's change stands", acted(kim) and done.returncode != 0 and data("map") == {"colour": "yellow"}, done.stdout)
kim.migc("undo", "last")
check("and the other's undo leaves it alone", data("map") == {"colour": "yellow"})
bakery = project("bakery", **{"map.yaml": settings("map", colour="white")})
done = bakery.migc("run", "apply.mig")
check("another project's field is not taken, and its project is named", done.returncode != 0 and data("map") == {"colour": "yellow"} and "migc:shop" in done.stdout and ".data.colour" in done.stdout, done.stdout)
here("apply", "--server-side", "--field-manager=migc", "-f", "-", stdin=settings("old", colour="blue", dropped="1"))
shop = project(**{"map.yaml": settings("old", colour="green")})
done = shop.migc("run", "apply.mig")
check("what an earlier migc applied is taken over, and said so", done.returncode == 0 and "what migc kept of configmap/old is kept by migc:shop" in done.stdout and managers("configmap/old") == {"migc:shop"} and data("old") == {"colour": "green"}, done.stdout)
check("and can be taken back", shop.migc("undo", "last").returncode == 0 and data("old") == {"colour": "blue", "dropped": "1"})
done = shop.migc("run", "apply.mig")
check("once", done.returncode == 0 and "from now on" not in done.stdout and data("old") == {"colour": "green"}, done.stdout)

# kubectl apply without --server-side.
here("apply", "-f", "-", stdin=settings("kept", colour="blue", dropped="1"))
shop = project(**{"map.yaml": settings("kept", colour="green")})
done = shop.migc("run", "apply.mig")
check("what kubectl apply keeps is migrated where it is as it was applied", done.returncode == 0 and data("kept") == {"colour": "green"} and managers("configmap/kept") == {"migc:shop"}, done.stdout)
check("and taken back", shop.migc("undo", "last").returncode == 0 and data("kept") == {"colour": "blue", "dropped": "1"})
here("apply", "-f", "-", stdin=settings("edited", colour="blue", taste="sour"))
here("patch", "configmap/edited", "--field-manager=kubectl-edit", "--type=merge", "-p", '{"data":{"colour":"by hand"}}')
shop.write("map.yaml", settings("edited", colour="green", taste="sour"))
done = shop.migc("run", "apply.mig")
check("an edit after kubectl apply is never overwritten, and its field is named", done.returncode != 0 and data("edited")["colour"] == "by hand" and ".data.colour" in done.stdout, done.stdout)
here("patch", "configmap/edited", "--field-manager=kubectl-client-side-apply", "--type=merge", "-p", '{"data":{"taste":"sweet"}}')
shop.write("map.yaml", settings("edited", taste="salty"))
done = shop.migc("run", "apply.mig")
check("nor one that was made under kubectl's own name", done.returncode != 0 and data("edited")["taste"] == "sweet" and ".data.taste" in done.stdout, done.stdout)

# patch object and delete object.
here("apply", "--server-side", "--field-manager=x", "-f", "-", stdin=settings("patched", colour="blue", other="1"))
shop.write("patch.mig", 'stage staging < patch object "configmap/patched" at "/data/colour" to "green"; > on failure undo;\n')
their = [KUBECTL, "-n", SPACE, "patch", "configmap/patched", "--type=merge", "-p"]
done = shop.migc("run", "patch.mig", environment=meanwhile(shop, "patch --patch-file=/dev/stdin", *their, '{"data":{"colour":"red"}}'))
check("patch object does not overwrite what was patched meanwhile", acted(shop) and done.returncode == 3 and data("patched")["colour"] == "red", done.stdout)
shop.migc("undo", "last")
check("and its undo does not either", data("patched")["colour"] == "red")
done = shop.migc("run", "patch.mig", environment=meanwhile(shop, "patch --patch-file=/dev/stdin", *their, '{"data":{"other":"2"}}'))
check("another field is no obstacle to a patch", acted(shop) and done.returncode == 0 and data("patched") == {"colour": "green", "other": "2"}, done.stdout)
shop.write("delete.mig", 'stage staging < delete object "configmap/patched"; > on failure undo;\n')
done = shop.migc("run", "delete.mig", environment=meanwhile(shop, "delete --raw", *their, '{"data":{"other":"3"}}'))
check("what was changed after it was looked at is not deleted", acted(shop) and done.returncode != 0 and data("patched")["other"] == "3", done.stdout)
check("what nobody changed is", shop.migc("run", "delete.mig").returncode == 0 and data("patched") is None)
here("create", "configmap", "patched", "--from-literal=theirs=1")
done = shop.migc("undo", "last")
check("and is not made again over somebody else's", done.returncode != 0 and data("patched") == {"theirs": "1"}, done.stdout)

# The way back of a part.
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: COUNT, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {terminationGracePeriodSeconds: 1, containers: [{name: web, image: "local/web:TAG", imagePullPolicy: IfNotPresent}]}}}
"""
here("apply", "--server-side", "--field-manager=migc:shop", "-f", "-", stdin=WEB.replace("COUNT", "1").replace("TAG", "1"))
here("rollout", "status", "deployment/web", "--timeout=120s")
shop.write("map.yaml", WEB.replace("COUNT", "2").replace("TAG", "2"))
check("a deployment is applied", shop.migc("run", "apply.mig").returncode == 0)
here("scale", "deployment/web", "--replicas=3")
done = shop.migc("undo", "last")
field = lambda path: here("get", "deployment/web", "-o", f"jsonpath={path}")
check("what is ours goes back, and an autoscaler's number is held by its name", done.returncode == 3 and field("{.spec.template.spec.containers[0].image}") == "local/web:1" and field("{.spec.replicas}") == "3" and "/spec/replicas" in done.stdout, done.stdout)

# Large ones, other versions, secrets.
large = {f"key{i}": "x" * 30_000 for i in range(10)}
here("apply", "--server-side", "--field-manager=migc:shop", "-f", "-", stdin=settings("large", **large))
shop.write("map.yaml", settings("large", small="1"))
check("300 kB are applied away", shop.migc("run", "apply.mig").returncode == 0 and data("large") == {"small": "1"})
check("and come back", shop.migc("undo", "last").returncode == 0 and data("large") == large)
shop.write("large.mig", f'stage staging < patch object "configmap/large" at "/data/key0" to "{"y" * 60_000}"; > on failure undo;\n')
check("a large patch, too", shop.migc("run", "large.mig").returncode == 0 and shop.migc("undo", "last").returncode == 0 and data("large") == large)
OLD = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {minReplicas: 1, maxReplicas: MOST, targetCPUUtilizationPercentage: 70, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}}\n"
shop.write("map.yaml", OLD.replace("MOST", "4"))
check("an object in an older version of its kind is made", shop.migc("run", "apply.mig").returncode == 0)
shop.write("map.yaml", OLD.replace("MOST", "5"))
check("and changed", shop.migc("run", "apply.mig").returncode == 0 and here("get", "hpa/web", "-o", "jsonpath={.spec.maxReplicas}") == "5")
check("and taken back", shop.migc("undo", "last").returncode == 0 and here("get", "hpa/web", "-o", "jsonpath={.spec.maxReplicas}") == "4")
CREDS = "apiVersion: v1\nkind: Secret\nmetadata: {name: creds}\nstringData: {password: WORD}\n"
here("apply", "--server-side", "--field-manager=migc:shop", "-f", "-", stdin=CREDS.replace("WORD", "old-password"))
shop.write("map.yaml", CREDS.replace("WORD", "new-password-12920"))
home = {"XDG_CONFIG_HOME": str(shop.folder / "config")}
check("a rotated secret is not skipped", shop.migc("run", "apply.mig", environment=home).returncode == 0 and here("get", "secret/creds", "-o", "go-template={{.data.password | base64decode}}") == "new-password-12920")
key = shop.folder / "config/migc/digests/shop.key"
check("its digest is made with a key that only its owner may read", key.exists() and stat.S_IMODE(key.stat().st_mode) == 0o600)
check("nothing of it is in the project", b"new-password" not in b"".join(p.read_bytes() for p in pathlib.Path(shop.folder / ".migc").rglob("*") if p.is_file() and "runs" not in p.parts))
finish()
