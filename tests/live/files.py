#!/usr/bin/env python3
"""Real git and real files: values set and put back, revisions restored, hooks and settings that must not matter."""
import os, pathlib, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Project, check, finish, need

need("git")
ODD = "k8s/a 'b' $(touch hacked).yaml"
project = Project(**{
    "appsettings.json": '{\n  // production\n  "Redis": "localhost:6379", // moves\n  "Features": {}\n}\n',
    "k8s/configmap.yaml": "kind: ConfigMap\ndata:\n  Redis: 'localhost:6379' # moves\n",
    ODD: "a: old\n",
    "k8s/run.sh": "#!/bin/sh\n",
    "set.mig": """require value of "k8s/configmap.yaml" at "/data/Redis" is value of "appsettings.json" at "/Redis";

stage staging <
    set value of "appsettings.json" at "/Redis" to "redis-service:6379";
    set value of "k8s/configmap.yaml" at "/data/Redis" to "redis-service:6379";
    set flag "UseRedis" in "appsettings.json" to true;
    verify value of "k8s/configmap.yaml" at "/data/Redis" is value of "appsettings.json" at "/Redis";
    verify not revision of "appsettings.json" committed;
> on failure undo;
""",
    "restore.mig": """stage staging <
    verify revision of "k8s/configmap.yaml" committed;
    restore "k8s" from "HEAD~1";
    verify value of "k8s/configmap.yaml" at "/data/Redis" is "localhost:6379";
    verify not revision of "k8s/configmap.yaml" committed;
    restore "deleted.yaml" from "v1";
> on failure undo;
""",
    "restore-and-fail.mig": """stage staging <
    restore "k8s" from "HEAD~1";
    restore "deleted.yaml" from "v1";
    verify value of "k8s/configmap.yaml" at "/data/Redis" is "nobody" within 1s;
> on failure undo;
""",
    "nowhere.mig": 'stage staging < restore "k8s" from "HEAD~7"; > on failure undo;\n',
    "hostile.mig": 'stage staging < restore "k8s" from "--upload-pack=touch hacked"; > on failure undo;\n',
    "link.mig": 'stage staging < restore "link.yaml" from "HEAD"; > on failure undo;\n',
})
CLEAN = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def git(*arguments):
    done = subprocess.run(["git", "-C", str(project.folder), "-c", "user.name=t", "-c", "user.email=t@t", *arguments], capture_output=True,
                          text=True, env={**os.environ, **CLEAN})
    assert done.returncode == 0, done.stderr
    return done.stdout


def files():
    return {str(p.relative_to(project.folder)): (p.read_bytes(), p.stat().st_mode) for p in sorted(project.folder.rglob("*"))
            if p.is_file() and not {".git", ".migc"} & set(p.relative_to(project.folder).parts)}


def of_git():
    """What a run must leave alone: the index, HEAD, every reference."""
    return (project.folder / ".git/index").read_bytes(), git("rev-parse", "HEAD"), git("for-each-ref")


before = files()
check("values are set", project.migc("run", "set.mig").returncode == 1, "outside of a repository nothing is known to be committed")
check("and put back", files() == before)

project.write(".gitignore", ".migc/\n*.log\n")
project.write("deleted.yaml", "x: 1\n")
os.chmod(project.folder / "k8s/run.sh", 0o755)
os.symlink("appsettings.json", project.folder / "link.yaml")
git("init", "-q", "-b", "main")
git("add", "-A")
git("commit", "-qm", "one")
git("tag", "v1")
project.write("k8s/configmap.yaml", "kind: ConfigMap\ndata:\n  Redis: 'redis-service:6379' # moves\n")
project.write(ODD, "a: new\n")
os.chmod(project.folder / "k8s/run.sh", 0o644)
os.remove(project.folder / "deleted.yaml")
project.write("k8s/new.yaml", "only: here\n")
git("add", "-A")
git("commit", "-qm", "two")
project.write("k8s/kept.log", "not under version control\n")

# A repository and a home that try to run programs and to change what git says.
hacked = project.folder / "hacked"
for hook in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
    path = project.folder / ".git/hooks" / hook
    path.write_text(f"#!/bin/sh\ntouch {hacked}\n")
    os.chmod(path, 0o755)
git("config", "core.fsmonitor", f"touch {hacked};:")
git("config", "core.pager", f"touch {hacked}; cat")
home = pathlib.Path(tempfile.mkdtemp(prefix="migc-home-"))
(home / ".gitconfig").write_text(f"[core]\n pager = touch {hacked}\n[color]\n ui = always\n[alias]\n status = !touch {hacked}\n[status]\n short = false\n")
odd = {"HOME": str(home), "GIT_DIR": "/nowhere", "GIT_PAGER": f"touch {hacked}", "GIT_EXTERNAL_DIFF": f"touch {hacked}"}

