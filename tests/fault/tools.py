#!/usr/bin/env python3
"""Tools that hang, flood, make themselves daemons, do not listen to SIGTERM: all of them bounded.   tools.py [--long]

In time (the limit and the grace), in migc's memory (64 MiB of output), and nobody is left over. What such a tool has done
is looked at like any other step."""
import pathlib, re, resource, shutil, subprocess, sys, tempfile, time

from project import MIGC

TOOLS = {
    "hangs": ("sleep 300", 2 + 1),
    "hangs and does not listen to SIGTERM": ("trap '' TERM INT HUP; while :; do sleep 1; done", 2 + 5 + 1),
    "floods its output": ("exec yes 0123456789012345678901234567890123456789", 2 + 1),
    "floods its errors": ("exec yes 0123456789012345678901234567890123456789 >&2", 2 + 1),
    "makes itself a daemon": ("setsid sh -c 'exec sleep 299' & exit 0", 2 + 1),
    "makes itself a daemon twice, with no streams": ("(setsid sh -c 'exec sleep 298' </dev/null >/dev/null 2>&1 &) ; sleep 300", 2 + 1),
    "closes its output and hangs": ("exec >&- 2>&-; sleep 297", 2 + 1),
    "stops itself": ("kill -STOP $$", 2 + 5 + 1),
    "starts a hundred others": ("for i in $(seq 100); do sleep 296 & done; wait", 2 + 1),
}
SCRIPT = """
tool bad < program "@/bad"; within 2s; >
verb misbehave < do bad []; undo none because "it changes nothing"; >
stage staging < misbehave; > on failure hold;
"""
MEMORY = 112 << 20  # 64 MiB of output, and migc itself


def survivors():
    out = subprocess.run(["ps", "-eo", "pid,args"], stdout=subprocess.PIPE).stdout.decode()
    return re.findall(r"^ *\d+ (?:\S*/)?sleep 29\d$|^ *\d+ yes 01234.*$", out, re.MULTILINE)


def attempt(title, body, limit):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="migc-fault-"))
    (folder / "bad").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "bad").chmod(0o755)
    (folder / "script.mig").write_text(SCRIPT.replace("@", str(folder)))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    begun = time.monotonic()
    done = subprocess.run([MIGC, "run", "--allow-tools", "script.mig", "--context", "none"], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    took = time.monotonic() - begun
    memory = max(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, before) << 10
    left = survivors()
    shutil.rmtree(folder)
    problems = [f"took {took:.1f} s"] * (took > limit + 5) + [f"left {left}"] * bool(left)
    problems += [f"used {memory >> 20} MiB"] * (memory > MEMORY)
    problems += [f"exit code {done.returncode}: {done.stdout.decode()}"] * (done.returncode not in (0, 3, 4))
    print(f"a tool that {title:<46} {took:5.1f} s   {memory >> 20:4} MiB   {'; '.join(problems) or 'bounded'}", flush=True)
    return problems


def main(long):
    wrong = [problem for _ in range(10 if long else 1) for title, (body, limit) in TOOLS.items()
             for problem in attempt(title, body, limit)]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--long" in sys.argv))
