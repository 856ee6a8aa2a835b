// Starts `migc lsp`; everything else is the server's.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
    const server = { command: workspace.getConfiguration("mig").get("server"), args: ["lsp"] };
    client = new LanguageClient("mig", "Mig", server, {
        documentSelector: [{ language: "mig" }],
        synchronize: { fileEvents: workspace.createFileSystemWatcher("**/{migc.yaml,*.mig}") },
    });
    return client.start();
};

exports.deactivate = () => client?.stop();
