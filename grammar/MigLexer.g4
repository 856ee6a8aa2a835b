// The words of Mig. The parser's rules are in MigParser.g4; together they are the only definition of the syntax.
lexer grammar MigLexer;

// Two words that are one.
BY_CALLER: 'by' W+ 'caller'; ONE_OF: 'one' W+ 'of'; AT_LEAST: 'at' W+ 'least'; AT_MOST: 'at' W+ 'most';

// Blocks; `<` and `>` are nothing else, so a comparison is a word.
OPEN: '<'; CLOSE: '>';
SEMICOLON: ';'; COLON: ':'; COMMA: ','; DOT: '.'; EQUALS: '=';
LPAREN: '('; RPAREN: ')'; LBRACKET: '['; RBRACKET: ']';
PLUS: '+'; MINUS: '-'; TIMES: '*'; DIVIDE: '/';

NUMBER: [0-9]+ ('.' [0-9]+)? ('%' | [A-Za-z] [A-Za-z0-9]*)?;
WORD: [A-Za-z_] [A-Za-z0-9_]* ('-' [A-Za-z0-9_]+)*;
STRING: '"' (~["\\\r\n] | '\\' ~[\r\n])* '"';
UNCLOSED_STRING: '"' (~["\\\r\n] | '\\' ~[\r\n])*;

COMMENT: '#' ~[\n]* -> channel(HIDDEN);
SPACE: W+ -> skip;
OTHER: .;  // so that the lexer itself never fails

fragment W: [ \t\r\n];

// The lexer is never in this mode: a WORD that is one of these becomes it afterwards, by one look-up. As rules beside WORD they
// would make a lexer that is cold, as in each short check, several times as slow.
mode KEYWORDS;
MIGRATION: 'migration'; USE: 'use'; PARAM: 'param'; LET: 'let'; REQUIRE: 'require'; ALWAYS: 'always'; NEVER: 'never';
RESOURCE: 'resource'; TOOL: 'tool'; VERB: 'verb'; PROBE: 'probe';
STAGE: 'stage'; IN: 'in'; REPEATS: 'repeats'; THROUGHOUT: 'throughout'; ON: 'on'; FAILURE: 'failure';
UNDO: 'undo'; ALL: 'all'; HOLD: 'hold';
VERIFY: 'verify'; SOAK: 'soak'; WHILE: 'while'; GATE: 'gate';
IF: 'if'; ELSE: 'else'; FOR: 'for'; PARALLEL: 'parallel';
WITHIN: 'within'; RETRY: 'retry'; EVERY: 'every'; AS: 'as';
NONE: 'none'; BECAUSE: 'because'; IRREVERSIBLE: 'irreversible'; AFTER: 'after';
NEEDS: 'needs'; CAPTURE: 'capture'; EFFECT: 'effect'; BECOMES: 'becomes'; DIFFERENT: 'different';
DO: 'do'; STEPS: 'steps'; RESULT: 'result'; READ: 'read'; WATCH: 'watch'; DEPENDS: 'depends'; CONVERGES: 'converges';
OR: 'or'; AND: 'and'; NOT: 'not';
IS: 'is'; ABSENT: 'absent'; BELOW: 'below'; ABOVE: 'above';
MATCHES: 'matches'; CONTAINS: 'contains';
