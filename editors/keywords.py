#!/usr/bin/env python3
"""The keywords in the editors' grammars are those of grammar/MigLexer.g4.
    editors/keywords.py            say whether they are; exit code 1 if not
    editors/keywords.py --write    write them"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent
VSCODE = ROOT / "vscode/syntaxes/mig.tmLanguage.json"
VIM = ROOT / "vim/syntax/mig.vim"
OPERATORS = {"or", "and", "not", "is", "absent", "one of", "below", "above", "at least", "at most", "matches", "contains"}


def keywords():
    """Keywords of several words as "one of"."""
    text = (ROOT.parent / "grammar/MigLexer.g4").read_text()
    found = set()
    for rule in re.findall(r"^([A-Z].*)$", text, re.MULTILINE):
        for body in re.findall(r"[A-Z_]+: ('[a-z]+'(?: W\+ '[a-z]+')*);", rule):
            found.add(" ".join(re.findall(r"'([a-z]+)'", body)))
    return found


def pattern(words):
    return r"(?<![\w-])(?:" + "|".join(w.replace(" ", r"\s+") for w in sorted(words)) + r")(?![\w-])"


def grammar(words):
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Mig",
        "scopeName": "source.mig",
        "patterns": [
            {"name": "comment.line.documentation.mig", "match": "##.*$"},
            {"name": "comment.line.number-sign.mig", "match": "#.*$"},
            {"name": "string.quoted.double.mig", "begin": '"', "end": '"|$', "patterns": [
                {"name": "constant.character.escape.mig", "match": r"\\."},
                {"name": "variable.other.interpolated.mig", "match": r"\$\{[^}\"]*\}"}]},
            {"name": "keyword.operator.word.mig", "match": pattern(words & OPERATORS)},
            {"name": "keyword.control.mig", "match": pattern(words - OPERATORS)},
            {"name": "constant.language.mig", "match": pattern({"true", "false"})},
            {"name": "constant.numeric.mig", "match": r"(?<![\w-])[0-9]+(?:\.[0-9]+)?(?:%|[A-Za-z][A-Za-z0-9]*)?"},
            {"name": "punctuation.section.block.mig", "match": "[<>]"},
            {"name": "keyword.operator.mig", "match": r"[+*/=]|(?<!\w)-|-(?!\w)"},
            {"name": "punctuation.separator.mig", "match": "[;:,.]"},
        ],
    }


def vim_lines(words):
    def line(group, some):
        return f"syntax keyword {group} {' '.join(sorted(some))}\n"
    alone = {w for w in words if " " not in w} - {"contains"}  # which is an argument of `syntax keyword`
    pairs = sorted(words - alone)
    text = line("migKeyword", alone - OPERATORS) + line("migOperator", alone & OPERATORS)
    for pair in pairs:
        group = "migOperator" if pair in OPERATORS else "migKeyword"
        text += f"syntax match {group} /\\<{pair.replace(' ', chr(92) + '_s' + chr(92) + '+')}\\>/\n"
    return text


def main():
    words = keywords()
    assert {"stage", "one of", "by caller", "contains"} <= words, words
    begin, end = '" keywords: written by editors/keywords.py --write\n', '" end of keywords\n'
    vim = VIM.read_text()
    before, rest = vim.split(begin)
    wanted = {VIM: before + begin + vim_lines(words) + end + rest.split(end)[1],
              VSCODE: json.dumps(grammar(words), indent=4) + "\n"}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--write" in sys.argv:
        for path in stale:
            path.write_text(wanted[path])
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT.parent)}: its keywords are not those of the grammar; editors/keywords.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