before, kept = files(), of_git()
done = project.migc("run", "restore-and-fail.mig", environment=odd)
check("a failed verification puts every file back", done.returncode == 1 and files() == before, done.stdout)
done = project.migc("run", "restore.mig", environment=odd)
check("a folder and a deleted file are restored", done.returncode == 0, done.stdout)
now = files()
check("the committed bytes are there", project.read("k8s/configmap.yaml").endswith("'localhost:6379' # moves\n") and project.read(ODD) == "a: old\n")
check("and whether a file may be executed", now["k8s/run.sh"][1] & 0o111 == 0o111)
check("a deleted file is back", project.read("deleted.yaml") == "x: 1\n")
changed = {name for name in set(now) | set(before) if now.get(name) != before.get(name)}
check("what the revision does not have stays", changed == {"k8s/configmap.yaml", ODD, "k8s/run.sh", "deleted.yaml"}, changed)
check("neither the index nor a reference has changed", of_git() == kept)
check("the undo of that run", project.migc("undo", "last", environment=odd).returncode == 0 and files() == before)
for script, why in (("nowhere.mig", "no revision `HEAD~7`"), ("hostile.mig", "cannot be a revision"), ("link.mig", "symbolic link")):
    done = project.migc("run", script, environment=odd)
    check(f"{script}: {why}", done.returncode == 1 and why in done.stdout and files() == before, done.stdout)
check("no hook, pager, monitor or alias has run", not hacked.exists())

project.write("appsettings.json", '{\n  // production\n  "Redis": "redis-service:6379", // moves\n  "Features": {}\n}\n')
git("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "commit", "-qam", "three")
before = files()
check("set, agreeing with each other", project.migc("run", "set.mig").returncode == 0)
check("only the values have changed", project.read("appsettings.json") ==
      '{\n  // production\n  "Redis": "redis-service:6379", // moves\n  "Features": {\n    "UseRedis": true\n  }\n}\n')
check("and are undone", project.migc("undo", "last").returncode == 0 and files() == before)

# Somebody else writes the file while git is asked what it is to become.
bin = pathlib.Path(tempfile.mkdtemp(prefix="migc-bin-"))
(bin / "git").write_text(f"""#!/bin/sh
case " $* " in *" cat-file "*)
    echo . >> {bin}/asked
    if [ "$(wc -l < {bin}/asked)" = 2 ]; then echo "# theirs" >> {project.folder}/k8s/configmap.yaml; fi ;;
esac
exec {shutil.which("git")} "$@"
""")
(bin / "git").chmod(0o755)
project.write("one.mig", 'stage staging < restore file "k8s/configmap.yaml" from commit (commit of "HEAD~2"); > on failure undo;\n')
done = project.migc("run", "one.mig", environment={"PATH": f"{bin}:{os.environ['PATH']}"})
check("what somebody writes meanwhile is not overwritten", done.returncode != 0 and project.read("k8s/configmap.yaml").endswith("# theirs\n"), done.stdout)
git("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "checkout", "-q", "--", "k8s/configmap.yaml")
check("restored", project.migc("run", "one.mig").returncode == 0)
project.write("k8s/configmap.yaml", project.read("k8s/configmap.yaml") + "# theirs\n")
done = project.migc("undo", "last")
check("and what somebody writes after it is not, either", done.returncode == 3 and project.read("k8s/configmap.yaml").endswith("# theirs\n"), done.stdout)
shutil.rmtree(bin)

# The same in a folder below the repository's own.
inner = Project(**{"t.mig": 'stage staging < restore "a.yaml" from "HEAD"; verify revision of "a.yaml" committed; > on failure undo;\n'})
(inner.folder / "sub").mkdir()
for name in ("t.mig",):
    os.rename(inner.folder / name, inner.folder / "sub" / name)
inner.write("sub/a.yaml", "a: 1\n")
inner.write("a.yaml", "a: outer\n")
for arguments in (("init", "-q"), ("add", "-A"), ("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one")):
    subprocess.run(["git", "-C", str(inner.folder), *arguments], check=True, env={**os.environ, **CLEAN})
inner.write("sub/a.yaml", "a: 2\n")
inner.write("a.yaml", "a: changed\n")
check("a project below the repository's root", inner.migc("run", "sub/t.mig").returncode == 0 and inner.read("sub/a.yaml") == "a: 1\n")
check("and nothing beside it", inner.read("a.yaml") == "a: changed\n")
inner.remove()
project.remove()
finish()
