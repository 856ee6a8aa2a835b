#!/usr/bin/env python3
"""Files that migc reads: no path that a repository controls leads out of it, nor into .git or .migc; a migc.yaml counts only if it is
the user's; what may lie outside is what the user names.

    MIGC=build/cli/migc reading.py"""
import os, shutil, subprocess

from room import OTHER, Room, can_be_another, check, finish, in_rooms

CANARY = "canary-6f1e2a"
YAML = "order: [staging]\nenvironments:\n  staging: {}\n"
SOUND = 'stage staging < scale webapi to 4; verify replicas of webapi is 4; > on failure undo;\n'
LOGIN = """param token: secret;
tool box < program "box"; >
verb log in with (token: secret) < do box ["login"] stdin token; undo none because "a session ends"; >
stage staging < log in with token; > on failure undo;
"""


def hidden(what, done, code=None):
    ok = CANARY not in done.text and (code is None or done.returncode == code)
    check(what, ok, f"exit code {done.returncode}\n{done.text}")


def loot(room):
    """Secrets where repositories look for them."""
    room.write("credentials", f"token {CANARY} <\n", room.outside)
    room.write(".netrc", f"machine x password {CANARY} <\n", room.top)
    room.write(".git/config", f'[remote "origin"]\n\turl = https://x:{CANARY}@example.com/ <\n')
    room.write(".migc/runs/1/kept.mig", f"{CANARY} <\n")


def commands(script):
    yield ["check", script]
    yield ["check", "--json", script]
    yield ["fmt", "--check", script]
    yield ["ir", script]
    yield ["graph", script]
    yield ["plan", script, "--world", "learning"]
    yield ["run", script, "--world", "learning"]
    yield ["prove", script]


def used_files(room):
    loot(room)
    targets = ["/proc/self/environ", "../.netrc", ".git/config", ".migc/runs/1/kept.mig", "/dev/stdin", "in/../../.netrc", "linked", "out/credentials",
               str(room.outside / "credentials"), "conf/.git/config"]
    room.link("linked", room.outside / "credentials")
    room.link("out", room.outside)
    room.link("conf/.git", room.folder / ".git")
    (room.folder / "in").mkdir()
    for yaml in (True, False):
        for number, target in enumerate(targets):
            room.write(f"u{number}.mig", f'use "{target}";\n{SOUND}')
        if yaml:
            room.write("migc.yaml", YAML)
        else:
            (room.folder / "migc.yaml").unlink()
        room.hand_over()
        for number, target in enumerate(targets):
            for words in commands(f"u{number}.mig"):
                done = room.migc(*words, environment={"MIGC_TEST_SECRET": CANARY})
                hidden(f"{words[0]} shows nothing of use \"{target}\"", done)
            check(f"and check refuses it ({target})", room.migc("check", f"u{number}.mig").returncode == 1)
    room.write("lib/more.mig", 'verb rest < needs true; undo none because "nothing"; >\n')
    room.write("sub/a.mig", 'use "../lib/more.mig";\n' + SOUND)
    room.hand_over()
    done = room.migc("check", "sub/a.mig")
    check("a file of the same repository is used", "cannot read" not in done.text, done.text)


def outside_names(room):
    """Nor are the names of what lies outside listed."""
    room.write(f"{CANARY}.txt", "x", room.outside)
    room.write("migc.yaml", YAML)
    room.write("a.mig", 'stage staging < restore "../outside" from "HEAD"; verify replicas of webapi is 4; > on failure undo;\n')
    room.hand_over()
    for words in [*commands("a.mig"), ["plan", "a.mig", "--world", "learning", "--markdown"]]:
        hidden(f"{words[0]} lists nothing outside", room.migc(*words))


