#!/usr/bin/env python3
"""migc lsp over its standard streams: the protocol to the letter, and what it answers about scripts."""
import os, pathlib, sys, tempfile, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from client import Client, at
from harness import MIGC

SCRIPT = """# \U0001F680 launch \u00fc
param replicas: int = 4;
let health = "http://webapi/\U0001F680";
stage staging <
    scale webapi to replicas;
    verify http get health is 200; # see ${health}
    notify ops "at ${health} \U0001F680 ${health}";
> on failure undo;
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.clients = []
        self.client = self.another()
        self.uri = (self.root / "a.mig").as_uri()

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.folder.cleanup()

    def another(self):
        client = Client(MIGC, self.folder.name, str(self.root / "cache"))
        self.clients.append(client)
        return client

    def where(self, text, needle, delta=0, nth=1):
        return {"textDocument": {"uri": self.uri}, "position": at(text, needle, delta, nth)}

    def result(self, method, params):
        answer = self.client.ask(method, params)
        self.assertIn("result", answer, answer)
        return answer["result"]

    def begin(self, text=SCRIPT):
        self.client.start()
        return self.client.open(self.uri, text)


class Protocol(Case):
    def test_shutdown_then_exit_is_0(self):
        self.client.start()
        self.assertEqual(self.client.end(), 0)

    def test_exit_without_shutdown_is_1(self):
        self.client.start()
        self.client.notify("exit", None)
        self.assertEqual(self.client.process.wait(10), 1)

    def test_the_editor_is_gone(self):
        self.client.start()
        self.client.process.stdin.close()
        self.assertEqual(self.client.process.wait(10), 1)

    def test_nothing_before_initialize(self):
        answer = self.client.ask("textDocument/hover", {})
        self.assertEqual(answer["error"]["code"], -32002)

    def test_nothing_behind_shutdown(self):
        self.client.start()
        self.client.ask("shutdown", None)
        self.assertEqual(self.client.ask("textDocument/hover", {})["error"]["code"], -32600)

    def test_unknown_methods(self):
        self.client.start()
        self.assertEqual(self.client.ask("textDocument/colours", {})["error"]["code"], -32601)
        self.client.notify("$/unknown", {})  # a notification is never answered
        self.assertEqual(self.client.end(), 0)

    def test_what_is_no_json(self):
        self.client.start()
        self.client.send_bytes(b"Content-Length: 5\r\n\r\n{oops")
        answer = self.client.receive()
        self.assertEqual((answer["id"], answer["error"]["code"]), (None, -32700))
        self.assertEqual(self.client.end(), 0)

    def test_what_is_no_message(self):
        self.client.start()
        for message in ([], 7, {}, {"id": 9}, {"method": 4, "id": 9}):
            self.client.send(message)
            self.assertEqual(self.client.receive()["error"]["code"], -32600, message)

    def test_parameters_that_lack_something(self):
        self.client.start()
        for params in ({}, [], None, {"textDocument": 4}, {"textDocument": {"uri": "file:///none"}, "position": {}},
                       {"textDocument": {"uri": self.uri}, "position": {"line": -1, "character": "x"}}):
            self.assertEqual(self.client.ask("textDocument/hover", params)["error"]["code"], -32602, params)
        self.client.notify("textDocument/didOpen", {"textDocument": 3})
        self.client.notify("textDocument/didChange", None)
        self.assertEqual(self.client.end(), 0)

    def test_a_header_in_pieces_and_of_many_lines(self):
        body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'
        message = b"Content-Type: x; charset=utf-8\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        for byte in message:
            self.client.send_bytes(bytes([byte]))
        self.assertIn("capabilities", self.client.receive()["result"])

    def test_a_header_that_cannot_be_understood(self):
        for header in (b"Content-Length: many\r\n\r\n{}", b"Length: 2\r\n\r\n{}", b"Content-Length: -1\r\n\r\n{}",
                       b"Content-Length: 99999999999999999999\r\n\r\n", b"x" * 5000):
            client = self.another()
            client.send_bytes(header)
            self.assertEqual(client.process.wait(10), 2, header)


class Text(Case):
    def test_edits_count_utf16(self):
        self.begin()
        rocket = at(SCRIPT, "\U0001F680\";")
        behind = dict(rocket, character=rocket["character"] + 2)
        self.client.change(self.uri, 2, [{"range": {"start": rocket, "end": behind}, "text": "\u00e9${oops}"}])
        finding, = [f for f in self.client.findings(self.uri, 2) if f["code"] == "L006"]
        self.assertEqual(finding["range"]["start"], at(SCRIPT, '"http'))
        self.assertEqual(finding["range"]["end"]["character"], rocket["character"] + len("\u00e9${oops}\""))

    def test_ranges_behind_emoji(self):
        self.begin()
        places = self.result("textDocument/references", dict(self.where(SCRIPT, "health"),
                                                             context={"includeDeclaration": True}))
        wanted = [at(SCRIPT, "health"), at(SCRIPT, "health", nth=2), at(SCRIPT, "health", nth=4),
                  at(SCRIPT, "health", nth=5)]
        self.assertEqual([p["range"]["start"] for p in places], wanted)

    def test_several_edits_in_one_notification(self):
        self.begin("")
        edits = [{"range": {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 9}},
                  "text": "stage staging <\r\n"},
                 {"range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 0}},
                  "text": "    scale webapi to 4;\n    verify pods ready;\n> on failure undo;\n"}]
        self.client.change(self.uri, 2, edits)
        self.assertEqual(self.client.findings(self.uri, 2), [])
        self.client.change(self.uri, 3, [{"text": "stage"}])
        self.assertEqual(self.client.findings(self.uri, 3)[0]["code"], "L002")

    def test_closing_takes_findings_away(self):
        self.assertTrue(self.begin("stage"))
        self.client.notify("textDocument/didClose", {"textDocument": {"uri": self.uri}})
        self.assertEqual(self.client.receive()["params"], {"uri": self.uri, "diagnostics": []})


class Findings(Case):
    def test_a_finding_has_its_code_place_and_explanation(self):
        text = "stage staging < scale webapi to 4; verify pods ready; >"
        finding, = self.begin(text)
        self.assertEqual((finding["code"], finding["severity"], finding["source"]), ("R001", 1, "migc"))
        self.assertEqual(finding["range"]["start"], at(text, "staging"))
        self.assertEqual(finding["relatedInformation"][0]["location"]["range"]["start"], at(text, "scale"))
        href = finding["codeDescription"]["href"]
        self.assertTrue(href.endswith("#r001-no-way-back") or "#r001-" in href, href)
        path = pathlib.Path(href[len("file://"):].split("#")[0])
        self.assertIn("R001", path.read_text())

    def test_a_broken_step_does_not_hide_the_rest(self):
        for broken in ("verify", "scale", 'apply "k8s/', "scale webapi to {", "verify (pods", "let x =",
                       "scale webapi to 4"):
            text = f"param n: int = 3;\nstage staging <\n    {broken}\n    scale webapi to n;\n    scall webapi to 4;\n> on failure undo;\n"
            with self.subTest(broken):
                client = self.another()
                client.start()
                found = client.open(self.uri, text)
                lines = {f["range"]["start"]["line"] for f in found}
                self.assertTrue(lines & {2, 3}, found)
                if broken not in ("verify (pods", "let x =", "verify", "scale", "scale webapi to 4"):  # these take in the next line
                    self.assertIn(4, lines, found)
                    hover = client.ask("textDocument/hover", self.where(text, "scale webapi to n", 2))["result"]
                    self.assertIn("replicas", hover["contents"]["value"])
                self.assertEqual(client.end(), 0)

    def test_whatever_is_broken_the_other_steps_are_seen(self):
        text = ("param n: int = 3;\nstage staging <\n    scale webapi to n;\n    %s\n    scale worker to n;\n"
                "    verify pods ready;\n> on failure undo;\nstage production repeats staging < gate staging passed; >\n")
        (self.root / "migc.yaml").write_text(
            "order: [staging, production]\nenvironments:\n  staging: {context: a}\n  production: {context: b}\n"
            "workloads:\n  webapi: deployment/webapi\n  worker: deployment/worker\n")
        for broken in ('apply "k8s/', "if n {", "if n is 3 <", "if n is 3 < parallel <", ">", "let x == 4;", "verify n == 3;",
                       "// why", "verify n > 2;", "verify n >= 2;", "verify n < 2;", "if n > 2 <\n    hold-it;\n    >", "else < hold; >",
                       "5;", "stage;", "verify http get [1, 2 is 200;", "undo undo;", "apply 'x';", "\\", "verify (n is 3;", "a && b;"):
            script = text % broken
            with self.subTest(broken):
                client = self.another()
                client.start()
                found = client.open(self.uri, script)
                self.assertTrue(found)
                codes = {f["code"] for f in found}
                self.assertLessEqual(codes, {"L002", "L003", "L004"}, found)
                for place in (("scale webapi",), ("scale worker",), ("verify pods ready",)):
                    hover = client.ask("textDocument/hover", self.where(script, place[0], len(place[0])))["result"]
                    self.assertIsNotNone(hover, (place, found))
                symbols = client.ask("textDocument/documentSymbol", {"textDocument": {"uri": self.uri}})["result"]
                self.assertEqual([s["name"] for s in symbols], ["n", "staging", "production"])
                self.assertEqual(client.end(), 0)

    def test_what_a_broken_step_may_do_is_no_finding(self):
        (self.root / "migc.yaml").write_text("order: [staging, production]\nenvironments:\n  staging: {context: a}\n"
                                             "  production: {context: b}\nworkloads: {webapi: deployment/webapi}\n")
        # The only use of `n`, and the way back of both stages, stand in what is broken.
        found = self.begin("param n: int = 3;\nstage staging <\n    scale webapi to 4;\n    verify pods ready;\n"
                           "    scale webapi to n +;\n> on failure undo\nundo;\n"
                           "stage production repeats staging < gate staging passed; >\n")
        self.assertTrue(found)
        self.assertLessEqual({f["code"] for f in found}, {"L002", "L003"}, found)

    def test_what_is_being_typed_last(self):
        for last in ("stage production <\n    sca", "stage production", 'use "', "let x = (replicas"):
            text = SCRIPT + last
            with self.subTest(last):
                client = self.another()
                client.start()
                self.assertTrue(client.open(self.uri, text))
                hover = client.ask("textDocument/hover", self.where(text, "scale webapi", 2))["result"]
                self.assertIn("verb scale", hover["contents"]["value"])
                client.end()

    def test_findings_of_used_files_stand_there(self):
        (self.root / "v.mig").write_text("verb bad (n: int) < do curl [n]; >\n")
        found = self.begin('use "v.mig";\nstage staging < verify pods ready; > on failure undo;\n')
        self.assertEqual(found, [])
        other, = [m["params"] for m in self.client.waiting
                  if m.get("params", {}).get("uri", "").endswith("v.mig")] or [self.client.receive()["params"]]
        self.assertEqual(other["diagnostics"][0]["code"], "L008")
        # The editor's text counts, not the one on disk.
        used = (self.root / "v.mig").as_uri()
        self.client.open(used, 'verb good (n: int) < do curl [n]; undo none because "x"; >\n')
        self.assertEqual(self.client.ask("textDocument/documentSymbol", {"textDocument": {"uri": used}})["result"]
                         [0]["name"], "good (n: int)")

    def test_a_fix_is_an_action(self):
        text = "stage staging < scale webapi to 4; verify pods ready; >"
        finding, = self.begin(text)
        actions = self.result("textDocument/codeAction", {"textDocument": {"uri": self.uri}, "range": finding["range"],
                                                          "context": {"diagnostics": [finding]}})
        edit, = actions[0]["edit"]["changes"][self.uri]
        self.client.change(self.uri, 2, [{"range": edit["range"], "text": edit["newText"]}])
        self.assertEqual(self.client.findings(self.uri, 2), [])


class Requests(Case):
    def labels(self, text, mark="|"):
        """What is offered where the mark stands."""
        self.client = self.another()
        where = self.where(text, mark)
        self.begin(text.replace(mark, "", 1))
        items = self.result("textDocument/completion", where)["items"]
        self.client.end()
        return {i["label"]: i["textEdit"]["newText"] for i in items}

    def setUp(self):
        super().setUp()
        (self.root / "migc.yaml").write_text(
            "order: [staging, production]\nenvironments:\n  staging: {context: a}\n  production: {context: b}\n"
            "workloads:\n  webapi: deployment/webapi\n  worker: statefulset/worker\n")

    def test_completion_by_context(self):
        self.assertIn("stage", self.labels("|"))
        stage = self.labels("stage staging <\n    |\n> on failure undo;\n")
        self.assertIn("gate", stage)
        self.assertEqual(stage["scale (target) to (replicas)"], "scale ${1:target} to ${2:replicas};")
        self.assertNotIn("stage", stage)
        self.assertNotIn("gate", self.labels("stage staging < > on failure < |>"))
        self.assertIn("undo all", self.labels("stage staging < > on failure < |>"))
        self.assertIn("capture", self.labels("verb x (n: int) < |>"))
        self.assertIn("converges", self.labels("probe x of (n: int): int < |>"))
        self.assertIn("on failure undo", self.labels("stage staging < hold; >\n|"))
        self.assertEqual(self.labels("# stage |"), {})
        self.assertEqual(self.labels('let x = "a |b";'), {})

    def test_completion_of_phrases_and_values(self):
        inside = "stage staging < %s > on failure undo;"
        self.assertIn("webapi", self.labels(inside % "scale |"))
        self.assertIn("worker", self.labels(inside % "scale w|"))
        self.assertEqual(self.labels(inside % "scale webapi |")["to (replicas)"], "to ${1:replicas}")
        self.assertIn("within", self.labels(inside % "scale webapi to 4 |"))
        self.assertIn("n", self.labels("param n: int = 3;\n" + inside % "scale webapi to |"))
        self.assertIn("pods ready", "".join(self.labels(inside % "verify |")))
        self.assertIn("is", self.labels(inside % "verify replicas of webapi |"))
        self.assertNotIn("x", self.labels("stage staging < let x = 1; > on failure undo;\nstage production < scale webapi to | ;>"))
        self.assertIn("production", self.labels("stage |"))
        self.assertIn("s", self.labels("stage s in staging < hold; > on failure undo;\nstage production repeats |"))
        self.assertIn("std.canary", self.labels("use |"))
        self.assertIn("duration", self.labels("param x: |"))

    def test_completion_of_own_verbs(self):
        (self.root / "v.mig").write_text(
            'verb helm upgrade (r: string) [with values (v: path)] < do curl [r, v]; undo none because "x"; >\n')
        inside = 'use "v.mig";\nstage staging < %s\n> on failure undo;\n'
        self.assertEqual(self.labels(inside % "he|")["helm upgrade (r)"], 'helm upgrade "${1:r}";')
        offered = self.labels(inside % 'helm upgrade "x" |')
        self.assertEqual(offered["with values (v)"], 'with values "${1:v}"')
        self.assertIn("retry", offered)

    def test_hover(self):
        self.begin()
        verb = self.result("textDocument/hover", self.where(SCRIPT, "scale webapi", 1))
        for piece in ("verb scale (target: workload) to (replicas: int)", "capture", "undo", "do "):
            self.assertIn(piece, verb["contents"]["value"])
        name = self.result("textDocument/hover", self.where(SCRIPT, "health is", 1))["contents"]["value"]
        self.assertIn('let health = "http://webapi/\U0001F680"', name)
        self.assertIn("string", name)
        param = self.result("textDocument/hover", self.where(SCRIPT, "to replicas", 4))["contents"]["value"]
        self.assertIn("param replicas: int = 4", param)
        self.assertIsNone(self.result("textDocument/hover", self.where(SCRIPT, "# ", 3)))

    def test_definitions(self):
        self.begin()
        place = self.result("textDocument/definition", self.where(SCRIPT, "to replicas", 4))
        self.assertEqual((place["uri"], place["range"]["start"]), (self.uri, at(SCRIPT, "replicas")))
        place = self.result("textDocument/definition", self.where(SCRIPT, "scale webapi", 1))
        path = pathlib.Path(place["uri"][len("file://"):])
        line = path.read_text().splitlines()[place["range"]["start"]["line"]]
        self.assertTrue(line.startswith("verb scale ("), line)
        with self.assertRaises(PermissionError) if os.getuid() else self.subTest():
            self.assertFalse(path.stat().st_mode & 0o222)
            if os.getuid():
                path.write_text("x")
        # The library opened as a document has no findings.
        self.assertEqual(self.client.open(place["uri"], path.read_text()), [])

    def apply(self, text, edits):
        lines = text.splitlines(True)
        def offset(p):
            line = (lines[p["line"]] if p["line"] < len(lines) else "").encode("utf-16-le")
            return len("".join(lines[:p["line"]])) + len(line[:2 * p["character"]].decode("utf-16-le"))
        for e in sorted(edits, key=lambda e: -offset(e["range"]["start"])):
            text = text[:offset(e["range"]["start"])] + e["newText"] + text[offset(e["range"]["end"]):]
        return text

    def test_rename(self):
        self.begin()
        renamed = self.result("textDocument/rename", dict(self.where(SCRIPT, "health is", 1), newName="probe-url"))
        # The comment only looks like a use.
        wanted = SCRIPT.replace("health", "probe-url").replace("see ${probe-url}", "see ${health}")
        self.assertEqual(self.apply(SCRIPT, renamed["changes"][self.uri]), wanted)

    def test_rename_of_stages_and_parameters(self):
        text = ('verb v (n: int) < do curl [n]; undo none because "x"; >\n'
                "stage first in staging < v 4; > on failure undo;\n"
                "stage production repeats first < > on failure undo;\n")
        self.begin(text)
        edits = self.result("textDocument/rename", dict(self.where(text, "[n]", 1), newName="count"))
        self.assertEqual(self.apply(text, edits["changes"][self.uri]),
                         text.replace("(n:", "(count:").replace("[n]", "[count]"))
        edits = self.result("textDocument/rename", dict(self.where(text, "repeats first", 9), newName="trial"))
        self.assertEqual(self.apply(text, edits["changes"][self.uri]), text.replace("first", "trial"))

    def test_what_cannot_be_renamed(self):
        self.begin()
        for place, name, why in ((("scale webapi", 1), "grow", "phrase"), (("staging", 1), "first", "environment"),
                                 (("health is", 1), "two words", "no name"), (("health is", 1), "stage", "language"),
                                 (("health is", 1), "webapi", "already"), (("health is", 1), "namespace", "stage"),
                                 (("webapi to", 1), "x", "phrase"), (("# ", 3), "x", "no name")):
            answer = self.client.ask("textDocument/rename", dict(self.where(SCRIPT, *place), newName=name))
            self.assertIn(why, answer.get("error", {}).get("message", str(answer)), (place, name))

    def test_a_parameter_that_the_project_sets_keeps_its_name(self):
        text = (self.root / "migc.yaml").read_text().replace("{context: a}", "{context: a, set: {replicas: 5}}")
        (self.root / "migc.yaml").write_text(text)
        self.begin()
        answer = self.client.ask("textDocument/rename", dict(self.where(SCRIPT, "replicas", 1), newName="count"))
        self.assertIn("migc.yaml sets `replicas` for staging", answer["error"]["message"])

    def test_formatting(self):
        text = "stage   staging < scale webapi to 4;\n\n\n verify pods ready; > on failure undo;\n"
        self.begin(text)
        asked = {"textDocument": {"uri": self.uri}, "options": {"tabSize": 4, "insertSpaces": True}}
        formatted = self.apply(text, self.result("textDocument/formatting", asked))
        self.assertNotEqual(formatted, text)
        self.client.change(self.uri, 2, [{"text": formatted}])
        self.assertEqual(self.result("textDocument/formatting", asked), [])
        self.client.change(self.uri, 3, [{"text": "stage staging <"}])
        self.assertIsNone(self.result("textDocument/formatting", asked))

    def test_symbols_and_folding(self):
        self.begin()
        document = {"textDocument": {"uri": self.uri}}
        self.assertEqual([s["name"] for s in self.result("textDocument/documentSymbol", document)],
                         ["replicas", "health", "staging"])
        self.assertEqual(self.result("textDocument/foldingRange", document), [{"startLine": 3, "endLine": 6}])


if __name__ == "__main__":
    unittest.main()
