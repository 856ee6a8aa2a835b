"""A language client of a few lines, on Python's standard library alone."""
import json
import os
import select
import subprocess
import time


class Client:
    def __init__(self, migc, cwd, cache):
        environment = dict(os.environ, XDG_CACHE_HOME=cache)
        self.process = subprocess.Popen([migc, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd,
                                        env=environment, bufsize=0)
        self.buffer = b""
        self.waiting = []  # notifications that nobody has asked for yet
        self.id = 0

    def send_bytes(self, data):
        self.process.stdin.write(data)

    def send(self, message):
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def notify(self, method, params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def receive(self, limit=10):
        """The next message; None if none comes in time, or the server has ended."""
        end = time.monotonic() + limit
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if mark:
                length = int(head.split(b":")[1])
                if len(rest) >= length:
                    self.buffer = rest[length:]
                    return json.loads(rest[:length])
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return None
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                return None
            self.buffer += more

    def ask(self, method, params):
        """The answer: {"result": ..} or {"error": ..}."""
        self.id += 1
        self.send({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})
        while (message := self.receive()) is not None:
            if message.get("id") == self.id:
                return message
            self.waiting.append(message)
        raise AssertionError(f"no answer to {method}")

    def start(self):
        answer = self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.notify("initialized", {})
        return answer["result"]["capabilities"]

    def open(self, uri, text):
        self.notify("textDocument/didOpen",
                    {"textDocument": {"uri": uri, "languageId": "mig", "version": 1, "text": text}})
        return self.findings(uri, 1)

    def change(self, uri, version, changes):
        self.notify("textDocument/didChange",
                    {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes})

    def findings(self, uri, version):
        """The findings of a document in this version."""
        def fits(message):
            params = message.get("params", {})
            return params.get("uri") == uri and params.get("version") == version
        for message in self.waiting:
            if fits(message):
                self.waiting.remove(message)
                return message["params"]["diagnostics"]
        while (message := self.receive()) is not None:
            if fits(message):
                return message["params"]["diagnostics"]
            self.waiting.append(message)
        raise AssertionError(f"no findings of {uri} in version {version}")

    def end(self):
        """The exit code after a proper farewell."""
        self.ask("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(10)

    def close(self):
        """Ends it whatever it does."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def at(text, needle, delta=0, nth=1):
    """The position of a piece of text, in UTF-16 units as the protocol counts them."""
    index = -1
    for _ in range(nth):
        index = text.index(needle, index + 1)
    before = text[:index + delta]
    line = before.count("\n")
    column = len(before[before.rfind("\n") + 1:].encode("utf-16-le")) // 2
    return {"line": line, "character": column}