def linked_scripts(room):
    loot(room)
    room.link("a.mig", room.outside / "credentials")
    room.link("b.mig", ".git/config")
    room.link("sub/c.mig", "../../outside/credentials")
    room.link("d.mig", ".migc/runs/1/kept.mig")
    room.hand_over()
    for script in ("a.mig", "b.mig", "sub/c.mig", "d.mig"):
        for words in commands(script):
            hidden(f"{words[0]} {script} shows nothing of what a link leads to", room.migc(*words))
    done = room.migc("check", ".")
    hidden("nor does a search of the folder", done, 2)
    shutil.rmtree(room.folder / ".git")
    done = room.migc("check", ".")
    hidden("nor where there is no repository", done, 2)
    hidden("nor from above", room.migc("check", "project", cwd=room.top), 2)
    room.write("real.mig", SOUND, room.outside)
    room.hand_over()
    done = room.migc("check", "../outside/real.mig")
    check("a script that is named itself may lie anywhere", done.returncode == 0, done.text)


def linked_projects(room):
    """A link to a folder which calls itself a project: what is in it is no more of this one for that."""
    for marker in ("migc.yaml", ".git/HEAD"):
        other = room.outside / marker.replace("/", "-")
        room.write("a.mig", f"let x = {CANARY} <\n", other)
        room.write(marker, YAML if marker == "migc.yaml" else "ref: refs/heads/main\n", other)
        room.link("there-" + marker.replace("/", "-"), other)
    room.write(".git/HEAD", "ref: refs/heads/main\n")
    room.hand_over()
    for link in ("there-migc.yaml", "there-.git-HEAD"):
        for name in (link, link + "/a.mig"):
            for words in commands(name):
                hidden(f"{' '.join(words)}: not through a link to another project", room.migc(*words))


def linked_migc_yaml(room):
    loot(room)
    room.write("a.mig", SOUND)
    for target in (room.outside / "credentials", room.folder / ".git/config"):
        room.link("migc.yaml", target)
        room.hand_over()
        for words in (["check", "a.mig"], ["check", "--json", "a.mig"], ["plan", "a.mig", "--world", "learning"], ["runs"], ["doctor"]):
            hidden(f"{words[0]} shows nothing of a migc.yaml that leads to {target.name}", room.migc(*words))
        done = room.migc("check", "a.mig")
        check("and refuses it", done.returncode != 0 and "migc.yaml" in done.text, done.text)
        (room.folder / "migc.yaml").unlink()


def named_in_scripts(room):
    loot(room)
    room.write("migc.yaml", YAML)
    room.link("k8s/link.yaml", room.outside / "credentials")
    room.link("conf", room.folder / ".git")
    room.write("a.mig", 'let v = value of "/a" in "k8s/link.yaml";\n' + SOUND)
    room.write("b.mig", 'stage staging < apply "k8s/link.yaml"; > on failure undo;\n')
    room.write("c.mig", 'stage staging < apply "conf/config"; > on failure undo;\n')
    room.write("d.mig", 'stage staging < apply ".git/config"; > on failure undo;\n')
    room.hand_over()
    for script in ("a.mig", "b.mig", "c.mig", "d.mig"):
        for words in (["check", script], ["plan", script, "--world", "learning"], ["run", script, "--world", "learning"]):
            hidden(f"{words[0]} {script} reads no file that a path leads out to", room.migc(*words))
    room.link("base.json", room.outside / "credentials")
    hidden("nor a baseline", room.migc("check", "--baseline", "base.json", "a.mig"), 2)
    room.link("world.yaml", room.outside / "credentials")
    hidden("nor a world", room.migc("run", "a.mig", "--world", "world.yaml"))


# ------------------------------------------------------------------ secrets


def box(room):
    tool = room.write("bin/box", f'#!/bin/sh\nread token\necho "$token" > {room.top}/received\n', room.top)
    tool.chmod(0o755)
    return {"PATH": f"{tool.parent}:{os.environ['PATH']}"}


def spying_inventory(room):
    """A migc.yaml with a command for the secret that leaves a trace."""
    spy = room.write("spy", f"#!/bin/sh\ntouch {room.top}/ran\necho {CANARY}\n", room.outside)
    spy.chmod(0o755)
    return f"order: [staging]\nenvironments:\n  staging: {{ secrets: {{ token: {{ command: [{spy}] }} }} }}\n"


def received(room):
    file = room.top / "received"
    text = file.read_text().strip() if file.exists() else None
    if text is not None:
        file.unlink()
    return text


