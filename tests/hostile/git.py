#!/usr/bin/env python3
"""A repository whose configuration names programs: filters, monitors, transports, helpers. Whoever looks at a script in it
(check, plan, run) runs none of them.

    MIGC=build/cli/migc git.py"""
import os, pathlib, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import MIGC, check, finish

SCRIPT = """require revision of "a.yaml" committed;
stage staging < restore "a.yaml" from "HEAD~1"; > on failure undo;
"""


def repository(top):
    folder = top / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", ".")
    for number in (1, 2):
        (folder / "a.yaml").write_text(f"a: {number}\n")
        (folder / "a.mig").write_text(SCRIPT)
        (folder / "migc.yaml").write_text("order: [staging]\nenvironments: { staging: {} }\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", str(number))
    return folder


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments], check=True, stdout=subprocess.DEVNULL)


def migc(folder, *arguments):
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder.parent / "configuration"), "LANG": "C.UTF-8"}
    done = subprocess.run([MIGC, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, env=environment)
    print(f"$ migc {' '.join(arguments)}\n{done.stdout}exit code {done.returncode}")
    return done


def filters(folder, trip):
    (folder / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
    for key in ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.command", "diff.evil.textconv"):
        git(folder, "config", key, trip)
    os.utime(folder / "a.yaml", (1, 1))  # git has to look into the file


def required_filter(folder, trip):
    filters(folder, trip)
    git(folder, "config", "filter.evil.required", "true")


def a_filter_with_an_odd_name(folder, trip):
    (folder / ".gitattributes").write_text("*.yaml filter=a=b\n")
    with open(folder / ".git/config", "a") as config:
        config.write(f'[filter "a=b"]\n\tclean = {trip}\n\tprocess = {trip}\n')
    os.utime(folder / "a.yaml", (1, 1))


def monitors(folder, trip):
    git(folder, "config", "core.fsmonitor", trip)
    git(folder, "config", "core.hooksPath", str(pathlib.Path(trip).parent / "hooks"))
    git(folder, "config", "core.pager", trip)
    git(folder, "config", "pager.status", trip)
    git(folder, "config", "alias.status", "!" + trip)


def included(folder, trip):
    (folder / "more").write_text(f'[filter "evil"]\n\tclean = {trip}\n')
    (folder / ".gitattributes").write_text("*.yaml filter=evil\n")
    git(folder, "config", "include.path", "../more")
    os.utime(folder / "a.yaml", (1, 1))


def promised_objects(folder, trip):
    """What is missing would be fetched, by a program that the configuration names."""
    missing = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD~1:a.yaml"], text=True, stdout=subprocess.PIPE).stdout.strip()
    (folder / ".git/objects" / missing[:2] / missing[2:]).unlink()
    git(folder, "config", "extensions.partialClone", "origin")
    git(folder, "config", "core.repositoryFormatVersion", "1")
    git(folder, "config", "remote.origin.promisor", "true")
    git(folder, "config", "remote.origin.url", f"ext::{trip} %S")
    git(folder, "config", "remote.origin.uploadpack", trip)
    git(folder, "config", "protocol.ext.allow", "always")
    git(folder, "config", "protocol.allow", "always")


def promised_by_a_folder(folder, trip):
    promised_objects(folder, trip)
    git(folder, "config", "remote.origin.url", str(folder))


def promised_by_a_server(folder, trip):
    promised_objects(folder, trip)
    git(folder, "config", "remote.origin.url", "ssh://git@example.com/a.git")
    git(folder, "config", "core.sshCommand", trip)


def submodule(folder, trip):
    inner = folder / "inner"
    inner.mkdir()
    git(inner, "init", "-q", ".")
    (inner / "b.yaml").write_text("b: 1\n")
    git(inner, "add", "-A")
    git(inner, "commit", "-q", "-m", "b")
    git(inner, "config", "core.fsmonitor", trip)
    git(folder, "add", "inner")
    git(folder, "commit", "-q", "-m", "inner")


def main():
    for trap in (filters, required_filter, a_filter_with_an_odd_name, monitors, included, promised_objects, promised_by_a_folder, promised_by_a_server,
                 submodule):
        top = pathlib.Path(tempfile.mkdtemp(prefix="migc-hostile-git-"))
        try:
            trip = top / "trip"
            trip.write_text(f"#!/bin/sh\ntouch {top}/tripped\ncat\n")
            trip.chmod(0o755)
            hooks = top / "hooks"
            hooks.mkdir()
            for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
                shutil.copy(trip, hooks / hook)
            folder = repository(top)
            trap(folder, str(trip))
            (top / "tripped").unlink(missing_ok=True)  # by git itself, while the trap was set
            for command in (("check", "a.mig"), ("plan", "a.mig"), ("graph", "a.mig"), ("prove", "a.mig"), ("run", "a.mig")):
                migc(folder, *command)
                check(f"{trap.__name__}: {command[0]} runs nothing of the repository's", not (top / "tripped").exists())
                (top / "tripped").unlink(missing_ok=True)
        finally:
            shutil.rmtree(top, ignore_errors=True)


main()
finish()
