#!/usr/bin/env python3
"""What an earlier migc has written down (tests/fixtures/journals/) is listed, shown, undone and gone on with by this one."""
import os, pathlib, sqlite3, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import SOURCE, Project, check, finish

# The tool of the journals' scripts: it keeps each level in a file.
BOX = """#!/bin/sh
case "$1" in
get) cat "state/$2" 2>/dev/null || echo 1 ;;
set) echo "$3" > "state/$2" ;;
esac
"""
DONE, CUT = "2026-12-01-1", "2026-12-01-2"
AS_LEFT = {"pump": "4", "valve": "7", "tank": "5"}  # each was 1; what was cut off is `drum`, which was to be 6


class Shop(Project):
    """A project in which the journal's runs have been, as they left it."""

    def __init__(self, journal):
        super().__init__(**{f"app/state/{name}": level + "\n" for name, level in AS_LEFT.items()})
        self.program("bin/box", BOX)
        self.app = self.folder / "app"
        (self.app / ".migc").mkdir(mode=0o700)
        os.close(os.open(self.app / ".migc/journal.db", os.O_CREAT, 0o600))
        with sqlite3.connect(self.app / ".migc/journal.db") as database:
            database.executescript(journal.read_text())
        database.close()

    def run(self, *arguments):
        return self.migc(*arguments, at=self.app, environment={"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(self.folder / "keys")})

    def levels(self):
        return {file.name: file.read_text().strip() for file in (self.app / "state").iterdir()}


journals = sorted((SOURCE / "tests/fixtures/journals").glob("*.sql"))
check("there is one of each format", len(journals) == 3)
for journal in journals:
    shop, name = Shop(journal), journal.stem
    done = shop.run("undo", DONE)
    check(f"{name}: nothing is done by a journal that nobody answers for", done.returncode == 2 and "migc journal adopt" in done.stdout and shop.levels() == AS_LEFT, done.stdout)
    check(f"{name}: somebody answers for it", shop.run("journal", "adopt", "--because", "it is that of the old laptop").returncode == 0)
    listed = shop.run("runs").stdout
    check(f"{name}: its runs are listed", DONE in listed and CUT in listed and "unfinished" in listed, listed)
    shown = shop.run("show", DONE).stdout
    check(f"{name}: a run is shown", 'raise "pump" to 4' in shown and 'raise "valve" to 7' in shown, shown)
    done = shop.run("resume", CUT)
    check(f"{name}: what was cut off is gone on with", done.returncode == 0 and shop.levels() == {**AS_LEFT, "drum": "6"}, done.stdout)
    done = shop.run("undo", CUT)
    check(f"{name}: and undone", done.returncode == 0 and shop.levels() == {**AS_LEFT, "tank": "1", "drum": "1"}, done.stdout)
    done = shop.run("undo", DONE)
    check(f"{name}: what was done is undone", done.returncode == 0 and set(shop.levels().values()) == {"1"}, done.stdout)
    shop.remove()

    shop = Shop(journal)
    shop.run("journal", "adopt", "--because", "it is that of the old laptop")
    done = shop.run("undo", CUT)
    check(f"{name}: what was cut off is undone without going on", done.returncode == 0 and shop.levels() == {**AS_LEFT, "tank": "1"}, done.stdout)
    shop.remove()
finish()
