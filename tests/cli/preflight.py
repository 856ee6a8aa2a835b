#!/usr/bin/env python3
"""The look before a live run: it asks for the rights of the stages that are run, in their own environments, and reads the world
once. kubectl is a script of the project that notes what it is asked, and denies what `denied` says."""
import os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish

KUBECTL = """#!/bin/sh
echo "$*" >> '@/asked'
case "$*" in
*"--context gone "*) echo "error: context \"gone\" does not exist" >&2; exit 1 ;;
"config get-contexts -o name") echo s; echo p ;;
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
project.program("bin/kubectl", KUBECTL.replace("@", str(project.folder)))
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


def in_lines(what, done, begin):
    check(f"{what}: each on a line of its own", begin + "\n  " in done.stdout and "\\n" not in done.stdout, done.stdout)


in_lines("the reasons", done, "migc: nothing is begun:")
for stage, here, elsewhere in (("staging", "near", "far"), ("production", "far", "near")):
    done, asked = run("--stage", stage, denied=here)
    check(f"{stage}: a right that is missing there stops it", done.returncode == 2 and f"in {here}" in done.stdout, done.stdout)
    check(f"{stage}: only its environment is asked", rights(asked) == {here}, asked)
    done, asked = run("--stage", stage, denied=elsewhere)
    check(f"{stage}: one that is missing elsewhere does not", "you may not" not in done.stdout and rights(asked) == {here}, done.stdout)

# A run that is held to a saved plan reads the world as often as one that is not.
plan = project.migc("plan", "two.mig", "--stage", "staging", "--save", "plan.json", environment=PATH)
check("a plan is saved, and says what it could not read", plan.returncode == 1 and "PROBLEM" in plan.stdout and (project.folder / "plan.json").exists(), plan.stdout)
done, free = run("--stage", "staging", denied="near")
done, held = run("--stage", "staging", "--plan", "plan.json", denied="near")
check("a run that is held to a plan makes it once", done.returncode == 2 and len(held) == len(free), f"{len(held)} questions and not {len(free)}:\n" + "\n".join(held))
done, unseen = run("--stage", "staging", "--plan", "plan.json", "--no-preflight")
check("without the look no rights are asked for", rights(unseen) == set(), unseen)

done, _ = run("--plan", "plan.json", "--no-preflight")
in_lines("what is not as in the plan", done, "migc: nothing is begun: this is not what the plan says:")

# What a later stage would stumble over is found before the first one is begun.
MIGC_YAML = """order: [staging, production]
environments:
  staging: { context: s, namespace: near }
  production: { context: %s, namespace: far, protected: true, terraform: { dir: %s, var-file: a.tfvars } }
notify: { ops: { url-file: ops-url } }
"""
SOAKED = "verify replicas of webapi is 3; soak 1s while replicas of webapi is 3;"


def refused(what, expected, production, *more, top="", context="p", terraform="tf", failure="undo", **files):
    project.write("migc.yaml", MIGC_YAML % (context, terraform))
    project.write("ops-url", "https://example.org/hook")
    project.write("tf/a.tfvars", "")
    for name, text in files.items():
        project.write(name, text)
    change = "scale webapi to 3; " + SOAKED
    project.write("later.mig", f"{top}\nstage staging < {change} > on failure undo;\nstage production < {production.replace('CHANGE', change)} > on failure {failure};\n")
    project.write("asked", "")
    runs = project.migc("runs").stdout
    done = project.migc("run", "later.mig", *more, environment=PATH)
    asked = project.read("asked").splitlines()
    check(what, done.returncode == 2 and expected in done.stdout and "nothing is begun" in done.stdout and not any((" scale " in line or " patch " in line) and " can-i " not in line for line in asked), done.stdout)
    check(f"{what}: nothing is written down", project.migc("runs").stdout == runs)


refused("a time zone that there is not", "no time zone `Mars/Base`", "gate window when; CHANGE", "--set", "when=sat 02:00-04:00 Mars/Base", top='param when: string = "sat 02:00-04:00 UTC";')
refused("a window that is none", "ends when it begins", "gate window when; CHANGE", "--set", "when=sat 02:00-02:00 UTC", top='param when: string = "sat 02:00-04:00 UTC";')
refused("a context that kubectl does not have", "kubectl has no context gone", "CHANGE", context="gone")
refused("a channel that migc.yaml does not have", "no channel `osp`", 'CHANGE notify osp "done";')
refused("also where it is only told of a failure", "no channel `osp`", "CHANGE", failure='< undo; notify osp "undone"; >')
refused("a file that is not there", "there is no file k8s/nowhere.yaml", "CHANGE apply manifest;", "--set", "manifest=k8s/nowhere.yaml", top='param manifest: path = "settings.yaml";', **{"settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\n"})
refused("a tool that is not installed", "there is no program `no-such-helm`", "CHANGE release;",
        top='tool helm < program "no-such-helm"; >\nverb release < do helm ["upgrade"]; undo none because "a test"; >')
refused("a terraform folder that is not there", "there is no terraform folder", "plan terraform as p; CHANGE verify adds of p is 0; ", terraform="nowhere")
for option in ("--approval", "--evidence"):
    for name, text in (("nowhere.json", None), ("plain.txt", "no JSON")):
        if text:
            project.write(name, text)
        done = project.migc("run", "later.mig", option, name, environment=PATH)
        check(f"{option} {name} is no signed file", (done.returncode == 2 and f"{option} {name}" in done.stdout) == (text is not None or option == "--evidence"), done.stdout)
refused("a program that may not be executed", "may not be executed", 'CHANGE run script "plain.sh" undo none because "a test"; verify replicas of webapi is 3;', **{"plain.sh": "#!/bin/sh\n"})
done = project.migc("run", "later.mig", "--stage", "staging", environment=PATH)
check("what only another stage needs stops nobody", "may not be executed" not in done.stdout, done.stdout)
project.remove()
finish()
