// Tokenises a script as VS Code does, and prints each token with the scopes that colours go by.
//   node grammar.js FOLDER_OF_THE_EXTENSION SCRIPT
const fs = require("fs");
const path = require("path");
const oniguruma = require("vscode-oniguruma");
const { Registry, INITIAL, parseRawGrammar } = require("vscode-textmate");

async function main(extension, script) {
    const wasm = path.join(path.dirname(require.resolve("vscode-oniguruma")), "onig.wasm");
    await oniguruma.loadWASM(fs.readFileSync(wasm).buffer);
    const { grammars } = JSON.parse(fs.readFileSync(path.join(extension, "package.json"))).contributes;
    const file = path.join(extension, grammars[0].path);
    const registry = new Registry({
        onigLib: Promise.resolve({
            createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
            createOnigString: (text) => new oniguruma.OnigString(text),
        }),
        loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, "utf8"), file),
    });
    const grammar = await registry.loadGrammar(grammars[0].scopeName);
    let state = INITIAL;
    for (const line of fs.readFileSync(script, "utf8").split("\n")) {
        console.log(line);
        const result = grammar.tokenizeLine(line, state);
        state = result.ruleStack;
        for (const { startIndex, endIndex, scopes } of result.tokens) {
            const text = line.slice(startIndex, endIndex).trim();
            if (text && scopes.length > 1) console.log(`    ${text}  ${scopes.slice(1).join(" ")}`);
        }
    }
}

main(...process.argv.slice(2));
