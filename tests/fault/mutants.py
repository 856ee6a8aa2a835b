#!/usr/bin/env python3
"""Each patch in tests/fault/mutants/ plants one bug, and the tests that its second line names must find it.

    mutants.py [--tree FOLDER] [NAME...]   builds the mutants in a copy of the sources (build-mutants/ if no other is named,
                                           where FOLDER/build is the build), one after the other, and tells which test found each
    mutants.py --check                     says whether every patch still applies to these sources: part of every test run
    mutants.py --refresh NAME...           writes patches again whose lines have moved, or whose neighbours have changed"""
import argparse, os, pathlib, re, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import SKIPPED, SOURCE as ROOT


class Mutant:
    def __init__(self, path):
        self.name, self.path, self.text = path.stem, path, path.read_text()
        first, second = self.text.splitlines()[:2]
        self.wrong, self.tests = first.removeprefix("# "), second.removeprefix("# Found by: ").split()
        self.files = re.findall(r"(?m)^\+\+\+ b/(\S+)", self.text)

    def apply(self, tree, *options):
        """What git says against it; nothing if it applies."""
        # The tree is no checkout of its own: git must not look for one around it.
        done = subprocess.run(["git", "apply", *options, self.path], cwd=tree, capture_output=True, text=True,
                              env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)})
        return done.stderr.strip()

    def refresh(self, tree):
        if why := self.apply(tree, "-C0", "--recount"):
            sys.exit(f"{self.name}: {why}")
        diffs = [subprocess.run(["git", "diff", "--no-index", "--no-color", "-U1", ROOT / f, tree / f], capture_output=True, text=True).stdout for f in self.files]
        lines = [re.sub(r"(?m)^(@@ .* @@).*", r"\1", d[d.index("@@ "):]) for d in diffs]
        head = self.text[:self.text.index("--- ")]
        self.path.write_text(head + "".join(f"--- a/{f}\n+++ b/{f}\n{d}" for f, d in zip(self.files, lines)))


def copy(tree):
    """The sources as they are here. Only what differs is written, so that only that is built again."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        source, to = ROOT / name, tree / name
        if source.is_file() and not (to.exists() and to.read_bytes() == source.read_bytes()):
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(source.read_bytes())
            to.chmod(source.stat().st_mode)
    for file in tree.rglob("*"):
        name = file.relative_to(tree)
        if name.parts[0] != "build" and file.is_file() and not (ROOT / name).is_file():
            file.unlink()


def build(tree, jobs):
    subprocess.run(["ninja", "-C", tree / "build", "-j", str(jobs), "--quiet", "migc", "unit-tools", "unit-journal"], check=True)


def found_by(tree, test):
    """The line that tells how the test found it; nothing if it did not."""
    environment = {**os.environ, "MIGC": str(tree / "build/cli/migc"), "FAULT_SAMPLE": "12", "FAULT_FIRST": "1"}
    command = [tree / "build/tests/unit" / test] if test.startswith("unit-") else [sys.executable, HERE / f"{test}.py"]
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    except subprocess.TimeoutExpired:
        return "it never ended"
    if done.returncode in (0, SKIPPED):
        return None
    lines = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    telling = [line for line in lines if re.search(r"done twice|state|exit code|FAILED|wrong|left|without|signal|undone", line)]
    return next((line for line in telling if not re.search(r" 0 wrong", line)), lines[-1] if lines else "it failed")


def is_found(mutant, tree, jobs):
    copy(tree)  # the mutant before this one goes
    if why := mutant.apply(tree):
        sys.exit(f"{mutant.name}: {why}")
    build(tree, jobs)
    begun = time.monotonic()
    test, how = next(((t, how) for t in mutant.tests if (how := found_by(tree, t))), (None, None))
    took = f"{time.monotonic() - begun:4.0f} s"
    print(f"{mutant.name:<22} {mutant.wrong:<60} " + (f"found by {test:<13} {took}   {how[:110]}" if how else f"NOT FOUND   {took}"), flush=True)
    return how is not None


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tree", type=pathlib.Path, default=ROOT / "build-mutants")
    options.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="of the build")
    options.add_argument("--check", action="store_true")
    options.add_argument("--refresh", action="store_true")
    options.add_argument("names", nargs="*")
    options = options.parse_args()
    mutants = {path.stem: Mutant(path) for path in sorted((HERE / "mutants").glob("*.patch"))}
    if unknown := set(options.names) - set(mutants):
        sys.exit(f"no mutant {', '.join(sorted(unknown))}; there are: {', '.join(mutants)}")
    wanted = [mutants[name] for name in options.names] or list(mutants.values())
    if options.check:
        stale = [f"{m.path.relative_to(ROOT)}: {why}" for m in wanted if (why := m.apply(ROOT, "--check"))]
        print(*stale, f"mutants: {len(wanted) - len(stale)} apply, {len(stale)} do not; `tests/fault/mutants.py --refresh NAME`, or write the patch anew", sep="\n")
        return 1 if stale or not wanted else 0
    tree = options.tree.resolve()
    copy(tree)
    if options.refresh:
        for mutant in wanted:
            mutant.refresh(tree)
            copy(tree)
        return 0
    if not (tree / "build/build.ninja").exists():
        subprocess.run(["cmake", "--preset", "release"], cwd=tree, check=True)
    build(tree, options.jobs)
    missed = [m.name for m in wanted if not is_found(m, tree, options.jobs)]
    print(f"{len(wanted) - len(missed)} of {len(wanted)} mutants found" + (f"; not: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
