// Runs the extension with stand-ins for the two modules that only VS Code has, then starts the server that it asks for
// and talks to it by VS Code's own protocol library.
//   node extension.js FOLDER_OF_THE_EXTENSION MIGC
const assert = require("assert");
const Module = require("module");
const path = require("path");
const { spawn } = require("child_process");
const rpc = require("vscode-jsonrpc/node");
const lsp = require("vscode-languageserver-protocol/node");

const [extension, migc] = process.argv.slice(2);
const uri = "file:///nowhere/a.mig";
const script = "stage staging <\n    scale webapi to 4;\n    verify pods ready;\n>\n";

// What the extension gives to VS Code's client library.
function activated() {
    const seen = {};
    class LanguageClient {
        constructor(id, name, server, options) {
            Object.assign(seen, { id, name, server, options });
        }
        start() {
            seen.started = true;
        }
        stop() {
            seen.stopped = true;
        }
    }
    const workspace = {
        getConfiguration: (section) => ({ get: (name) => (section + "." + name === "mig.server" ? migc : undefined) }),
        createFileSystemWatcher: (pattern) => ({ pattern }),
    };
    const load = Module._load;
    Module._load = (name, ...rest) =>
        name === "vscode" ? { workspace } : name === "vscode-languageclient/node" ? { LanguageClient } : load(name, ...rest);
    const loaded = require(path.join(extension, require(path.join(extension, "package.json")).main));
    Module._load = load;
    loaded.activate();
    assert(seen.started);
    loaded.deactivate();
    assert(seen.stopped);
    return seen;
}

async function session(server) {
    const child = spawn(server.command, server.args, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const connection = rpc.createMessageConnection(
        new rpc.StreamMessageReader(child.stdout), new rpc.StreamMessageWriter(child.stdin));
    const published = new Promise((resolve) =>
        connection.onNotification(lsp.PublishDiagnosticsNotification.type, resolve));
    connection.listen();
    const document = { uri };
    const { capabilities } = await connection.sendRequest(lsp.InitializeRequest.type, {
        processId: process.pid, rootUri: null, capabilities: {} });
    assert.strictEqual(capabilities.textDocumentSync.change, lsp.TextDocumentSyncKind.Incremental);
    connection.sendNotification(lsp.InitializedNotification.type, {});
    connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
        textDocument: { uri, languageId: "mig", version: 1, text: script } });
    const { diagnostics } = await published;
    assert.deepStrictEqual(diagnostics.map((d) => d.code), ["R001"]);
    assert.strictEqual(diagnostics[0].severity, lsp.DiagnosticSeverity.Error);

    const position = { line: 1, character: 6 };
    const hover = await connection.sendRequest(lsp.HoverRequest.type, { textDocument: document, position });
    assert.strictEqual(hover.contents.kind, lsp.MarkupKind.Markdown);
    const { items } = await connection.sendRequest(lsp.CompletionRequest.type, {
        textDocument: document, position: { line: 1, character: 4 } });
    assert(items.every((i) => i.insertTextFormat === lsp.InsertTextFormat.Snippet), "snippets");
    assert(items.some((i) => i.kind === lsp.CompletionItemKind.Function && i.label.startsWith("scale")));
    const [stage] = await connection.sendRequest(lsp.DocumentSymbolRequest.type, { textDocument: document });
    assert.strictEqual(stage.kind, lsp.SymbolKind.Namespace);
    const [action] = await connection.sendRequest(lsp.CodeActionRequest.type, {
        textDocument: document, range: diagnostics[0].range, context: { diagnostics } });
    assert.strictEqual(action.kind, lsp.CodeActionKind.QuickFix);
    await assert.rejects(connection.sendRequest("textDocument/nonsense", {}), { code: rpc.ErrorCodes.MethodNotFound });

    await connection.sendRequest(lsp.ShutdownRequest.type);
    connection.sendNotification(lsp.ExitNotification.type);
    assert.strictEqual(await ended, 0);
}

const seen = activated();
assert.deepStrictEqual(seen.options.documentSelector, [{ language: "mig" }]);
assert.strictEqual(seen.options.synchronize.fileEvents.pattern, "**/{migc.yaml,*.mig}");
assert.deepStrictEqual(seen.server, { command: migc, args: ["lsp"] });
session(seen.server).catch((error) => {
    console.error(error);
    process.exit(1);
});
