#!/usr/bin/env python3
"""How long answers take on a script of 5,000 lines: each directly behind an edit, so with the analysis of the new
text, and again without one. Prints; fails only if an answer is wrong."""
import os, pathlib, statistics, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from client import Client, at
from harness import MIGC

STEPS = ("    scale webapi to replicas within 5m;\n", "    verify pods ready within 5m;\n",
         "    verify http get health from inside 10 times is 200;\n", "    # why\n")


def script(lines, stages):
    text = 'param replicas: int = 4;\nlet health = "http://web/health";\n'
    for stage in range(stages):
        text += f"stage s{stage} in staging <\n" + "".join(STEPS[i % 4] for i in range(lines // stages - 2))
        text += "> on failure undo;\n"
    return text


def processor_ms(process):
    """What it has used of the processor: unlike the clock this does not depend on what else the machine does."""
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(text, typed):
    """What is typed and deleted again stands at the beginning of a line in the middle."""
    uri = "file:///nowhere/big.mig"
    with tempfile.TemporaryDirectory() as folder:
        client = Client(MIGC, folder, folder)
        client.start()
        assert client.open(uri, text) == []
        middle = at(text, "scale webapi", 2, 600)
        where = {"textDocument": {"uri": uri}, "position": middle}
        asked = {"hover": ("textDocument/hover", where), "definition": ("textDocument/definition", where),
                 "references": ("textDocument/references", dict(where, context={"includeDeclaration": True})),
                 "completion": ("textDocument/completion", where),
                 "symbols": ("textDocument/documentSymbol", where), "formatting": ("textDocument/formatting", where)}
        version = 1
        begin, end = ({"line": middle["line"] + 1, "character": c} for c in (0, len(typed)))
        edits = ({"range": {"start": begin, "end": begin}, "text": typed},
                 {"range": {"start": begin, "end": end}, "text": ""})
        for name, (method, params) in asked.items():
            fresh, again = [], []
            used = processor_ms(client.process)
            for i in range(10):
                version += 1
                client.change(uri, version, [edits[i % 2]])
                for times in (fresh, again):
                    began = time.monotonic()
                    assert "result" in client.ask(method, params)
                    times.append(1000 * (time.monotonic() - began))
            print(f"  {name:12} behind an edit {statistics.median(fresh):6.1f} {max(fresh):6.1f}"
                  f"    again {statistics.median(again):6.1f} {max(again):6.1f}"
                  f"    processor {(processor_ms(client.process) - used) / 10:6.1f} for both")
        assert client.end() == 0


def main():
    print("milliseconds by the clock, median of 10, largest; of the processor, mean")
    for stages, typed, meaning in ((100, " ", "a space"), (1, "scale ", "a broken step"),
                                   (100, "if < ", "a block that never ends")):
        text = script(5000, stages)
        print(f"{text.count(chr(10))} lines, {stages} stages; typed and deleted: {meaning}")
        measure(text, typed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
