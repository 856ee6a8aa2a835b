// The syntax of Mig. Phrases are open: which of them exist is decided by declarations, not here.
// SLL prediction is enough for all of it; keep it so (no juxtaposed expressions, no word that is both clause and operator).
parser grammar MigParser;
options { tokenVocab = MigLexer; }

file: item* EOF;
item: migration | use | param | topLet | require | invariant | stage | verb | probe | resource | tool;

migration: MIGRATION STRING OPEN property* CLOSE SEMICOLON?;
property: WORD atom SEMICOLON;
use: USE (WORD (DOT WORD)* | STRING) SEMICOLON;
param: PARAM WORD COLON type (EQUALS expr)? SEMICOLON;
type: WORD+;
topLet: let SEMICOLON;
let: LET WORD EQUALS expr;
require: REQUIRE expr SEMICOLON;
// `claim data never shrinks;` is `never claim data shrinks;`, as one says it.
invariant: (ALWAYS | NEVER) expr SEMICOLON | phrase NEVER phrase SEMICOLON;

// A condition ends with a word, and so may the next item begin: `;` or `on failure` stands between.
stage: STAGE WORD (IN WORD)? (REPEATS WORD)? block
       (THROUGHOUT expr (onFailure SEMICOLON? | SEMICOLON) | onFailure SEMICOLON? | SEMICOLON?);
onFailure: ON FAILURE (UNDO ALL? | HOLD | block);
block: OPEN statement* CLOSE;

statement: simple SEMICOLON | compound SEMICOLON?;
simple: step | verify | soak | gate | undoStatement | hold | let;
step: phrase clause*;
verify: VERIFY expr clause*;
soak: SOAK atom WHILE expr clause*;
gate: GATE phrase;
undoStatement: UNDO ALL?;
hold: HOLD;
compound: IF expr block (ELSE block)? | FOR WORD (COLON type)? IN expr block | PARALLEL block;

clause: WITHIN atom | RETRY atom (EVERY atom)? | AS WORD | UNDO undoBody | IRREVERSIBLE BECAUSE STRING;
undoBody: block (AFTER phrase)? | NONE BECAUSE STRING | BY_CALLER | phrase (AFTER phrase)?;

phrase: WORD part*;
part: WORD | IN | FOR | EVERY | ALL | value;
value: STRING | NUMBER | list | LPAREN expr RPAREN;
atom: WORD | value;
list: LBRACKET (expr (COMMA expr)* COMMA?)? RBRACKET;

expr: conjunction (OR conjunction)*;
conjunction: relation (AND relation)*;
relation: NOT relation | (AT_LEAST | AT_MOST) atom phrase | sum comparison?;
comparison: IS NOT? ABSENT | comparator sum;
comparator: IS NOT? ONE_OF? | IS? (BELOW | ABOVE | AT_LEAST | AT_MOST) | MATCHES | CONTAINS | ONE_OF;
sum: term ((PLUS | MINUS) term)*;
term: operand ((TIMES | DIVIDE) operand)*;
operand: phrase | value;

verb: VERB signature (COLON type)? OPEN verbClause* CLOSE SEMICOLON?;
signature: signaturePart+;
signaturePart: label | slot | LBRACKET signature RBRACKET;
label: WORD | IN | FOR | EVERY | ALL;
slot: LPAREN WORD COLON type (EQUALS expr)? RPAREN;
verbClause: NEEDS expr SEMICOLON
          | CAPTURE WORD EQUALS expr SEMICOLON
          | EFFECT phrase BECOMES (ABSENT | DIFFERENT | expr) SEMICOLON
          | DO command SEMICOLON
          | STEPS block SEMICOLON?
          | RESULT expr SEMICOLON
          | WITHIN atom SEMICOLON
          | UNDO undoBody SEMICOLON
          | IRREVERSIBLE BECAUSE STRING SEMICOLON
          | role SEMICOLON;
role: phrase;  // `role field "/spec/replicas" of target`; the word is one only here, so that scripts may have it as a name
command: WORD commandPart*;
commandPart: WORD | AS | ABSENT | ON | value;

probe: PROBE signature COLON type OPEN probeClause* CLOSE SEMICOLON?;
probeClause: DEPENDS phrase (COMMA phrase)* SEMICOLON
           | READ (command | LPAREN expr RPAREN (AS WORD)?) SEMICOLON
           | WATCH command SEMICOLON
           | CONVERGES expr SEMICOLON
           | WITHIN atom SEMICOLON
           | role SEMICOLON;
resource: RESOURCE WORD (AS STRING)? SEMICOLON;
tool: TOOL WORD OPEN toolProperty* CLOSE SEMICOLON?;
toolProperty: (WORD | WITHIN) atom SEMICOLON;
