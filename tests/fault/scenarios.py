"""Scripts that are cut off at every point, and what the world is to be after them."""

EVERYTHING = """
let colour = "red";
stage staging <
    let first = value of "a";
    put "a" to colour;
    if first is absent < put "b" to "1"; > else < put "c" to "1"; >
    for x in ["p", "q"] < put x to "1"; >
    pair "m" with "n";
    verify value of "a" is "red" within 5s;
    put "a" to "blue";
    count "mark";
    put "z" to "1";
> on failure undo;
"""
EVERYTHING_AFTER = {"a": "blue", "c": "1", "p": "1", "q": "1", "m": "m-1", "n": "n-1", "z": "1", "#mark": "x\n"}

FAILING = """
stage staging <
    put "a" to "1";
    put "b" to "1";
    pair "m" with "n";
    refuse "it never works";
> on failure < undo; say "failed"; verify value of "a" is absent within 5s; >
"""

TWO_STAGES = """
stage staging < put "a" to "1"; put "b" to "1"; > on failure undo;
stage production <
    gate staging passed;
    put "c" to "1";
    refuse "not here";
> on failure < undo all; >
"""

INTERRUPTED = """
stage staging <
    put "a" to "1";
    slowly put "b" to "1";
    stubbornly put "c" to "1";
    count "mark";
    soak 300ms while value of "a" is "1";
    verify value of "a" is "1" within 5s;
    put "d" to "1";
> on failure undo;
"""
INTERRUPTED_AFTER = {"a": "1", "b": "1", "c": "1", "d": "1", "#mark": "x\n"}

COUNTED = """
stage staging <
    put "a" to "1";
    count "mark" undo < slowly uncount "mark"; >;
    put "b" to "1";
> on failure undo;
"""

AT_WORK = """
stage staging < put "a" to "1"; very slowly put "b" to "1"; put "d" to "1"; > on failure undo;
"""
AT_WORK_AFTER = {"a": "1", "b": "1", "d": "1"}

COUNTING = """
stage staging < put "a" to "1"; slowly count "mark"; put "d" to "1"; > on failure undo;
"""
COUNTING_AFTER = {"a": "1", "d": "1", "#mark": "x\n"}

SIDE_BY_SIDE = """
stage staging <
    parallel < put "a" to "1"; slowly put "b" to "1"; pair "m" with "n"; >
    count "mark";
    put "d" to "1";
> on failure undo;
"""
SIDE_BY_SIDE_AFTER = {"a": "1", "b": "1", "m": "m-1", "n": "n-1", "d": "1", "#mark": "x\n"}

# So long that the log is taken into the database meanwhile.
LONG = "stage staging <\n" + "".join(f'    put "k{i}" to "1";\n' for i in range(60)) + "> on failure undo;\n"
LONG_AFTER = {f"k{i}": "1" for i in range(60)}
