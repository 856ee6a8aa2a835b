#!/usr/bin/env python3
"""The look before a live run: it asks for the rights of the stages that are run, in their own environments, and reads the world
once. kubectl is a script of the project that notes what it is asked, and denies what `denied` says."""
import os, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "live"))
from support import Project, check, finish

KUBECTL = """#!/bin/sh
echo "$*" >> '@/asked'
case "$*" in
*"auth can-i"*) for namespace in $(cat '@/denied'); do case "$*" in *"--namespace $namespace "*) echo no; exit 1 ;; esac; done; echo yes ;;
*"get namespace kube-system"*) echo '{"metadata": {"uid": "one"}}' ;;
*"get deployment"*) echo '{"kind": "Deployment", "metadata": {"name": "webapi", "generation": 1}, "spec": {"replicas": 2}, "status": {"observedGeneration": 1}}' ;;
*) echo "not here" >&2; exit 1 ;;
esac
"""
STAGE = "stage {} < scale webapi to 3; > on failure undo;\n"
project = Project(**{
    "migc.yaml": "order: [staging, production]\nenvironments:\n  staging: { context: s, namespace: near }\n  production: { context: p, namespace: far }\n",
    "two.mig": STAGE.format("staging") + STAGE.format("production"),
    "denied": "",
})
project.write("bin/kubectl", KUBECTL.replace("@", str(project.folder)))
(project.folder / "bin/kubectl").chmod(0o755)
PATH = {"PATH": f"{project.folder}/bin:{os.environ['PATH']}"}


def run(*more, denied=""):
    """What a run said, and what kubectl was asked by it."""
    project.write("asked", "")
    project.write("denied", denied)
    done = project.migc("run", "two.mig", *more, environment=PATH)
    return done, project.read("asked").splitlines()


def rights(asked):
    return {line.split("--namespace ")[1].split()[0] for line in asked if "auth can-i" in line}


done, asked = run(denied="near far")
check("without --stage both are looked at", done.returncode == 2 and rights(asked) == {"near", "far"}, asked)
for stage, here, elsewhere in (("staging", "near", "far"), ("production", "far", "near")):
    done, asked = run("--stage", stage, denied=here)
    check(f"{stage}: a right that is missing there stops it", done.returncode == 2 and f"in {here}" in done.stdout, done.stdout)
    check(f"{stage}: only its environment is asked", rights(asked) == {here}, asked)
    done, asked = run("--stage", stage, denied=elsewhere)
    check(f"{stage}: one that is missing elsewhere does not", "you may not" not in done.stdout and rights(asked) == {here}, done.stdout)

# A run that is held to a saved plan reads the world as often as one that is not.
plan = project.migc("plan", "two.mig", "--stage", "staging", "--save", "plan.json", environment=PATH)
check("a plan is saved", plan.returncode == 0, plan.stdout)
done, free = run("--stage", "staging", denied="near")
done, held = run("--stage", "staging", "--plan", "plan.json", denied="near")
check("a run that is held to a plan makes it once", done.returncode == 2 and len(held) == len(free), f"{len(held)} questions and not {len(free)}:\n" + "\n".join(held))
done, unseen = run("--stage", "staging", "--plan", "plan.json", "--no-preflight")
check("without the look no rights are asked for", rights(unseen) == set(), unseen)
project.remove()
finish()