def secrets(room):
    environment = box(room)
    mounted = room.outside / "mounted"
    room.write("..2026_01/token", CANARY + "\n", mounted)
    (mounted / "..data").symlink_to("..2026_01")
    (mounted / "token").symlink_to("..data/token")
    room.write("own", CANARY + "\n")
    room.link("linked", mounted / "token")
    room.write("a.mig", LOGIN)
    where = lambda file: room.write("migc.yaml", f"order: [staging]\nenvironments:\n  staging: {{ secrets: {{ token: {{ file: \"{file}\" }} }} }}\n")

    def run(file, *more):
        where(file)
        room.hand_over()
        done = room.migc("run", "a.mig", "--allow-tools", *more, environment=environment)
        return done, received(room)

    done, got = run("own")
    check("a secret of the project is read", got == CANARY, done.text)
    for file in (f"{mounted}/token", "linked"):
        done, got = run(file)
        check(f"one outside is not ({file})", got is None and done.returncode != 0 and "outside-files" in done.text, done.text)
    done, got = run(f"{mounted}/token", "--outside", str(mounted))
    check("unless a flag names its folder, with the links of a mounted secret", got == CANARY, done.text)
    done, got = run(f"{mounted}/token", "--outside", f"{mounted}/token")
    check("or the file itself", got == CANARY, done.text)
    done, got = run("linked", "--outside", str(mounted))
    check("but a link in the repository leads there for nobody", got is None, done.text)
    config = room.write(".config/migc/config.yaml", f"outside-files: [{mounted}]\n", room.home)
    done, got = run(f"{mounted}/token")
    check("or the user's configuration names it", got == CANARY, done.text)
    config.chmod(0o666)
    done, got = run(f"{mounted}/token")
    check("which counts only if others cannot write it", got is None and "others may write it" in done.text, done.text)
    config.unlink()
    done = room.migc("check", "a.mig", environment=environment)
    check("who only checks the script needs none of it", done.returncode == 0, done.text)


def plan_reads_none(room):
    """A secret's command and file are left alone by `plan`."""
    environment = box(room)
    room.write("a.mig", LOGIN)
    room.write("migc.yaml", spying_inventory(room))
    room.hand_over()
    for words in (["plan", "a.mig"], ["plan", "a.mig", "--digest"], ["plan", "a.mig", "--json"], ["check", "a.mig"], ["doctor", "--for", "a.mig"]):
        done = room.migc(*words, environment=environment)
        check(f"{' '.join(words)} runs no command of a secret", not (room.top / "ran").exists(), done.text)
        (room.top / "ran").unlink(missing_ok=True)
    done = room.migc("plan", "a.mig", environment=environment)
    check("and there is a plan", done.returncode == 0, done.text)
    room.write("migc.yaml", "order: [staging]\nenvironments:\n  staging: { secrets: { token: { file: own } } }\n")
    room.write("own", CANARY + "\n").chmod(0o000)
    room.hand_over()
    done = room.migc("plan", "a.mig", environment=environment)
    check("nor is its file opened", done.returncode == 0, done.text)


# ------------------------------------------------------------------ migc.yaml of a parent folder


