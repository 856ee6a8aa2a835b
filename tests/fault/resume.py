#!/usr/bin/env python3
"""What a run that goes on must not decide anew: a `let`, an `if`, and that a stage has failed. The tool itself kills migc at the
moment at which these are the last thing that the journal has."""
from project import Project
from harness import check, finish

# The tool's word `kill` ends whoever runs it, once: then it is migc that is gone, and the world goes on.
KILLER = """
verb fall (name: string) <
    effect value of name becomes "fallen";
    do fake ["fall", name];
    undo drop name;
>
verb attempt (name: string) < do fake ["attempt", name]; undo none because "words"; >
verb fall silently (name: string) < do fake ["fall", name]; undo none because "words"; >
"""
FALL = """attempt) [ "$(cat state/source)" = second ] || { echo "not yet" >&2; exit 1; } ;;
fall) if [ ! -f fell ]; then touch fell; eval "$(cat meanwhile)"; kill -9 $PPID; sleep 0.2; exit 9; fi
    printf fallen > "state/$2"; echo "fall $2" >> ledger ;;
"""


class Falling(Project):
    """`meanwhile`: what happens in the world while migc lies there, as commands of a shell."""

    def __init__(self, stages, meanwhile, **state):
        super().__init__(stages, **state)
        tool = self.folder / "fake"
        tool.write_text(tool.read_text().replace("no) echo", FALL + "no) echo"))
        verbs = self.folder / "verbs.mig"
        verbs.write_text(verbs.read_text() + KILLER)
        (self.folder / "meanwhile").write_text(meanwhile)


def falls(project):
    code, said = project.run()
    check("  migc is killed", code == -9, f"{code}\n{said}")


# A let is what it was, though what it was read from is another by now.
with Falling('stage staging < let old = value of "source"; fall "here"; put "copy" to old; > on failure undo;\n',
             "printf second > state/source", source="first", copy="") as project:
    falls(project)
    code, said = project.migc("resume", "last")
    check("a `let` is not evaluated again", code == 0 and project.state()["copy"] == "first", said)

# What was decided stays decided.
with Falling('stage staging < if value of "source" is "first" < fall "here"; put "copy" to "then"; > else < put "copy" to "else"; > > on failure undo;\n',
             "printf second > state/source", source="first", copy="") as project:
    falls(project)
    code, said = project.migc("resume", "last")
    check("an `if` is not decided again", code == 0 and project.state()["copy"] == "then", said)

# A stage that has failed does not go forward, though what it failed of is well by now: a step, and what is watched throughout.
for failing, meanwhile in (('attempt "it"; put "late" to "new"; >', "printf second"), ('put "source" to "second"; put "late" to "new"; > throughout value of "source" is "first"', "printf first")):
    with Falling(f'stage staging < put "copy" to "new"; {failing} on failure < fall "here"; undo; >\n',
                 f"{meanwhile} > state/source", source="first", copy="old", late="old") as project:
        falls(project)
        code, said = project.migc("resume", "last")
        state = project.state()
        check("a stage that has failed is taken back", state["copy"] == "old" and state["late"] == "old" and "set late new" not in project.ledger(), said)

# In doubt is a person's to decide: it is neither done nor to be done again.
with Falling('stage staging < fall silently "here"; put "copy" to "new"; > on failure undo;\n', "true", copy="old") as project:
    falls(project)
    code, said = project.migc("resume", "last")
    check("a step that nobody can look at is in doubt", code == 4 and project.state()["copy"] == "old" and "fall here" not in project.ledger(), said)
    code, said = project.migc("resolve", "last", "staging/1", "not-done", "--because", "the ledger does not have it")
    check("a person decides", code == 0, said)
    code, said = project.migc("resume", "last")
    check("and it is done, once", code == 0 and project.state()["copy"] == "new" and project.ledger().count("fall here") == 1, said)

finish()
