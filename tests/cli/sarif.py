#!/usr/bin/env python3
"""What `migc check --format sarif` prints is SARIF 2.1.0, and says what it should. sarif.py [MIGC] CACHE_FOLDER

The schema is the one published in an npm package, which is kept in CACHE_FOLDER. Without a network and without the package
the test says "skipped: ..", and only what it knows by itself has been looked at."""
import json, pathlib, shutil, subprocess, sys, tarfile, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import check, finish, migc

cache = pathlib.Path(sys.argv[1]).resolve()
PACKAGE, SCHEMA = "@microsoft/jest-sarif@1.0.0-beta.0", "package/lib/schemas/sarif-2.1.0-rtm.5.json"


def schema():
    """The schema, or why there is none."""
    kept = cache / "sarif-schema-2.1.0.json"
    if not kept.exists():
        if not shutil.which("npm"):
            return None, "no npm, which would fetch the schema of SARIF"
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True)
            archives = list(pathlib.Path(folder).glob("*.tgz"))
            if done.returncode != 0 or not archives:
                return None, f"npm cannot fetch {PACKAGE}, which holds the schema of SARIF"
            with tarfile.open(archives[0]) as archive:
                text = archive.extractfile(SCHEMA).read()
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(text)
    return json.loads(kept.read_text()), ""


def sarif(folder, *arguments, expected=1):
    done = migc("check", "--format", "sarif", *arguments, cwd=folder)
    check(f"{arguments} exits with {expected}", done.returncode == expected, done.stderr)
    return json.loads(done.stdout)


SCRIPT = """# ü 🎉
stage production <
    run script "a.sh" undo none because "ü 🎉"; scale webapi to 4; run script "b.sh";
    run script "c.sh" undo none because "x"; # allow P002: it is "there" <b>
>
"""

documents = []
with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    (root / "a b%").mkdir()
    (root / "a b%/ü.mig").write_text(SCRIPT)
    (root / "migc.yaml").write_text('checks: { O002: { off: "no staging" }, R002: warning }\n')
    log = sarif(folder, ".")
    documents.append(("findings", log))
    run = log["runs"][0]
    results, rules = run["results"], run["tool"]["driver"]["rules"]
    by_rule = lambda id: [r for r in results if r["ruleId"] == id]
    check("columns count characters", run["columnKind"] == "unicodeCodePoints")
    check("each result's rule is at its index", all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in results))
    check("rules have what viewers show", all(r["name"].isalpha() and r["help"]["markdown"] and r["fullDescription"]["text"] for r in rules))
    second = by_rule("P002")[1]["locations"][0]["physicalLocation"]
    line = SCRIPT.splitlines()[2]
    check("a range after an emoji is counted in characters",
          second["region"] == {"startLine": 3, "startColumn": line.index('"b.sh"') + 1, "endLine": 3, "endColumn": line.index('"b.sh"') + 7}, second)
    check("URIs are relative to the root, and encoded", second["artifactLocation"] == {"uri": "a%20b%25/%C3%BC.mig", "uriBaseId": "%SRCROOT%"}, second)
    check("severities are those of migc.yaml", [r["level"] for r in by_rule("R002")] == ["warning"], results)
    check("a fix says what is replaced", by_rule("R001")[0]["fixes"][0]["artifactChanges"][0]["replacements"] ==
          [{"deletedRegion": {"startLine": 5, "startColumn": 2, "endLine": 5, "endColumn": 2}, "insertedContent": {"text": " on failure undo;"}}])
    check("other places are related locations", by_rule("R001")[0]["relatedLocations"][0]["message"]["text"] == "this would be left as it is")
    check("a place in the standard library names no file", "physicalLocation" not in by_rule("R002")[0]["relatedLocations"][0])
    suppressed = {(r["ruleId"], s["kind"], s["justification"]) for r in results for s in r.get("suppressions", [])}
    check("what is allowed is suppressed", suppressed == {("P002", "inSource", 'it is "there" <b>'), ("O002", "external", "no staging")}, suppressed)

    prints = lambda log: sorted(r["partialFingerprints"]["migc/v1"] for r in log["runs"][0]["results"])
    check("findings that are alike have fingerprints of their own", len(set(prints(log))) == len(results))
    (root / "a b%/ü.mig").write_text("# one\n\n# two\n" + SCRIPT.replace("    run", "\trun"))
    check("fingerprints stay when lines move", prints(sarif(folder, ".")) == prints(log))

    migc("check", "--write-baseline", "known.json", ".", cwd=folder)
    known = sarif(folder, ".", "--baseline", "known.json", expected=0)
    documents.append(("a baseline", known))
    check("what the baseline knows is suppressed", all(r.get("suppressions") for r in known["runs"][0]["results"]))
    (root / "clean.mig").write_text("stage staging < scale webapi to 4; verify pods ready; > on failure undo;\n")
    documents.append(("no findings", sarif(folder, "clean.mig", expected=0)))
    (root / "same").mkdir()
    declared = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}%s\ndata: {a: b}\n"
    (root / "same/a.yaml").write_text(declared % "")
    (root / "same/b.yaml").write_text("# ü\n" + declared % " # allow P005: they are the same")
    (root / "same.mig").write_text('stage staging < apply "same"; verify pods ready; > on failure undo;\n')
    foreign = sarif(folder, "same.mig", expected=0)
    documents.append(("an allow in a manifest", foreign))
    twice = [r for r in foreign["runs"][0]["results"] if r["ruleId"] == "P005"]
    check("what a manifest allows is suppressed where it stands",
          [(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], r["locations"][0]["physicalLocation"]["region"]["startLine"],
            [s["justification"] for s in r["suppressions"]]) for r in twice] == [("same/b.yaml", 4, ["they are the same"])], twice)
    (root / "bad.mig").write_bytes(b"\xff\xfe\n")
    documents.append(("bytes that are no text", sarif(folder, "bad.mig", expected=2)))
    documents.append(("a file that is not there", sarif(folder, "nowhere.mig", expected=2)))
    documents.append(("what is no Mig", sarif(folder, "migc.yaml", expected=1)))

schema, why = schema()
try:
    import jsonschema
except ImportError:
    schema, why = None, "no jsonschema for this python3, which would compare with the schema of SARIF"
if schema:
    validator = jsonschema.validators.validator_for(schema)(schema)
    check("the schema refuses what is no SARIF", list(validator.iter_errors({"version": "2.1.0", "runs": [{}]})))
    for what, document in documents:
        for error in validator.iter_errors(document):
            check(f"{what}: valid by the schema of SARIF 2.1.0", False, f"{list(error.absolute_path)}: {error.message}")
finish(skipped=why)