def others_migc_yaml():
    if not can_be_another():
        return
    for victim, villain in (("root", OTHER), (OTHER, "daemon")):
        room = Room(None if victim == "root" else victim)
        try:
            print(f"\n== others_migc_yaml, read by {victim}, written by {villain}")
            environment = box(room)
            work = room.folder / "work"
            room.write("work/a.mig", LOGIN)
            trap = room.write("migc.yaml", spying_inventory(room))
            room.hand_over()
            room.top.chmod(0o777)
            subprocess.run(["chown", villain, str(trap)], check=True)
            for words in (["run", "a.mig"], ["plan", "a.mig"], ["check", "a.mig"], ["doctor"], ["runs"]):
                done = room.migc(*words, cwd=work, environment=environment)
                check(f"{words[0]} runs nothing of another user's migc.yaml", not (room.top / "ran").exists() and CANARY not in done.text, done.text)
            done = room.migc("check", "a.mig", cwd=work)
            check("and says whose it is, and how it could be trusted", villain in done.text and "trusted-projects" in done.text and done.returncode != 0, done.text)
            subprocess.run(["chown", victim, str(trap)], check=True)
            subprocess.run(["chown", villain, str(room.folder)], check=True)
            done = room.migc("check", "a.mig", cwd=work)
            check("nor of one in another user's folder", "trusted-projects" in done.text and done.returncode != 0, done.text)
            room.write(".config/migc/config.yaml", f"trusted-projects: [{room.folder}]\n", room.home)
            room.hand_over() if room.user else None
            subprocess.run(["chown", villain, str(room.folder), str(trap)], check=True)
            done = room.migc("check", "a.mig", cwd=work)
            check("unless the user's configuration names the folder", done.returncode == 0, done.text)
            subprocess.run(["chown", villain, str(room.home / ".config/migc/config.yaml")], check=True)
            done = room.migc("check", "a.mig", cwd=work)
            check("and that is the user's", done.returncode != 0 and "belongs to somebody else" in done.text, done.text)
            (room.home / ".config/migc/config.yaml").unlink()
            subprocess.run(["chown", victim, str(room.folder), str(trap)], check=True)
            trap.chmod(0o666)
            done = room.migc("check", "a.mig", cwd=work)
            check("one that everybody may write counts as little", done.returncode != 0 and "everybody may write it" in done.text, done.text)
            trap.chmod(0o644)
            check("the user's own counts", room.migc("check", "a.mig", cwd=work).returncode == 0)
        finally:
            room.remove()


def others_script():
    """A script of somebody else's, without a migc.yaml: it says what is done as whoever runs it."""
    if not can_be_another():
        return
    for victim, villain in (("root", OTHER), (OTHER, "daemon")):
        room = Room(None if victim == "root" else victim)
        try:
            print(f"\n== others_script, run by {victim}, written by {villain}")
            environment = box(room)
            room.write("do.sh", f"#!/bin/sh\ntouch {room.top}/ran\n").chmod(0o755)
            text = 'stage staging < run script "do.sh" undo none because "a test"; > on failure undo;\n'
            script, module = room.write("a.mig", text), room.write("lib.mig", "resource thing;\n")
            user = room.write("b.mig", 'use "lib.mig";\n' + text)
            room.hand_over()
            room.top.chmod(0o777)
            commands = [[*words, name, *more] for name in ("a.mig", "b.mig") for words, more in ((["run"], ["--allow-tools"]), (["plan"], []), (["plan", "--digest"], []), (["doctor", "--for"], []), (["rehearse"], ["--stage", "staging", "--allow-tools"]))]

            def is_refused(what, which):
                for words in commands:
                    if which not in words:
                        continue
                    for cwd, place in ((room.folder, ""), (room.home, str(room.folder) + "/")):
                        done = room.migc(*[place + w if w.endswith(".mig") else w for w in words], cwd=cwd, environment=environment)
                        check(f"{what}: {' '.join(words)}", done.returncode == 2 and not (room.top / "ran").exists() and villain in done.text and "trusted-projects" in done.text, done.text)
                check(f"{what}: who only looks may look", room.migc("check", which).returncode in (0, 1) and room.migc("plan", which, "--world", "learning").returncode in (0, 1, 2))

            subprocess.run(["chown", villain, str(script)], check=True)
            is_refused("a script of another", "a.mig")
            subprocess.run(["chown", villain, str(module)], check=True)
            is_refused("a module of another", "b.mig")
            room.hand_over() if room.user else subprocess.run(["chown", "-R", "root", str(room.folder)], check=True)
            subprocess.run(["chown", villain, str(room.folder)], check=True)
            is_refused("one's own in another's folder", "a.mig")
            room.write(".config/migc/config.yaml", f"trusted-projects: [{room.folder}]\n", room.home)
            subprocess.run(["chown", "-R", victim, str(room.home)], check=True)
            done = room.migc("plan", "a.mig", environment=environment)
            check("unless the user's configuration names the folder", done.returncode == 0, done.text)
        finally:
            room.remove()


for part in (used_files, outside_names, linked_scripts, linked_projects, linked_migc_yaml, named_in_scripts, secrets, plan_reads_none):
    in_rooms(part)
others_migc_yaml()
others_script()
finish()
