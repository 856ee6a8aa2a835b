#include "compiler/syntax/parse.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include <antlr4-runtime.h>
#include <fmt/format.h>

#include "MigLexer.h"
#include "MigParser.h"
#include "compiler/support/escape.hpp"
#include "compiler/syntax/explain.hpp"
#include "compiler/syntax/memory.hpp"

namespace migc::syntax {
namespace {

constexpr int max_errors = 20;  // statements left out before the parser gives up
constexpr std::size_t one_error_size = std::size_t{512}
                                       << 10;  // in larger files only the first error is told

// ------------------------------------------------------------------ characters

bool is_control(char32_t c) {
    return (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F;
}

// C1 controls, what takes no space, and the marks and overrides of the writing direction.
bool is_invisible(char32_t c) {
    return (c >= 0x80 && c < 0xA0) || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

// ANTLR counts code points, spans count bytes.
class Offsets {
  public:
    explicit Offsets(std::string_view text) : size_(static_cast<std::uint32_t>(text.size())) {
        const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
        if (std::none_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) < 0; }))
            return;
        for (std::uint32_t i = 0; i < text.size(); ++i)
            if (!continues(text[i])) bytes_.push_back(i);
        bytes_.push_back(size_);
    }
    [[nodiscard]] std::uint32_t byte(std::size_t code_point) const {
        if (bytes_.empty()) return static_cast<std::uint32_t>(std::min<std::size_t>(code_point, size_));
        return bytes_[std::min(code_point, bytes_.size() - 1)];
    }

  private:
    std::uint32_t size_;
    std::vector<std::uint32_t> bytes_;  // empty for ASCII
};

// ------------------------------------------------------------------ tokens

TokenKind kind_of(std::size_t type) {
    const bool is_sign = type >= MigLexer::OPEN && type <= MigLexer::DIVIDE;
    const bool is_other = type == MigLexer::UNCLOSED_STRING || type == MigLexer::OTHER;
    return type == MigLexer::WORD      ? TokenKind::Word
           : type == MigLexer::NUMBER  ? TokenKind::Number
           : type == MigLexer::STRING  ? TokenKind::String
           : type == MigLexer::COMMENT ? TokenKind::Comment
           : is_other                  ? TokenKind::Other
           : is_sign                   ? TokenKind::Punctuation
                                       : TokenKind::Keyword;
}

// The rules of the lexer's mode KEYWORDS, by the text that each is.
std::unordered_map<std::string_view, std::size_t> keywords(const MigLexer& lexer) {
    const std::vector<std::string>& names =
        lexer.getTokenNames();  // 'verify', or SPACE where there is no one text
    std::unordered_map<std::string_view, std::size_t> found;
    for (std::size_t type = MigLexer::OTHER + 1; type < names.size(); ++type)
        found.emplace(std::string_view(names[type]).substr(1, names[type].size() - 2), type);
    return found;
}

// The first error ends a parse: recovery inside ANTLR is quadratic on unclosed blocks.
class StopAtFirstError : public antlr4::DefaultErrorStrategy {
  public:
    [[noreturn]] static void stop(antlr4::Parser* parser, const antlr4::Token* token) {
        Stop stopped{token->getTokenIndex(), {}};
        const auto expected = parser->getExpectedTokens();
        for (const ssize_t type : expected.toList()) {
            if (type <= 0) continue;
            const auto literal = parser->getVocabulary().getLiteralName(static_cast<std::size_t>(type));
            const auto symbol = parser->getVocabulary().getSymbolicName(static_cast<std::size_t>(type));
            stopped.expected.push_back(literal.empty() ? symbol
                                                       : "`" + literal.substr(1, literal.size() - 2) + "`");
        }
        throw stopped;
    }
    void recover(antlr4::Parser* parser, std::exception_ptr error) override {
        try {
            std::rethrow_exception(error);
        } catch (const antlr4::RecognitionException& what) {
            stop(parser, what.getOffendingToken());
        }
    }
    antlr4::Token* recoverInline(antlr4::Parser* parser) override { stop(parser, parser->getCurrentToken()); }
    void sync(antlr4::Parser*) override {}
    void reportError(antlr4::Parser*, const antlr4::RecognitionException&) override {}
};

// A file's text as ANTLR sees it. Members are in the order in which they need each other.
class Session {
  public:
    Session(const SourceMap& sources, FileId id)
        : file(id),
          text(sources.file(id).text()),
          offsets(text),
          input(std::string(text)),
          lexer(&input),
          stream(&lexer) {
        lexer.removeErrorListeners();
        stream.fill();
        tell_keywords();
    }

    [[nodiscard]] Span span(const antlr4::Token* token) const {
        if (token->getType() == antlr4::Token::EOF)
            return {file, offsets.byte(token->getStartIndex()), offsets.byte(token->getStartIndex())};
        return {file, offsets.byte(token->getStartIndex()), offsets.byte(token->getStopIndex() + 1)};
    }
    [[nodiscard]] std::vector<Token> tokens() const {
        std::vector<Token> result;
        auto& self =
            const_cast<antlr4::CommonTokenStream&>(stream);  // size() and get() are not const in ANTLR
        result.reserve(self.size());
        for (std::size_t i = 0; i < self.size(); ++i)
            if (const auto* token = self.get(i); token->getType() != antlr4::Token::EOF)
                result.push_back({kind_of(token->getType()), span(token)});
        return result;
    }
    void tell_keywords() {
        static const auto known = keywords(lexer);
        for (antlr4::Token* token : stream.getTokens()) {
            if (token->getType() != MigLexer::WORD) continue;
            const Span where = span(token);
            const auto found = known.find(text.substr(where.begin, where.size()));
            if (found != known.end()) static_cast<antlr4::CommonToken*>(token)->setType(found->second);
        }
    }
    void leave_out(Range range) {
        for (std::size_t i = range.first; i < range.last; ++i)
            static_cast<antlr4::CommonToken*>(stream.get(i))->setChannel(antlr4::Token::HIDDEN_CHANNEL);
    }

    FileId file;
    std::string_view text;
    Offsets offsets;
    antlr4::ANTLRInputStream input;
    MigLexer lexer;
    antlr4::CommonTokenStream stream;
};

// ------------------------------------------------------------------ tree

class Builder {
  public:
    Builder(const SourceMap& sources, const Session& session) : sources_(sources), session_(session) {}

    File file(MigParser::FileContext* context) {
        File result;
        result.id = session_.file;
        for (auto* item : context->item()) add(result, item);
        return result;
    }

  private:
    using Rule = antlr4::ParserRuleContext;
    using Terminal = antlr4::tree::TerminalNode;

    Span span(const Rule* rule) const { return cover(session_.span(rule->start), session_.span(rule->stop)); }
    Span span(Terminal* node) const { return session_.span(node->getSymbol()); }
    Name name(Terminal* node) const { return {std::string(sources_.text(span(node))), span(node)}; }

    void add(File& file, MigParser::ItemContext* item) {
        if (auto* i = item->migration()) file.migration = migration(i);
        if (auto* i = item->use()) file.uses.push_back(use(i));
        if (auto* i = item->param()) file.params.push_back(param(i));
        if (auto* i = item->topLet()) file.lets.push_back(let(i->let(), span(i)));
        if (auto* i = item->require()) file.requires_.push_back({expr(i->expr()), span(i)});
        if (auto* i = item->invariant()) file.invariants.push_back(invariant(i));
        if (auto* i = item->stage()) file.stages.push_back(stage(i));
        if (auto* i = item->verb()) file.verbs.push_back(verb(i));
        if (auto* i = item->probe()) file.probes.push_back(probe(i));
        if (auto* i = item->resource())
            file.resources.push_back({name(i->WORD()), i->STRING() ? string(i->STRING()) : "", span(i)});
        if (auto* i = item->tool()) file.tools.push_back(tool(i));
    }

    Migration migration(MigParser::MigrationContext* c) {
        Migration result;
        result.title = string_expr(c->STRING());
        for (auto* p : c->property()) result.properties.emplace_back(name(p->WORD()), atom(p->atom()));
        result.span = span(c);
        return result;
    }

    Use use(MigParser::UseContext* c) {
        Use result{"", c->STRING() != nullptr, span(c)};
        if (result.is_path) {
            result.module = string(c->STRING());
            return result;
        }
        for (auto* word : c->WORD()) result.module += (result.module.empty() ? "" : ".") + name(word).text;
        return result;
    }

    Param param(MigParser::ParamContext* c) {
        Param result{name(c->WORD()), type(c->type()), {}, span(c)};
        if (c->expr()) result.default_value = expr(c->expr());
        return result;
    }

    Type type(MigParser::TypeContext* c) {
        Type result{"", span(c)};
        for (auto* word : c->WORD()) result.text += (result.text.empty() ? "" : " ") + name(word).text;
        return result;
    }

    Statement let(MigParser::LetContext* c, Span whole) {
        Statement result;
        result.kind = StatementKind::Let;
        result.span = whole;
        result.name = name(c->WORD());
        result.expr = expr(c->expr());
        return result;
    }

    // `claim data never shrinks` is read as the condition `claim data shrinks`.
    Invariant invariant(MigParser::InvariantContext* c) {
        if (c->expr()) return {c->NEVER() != nullptr, expr(c->expr()), span(c)};
        Expr whole = phrase(c->phrase(0));
        for (Expr& part : phrase(c->phrase(1)).children) whole.children.push_back(std::move(part));
        whole.span = cover(whole.span, span(c->phrase(1)));
        return {true, std::move(whole), span(c)};
    }

    Stage stage(MigParser::StageContext* c) {
        Stage result;
        result.name = name(c->WORD(0));
        std::size_t next = 1;
        if (c->IN()) result.environment = name(c->WORD(next++));
        if (c->REPEATS()) result.repeats = name(c->WORD(next));
        result.body = block(c->block());
        result.body_span = span(c->block());
        if (c->expr()) result.throughout = expr(c->expr());
        if (auto* f = c->onFailure()) {
            result.on_failure = failure(f);
            result.failure_span = span(f);
        }
        result.span = span(c);
        return result;
    }

    std::vector<Statement> failure(MigParser::OnFailureContext* c) {
        if (c->block()) return block(c->block());
        Statement only;
        only.kind = c->HOLD() ? StatementKind::Hold : c->ALL() ? StatementKind::UndoAll : StatementKind::Undo;
        only.span = c->HOLD()  ? span(c->HOLD())
                    : c->ALL() ? cover(span(c->UNDO()), span(c->ALL()))
                               : span(c->UNDO());
        return {only};
    }

    std::vector<Statement> block(MigParser::BlockContext* c) {
        std::vector<Statement> result;
        for (auto* s : c->statement())
            result.push_back(s->simple() ? simple(s->simple(), span(s)) : compound(s->compound()));
        return result;
    }

    Statement simple(MigParser::SimpleContext* c, Span whole) {
        if (c->let()) return let(c->let(), whole);
        Statement result;
        result.span = whole;
        if (auto* s = c->step()) {
            result.kind = StatementKind::Step;
            result.expr = phrase(s->phrase());
            clauses(result, s->clause());
        } else if (auto* v = c->verify()) {
            result.kind = StatementKind::Verify;
            result.expr = expr(v->expr());
            clauses(result, v->clause());
        } else if (auto* k = c->soak()) {
            result.kind = StatementKind::Soak;
            result.duration = atom(k->atom());
            result.expr = expr(k->expr());
            clauses(result, k->clause());
        } else if (auto* g = c->gate()) {
            result.kind = StatementKind::Gate;
            result.expr = phrase(g->phrase());
        } else if (auto* u = c->undoStatement()) {
            result.kind = u->ALL() ? StatementKind::UndoAll : StatementKind::Undo;
        } else {
            result.kind = StatementKind::Hold;
        }
        return result;
    }

    Statement compound(MigParser::CompoundContext* c) {
        Statement result;
        result.span = span(c);
        result.kind = c->IF() ? StatementKind::If : c->FOR() ? StatementKind::For : StatementKind::Parallel;
        if (c->expr()) result.expr = expr(c->expr());
        if (c->WORD()) result.name = name(c->WORD());
        if (c->type()) result.type = type(c->type());
        result.body = block(c->block(0));
        if (c->ELSE()) result.otherwise = block(c->block(1));
        return result;
    }

    void clauses(Statement& statement, const std::vector<MigParser::ClauseContext*>& list) {
        for (auto* c : list) {
            if (c->WITHIN()) statement.within = atom(c->atom(0));
            if (c->RETRY()) statement.retry = atom(c->atom(0));
            if (c->EVERY()) statement.every = atom(c->atom(1));
            if (c->AS()) statement.name = name(c->WORD());
            if (c->UNDO()) statement.undo = undo(c->undoBody(), span(c));
            if (c->IRREVERSIBLE()) statement.undo = irreversible(c->STRING(), span(c));
        }
    }

    Undo irreversible(Terminal* reason, Span whole) {
        Undo result;
        result.form = UndoForm::Irreversible;
        result.reason = string(reason);
        result.span = whole;
        return result;
    }

    Undo undo(MigParser::UndoBodyContext* c, Span whole) {
        Undo result;
        result.span = whole;
        if (c->NONE()) {
            result.form = UndoForm::None;
            result.reason = string(c->STRING());
        } else if (c->BY_CALLER()) {
            result.form = UndoForm::ByCaller;
        } else if (c->block()) {
            result.steps = block(c->block());
            if (c->AFTER()) result.after = phrase(c->phrase(0));
        } else {
            result.form = UndoForm::Phrase;
            Statement step;
            step.expr = phrase(c->phrase(0));
            step.span = step.expr->span;
            result.steps.push_back(std::move(step));
            if (c->AFTER()) result.after = phrase(c->phrase(1));
        }
        return result;
    }

    // ---------------------------------------------------------------- expressions

    template <typename... Children>
    static Expr make(ExprKind kind, Span span, Children... children) {
        Expr result;
        result.kind = kind;
        result.span = span;
        (result.children.push_back(std::move(children)), ...);
        return result;
    }

    // With the text as it stands there.
    Expr leaf(ExprKind kind, Span span) const {
        Expr result = make(kind, span);
        result.text = sources_.text(span);
        return result;
    }

    template <typename Context, typename Part>
    Expr words(Context* c, const std::vector<Part*>& parts) {
        Expr result = make(ExprKind::Phrase, span(c), word(c->WORD()));
        for (auto* p : parts) result.children.push_back(p->value() ? value(p->value()) : word(p));
        return result;
    }
    Expr phrase(MigParser::PhraseContext* c) { return words(c, c->part()); }
    Expr command(MigParser::CommandContext* c) { return words(c, c->commandPart()); }

    Expr word(Terminal* node) const { return leaf(ExprKind::Word, span(node)); }
    Expr word(Rule* rule) const { return leaf(ExprKind::Word, span(rule)); }

    Expr value(MigParser::ValueContext* c) {
        if (c->STRING()) return string_expr(c->STRING());
        if (c->NUMBER()) return leaf(ExprKind::Number, span(c->NUMBER()));
        return c->list() ? list(c->list()) : parenthesised(c->expr());
    }

    // A single word where an expression is expected is a phrase of one word.
    Expr atom(MigParser::AtomContext* c) {
        if (c->value()) return value(c->value());
        return make(ExprKind::Phrase, span(c->WORD()), word(c->WORD()));
    }

    Expr string_expr(Terminal* node) const {
        Expr result = make(ExprKind::String, span(node));
        result.text = string(node);
        return result;
    }

    std::string string(Terminal* node) const {
        const std::string_view quoted = sources_.text(span(node));
        std::string result;
        for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
            if (quoted[i] != '\\') {
                result += quoted[i];
                continue;
            }
            const char escaped = quoted[++i];
            // `\$` keeps its backslash: what is interpolated is decided later, in sema.
            if (escaped == '$') result += '\\';
            result += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
        }
        return result;
    }

    Expr list(MigParser::ListContext* c) {
        Expr result = make(ExprKind::List, span(c));
        for (auto* e : c->expr()) result.children.push_back(expr(e));
        return result;
    }

    static Expr binary(BinaryOp op, Expr left, Expr right) {
        const Span span = cover(left.span, right.span);
        Expr result = make(ExprKind::Binary, span, std::move(left), std::move(right));
        result.op = op;
        return result;
    }

    // Operands with operators between them, from the left: `op(i)` is the one before operand i.
    template <typename Operand, typename Build, typename Op>
    Expr chain(const std::vector<Operand*>& operands, Build build, Op op) {
        Expr result = (this->*build)(operands[0]);
        for (std::size_t i = 1; i < operands.size(); ++i)
            result = binary(op(i), std::move(result), (this->*build)(operands[i]));
        return result;
    }

    Expr expr(MigParser::ExprContext* c) {
        return chain(c->conjunction(), &Builder::conjunction, [](std::size_t) { return BinaryOp::Or; });
    }

    Expr conjunction(MigParser::ConjunctionContext* c) {
        return chain(c->relation(), &Builder::relation, [](std::size_t) { return BinaryOp::And; });
    }

    Expr relation(MigParser::RelationContext* c) {
        if (c->NOT()) return make(ExprKind::Not, span(c), relation(c->relation()));
        // The number first, as one says it: `at least 2 of webapi ready`.
        if (c->phrase()) {
            Expr result = binary(c->AT_LEAST() ? BinaryOp::AtLeast : BinaryOp::AtMost, phrase(c->phrase()),
                                 atom(c->atom()));
            result.span = span(c);
            return result;
        }
        Expr left = sum(c->sum());
        auto* comparison = c->comparison();
        if (!comparison) return left;
        if (comparison->ABSENT()) {
            Expr result = make(ExprKind::IsAbsent, span(c), std::move(left));
            result.negated = comparison->NOT() != nullptr;
            return result;
        }
        return binary(comparator(comparison->comparator()), std::move(left), sum(comparison->sum()));
    }

    static BinaryOp comparator(MigParser::ComparatorContext* c) {
        if (c->ONE_OF()) return c->NOT() ? BinaryOp::NotOneOf : BinaryOp::OneOf;
        if (c->BELOW()) return BinaryOp::Below;
        if (c->ABOVE()) return BinaryOp::Above;
        if (c->AT_LEAST()) return BinaryOp::AtLeast;
        if (c->AT_MOST()) return BinaryOp::AtMost;
        if (c->IS()) return c->NOT() ? BinaryOp::IsNot : BinaryOp::Is;
        return c->MATCHES() ? BinaryOp::Matches : BinaryOp::Contains;
    }

    // The operators stand between the operands, so child 2i-1 is the one before operand i.
    static bool operator_is(Rule* c, std::size_t operand, std::size_t type) {
        return dynamic_cast<Terminal*>(c->children[2 * operand - 1])->getSymbol()->getType() == type;
    }

    Expr sum(MigParser::SumContext* c) {
        return chain(c->term(), &Builder::term, [&](std::size_t i) {
            return operator_is(c, i, MigParser::PLUS) ? BinaryOp::Add : BinaryOp::Subtract;
        });
    }

    Expr term(MigParser::TermContext* c) {
        return chain(c->operand(), &Builder::operand, [&](std::size_t i) {
            return operator_is(c, i, MigParser::TIMES) ? BinaryOp::Multiply : BinaryOp::Divide;
        });
    }

    Expr operand(MigParser::OperandContext* c) {
        return c->phrase() ? phrase(c->phrase()) : value(c->value());
    }

    // ---------------------------------------------------------------- declarations

    Signature signature(MigParser::SignatureContext* c) {
        Signature result;
        for (auto* p : c->signaturePart()) {
            SignaturePart part;
            part.span = span(p);
            if (auto* l = p->label()) {
                part.kind = SignatureKind::Label;
                part.name = {std::string(sources_.text(span(l))), span(l)};
            } else if (auto* s = p->slot()) {
                part.kind = SignatureKind::Slot;
                part.name = name(s->WORD());
                part.type = type(s->type());
                if (s->expr()) part.default_value = expr(s->expr());
            } else {
                part.kind = SignatureKind::Optional;
                part.parts = signature(p->signature());
            }
            result.push_back(std::move(part));
        }
        return result;
    }

    Declared declared(Rule* c, MigParser::SignatureContext* s) {
        return {signature(s), documentation(c), {}, {}, span(s), span(c)};
    }

    Verb verb(MigParser::VerbContext* c) {
        Verb result;
        static_cast<Declared&>(result) = declared(c, c->signature());
        if (c->type()) result.result_type = type(c->type());
        for (auto* v : c->verbClause()) add(result, v);
        return result;
    }

    void add(Verb& verb, MigParser::VerbClauseContext* c) {
        if (c->NEEDS()) verb.needs.push_back(expr(c->expr()));
        if (c->CAPTURE()) verb.captures.emplace_back(name(c->WORD()), expr(c->expr()));
        if (c->EFFECT()) verb.effects.push_back(effect(c));
        if (c->DO()) verb.actions.push_back(command(c->command()));
        if (c->STEPS()) verb.steps = block(c->block());
        if (c->RESULT()) verb.result = expr(c->expr());
        if (c->WITHIN()) verb.within = atom(c->atom());
        if (c->UNDO()) verb.undos.push_back(undo(c->undoBody(), span(c)));
        if (c->IRREVERSIBLE()) verb.undos.push_back(irreversible(c->STRING(), span(c)));
        if (c->role()) verb.roles.push_back(phrase(c->role()->phrase()));
    }

    Effect effect(MigParser::VerbClauseContext* c) {
        Effect result;
        result.probe = phrase(c->phrase());
        result.becomes = c->ABSENT()      ? Effect::Becomes::Absent
                         : c->DIFFERENT() ? Effect::Becomes::Different
                                          : Effect::Becomes::Value;
        if (c->expr()) result.value = expr(c->expr());
        result.span = span(c);
        return result;
    }

    Probe probe(MigParser::ProbeContext* c) {
        Probe result;
        static_cast<Declared&>(result) = declared(c, c->signature());
        result.type = type(c->type());
        for (auto* p : c->probeClause()) {
            if (p->DEPENDS())
                for (auto* d : p->phrase()) result.depends.push_back(phrase(d));
            if (p->READ()) {
                result.reads.push_back(p->command() ? command(p->command()) : parenthesised(p->expr()));
                result.read_span = result.reads.back().span;
                if (p->RPAREN())
                    result.read_span = {result.read_span.file, span(p->LPAREN()).begin,
                                        span(p->RPAREN()).end};
            }
            if (p->AS()) result.read_as = name(p->WORD());
            if (p->WATCH()) result.watch = command(p->command());
            if (p->CONVERGES()) result.converges = expr(p->expr());
            if (p->WITHIN()) result.within = atom(p->atom());
            if (p->role()) result.roles.push_back(phrase(p->role()->phrase()));
        }
        return result;
    }

    Expr parenthesised(MigParser::ExprContext* c) {
        Expr result = expr(c);
        result.parenthesised = true;
        return result;
    }

    Tool tool(MigParser::ToolContext* c) {
        Tool result{name(c->WORD()), {}, span(c)};
        for (auto* p : c->toolProperty())
            result.properties.emplace_back(name(p->WORD() ? p->WORD() : p->WITHIN()), atom(p->atom()));
        return result;
    }

    // The `##` comment lines directly before a declaration.
    std::string documentation(Rule* declaration) const {
        auto& stream = const_cast<antlr4::CommonTokenStream&>(session_.stream);
        std::vector<std::string> lines;
        for (std::size_t i = declaration->start->getTokenIndex(); i > 0; --i) {
            auto* token = stream.get(i - 1);
            if (token->getType() != MigLexer::COMMENT) break;
            std::string_view line = sources_.text(session_.span(token));
            if (!line.starts_with("##")) break;
            line.remove_prefix(std::min<std::size_t>(line.size(), line.starts_with("## ") ? 3 : 2));
            while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
            lines.emplace_back(line);
        }
        std::reverse(lines.begin(), lines.end());
        return fmt::format("{}", fmt::join(lines, "\n"));
    }

    const SourceMap& sources_;
    const Session& session_;
};

// One try: the tree, or where the parser stopped.
std::optional<Stop> parse_once(const SourceMap& sources, Session& session, File& file) {
    session.stream.seek(0);
    MigParser parser(&session.stream);
    parser.removeErrorListeners();
    parser.setErrorHandler(std::make_shared<StopAtFirstError>());
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
        antlr4::atn::PredictionMode::SLL);
    try {
        file = Builder(sources, session).file(parser.file());
        return {};
    } catch (const Stop& stop) {
        return stop;
    }
}

// The statements that the parser stopped in, each told and left out; nothing if even that gave no tree.
std::optional<std::vector<Range>> parse_what_is_mig(const SourceMap& sources, std::span<const Token> tokens,
                                                    Session& session, File& file, Diagnostics& diagnostics) {
    std::vector<Range> left_out;
    const int limit = session.text.size() > one_error_size ? 1 : max_errors;
    for (int errors = 0; errors < limit; ++errors) {
        const auto stop = parse_once(sources, session, file);
        if (!stop) return left_out;
        explain(sources, tokens, *stop, diagnostics);
        left_out.push_back(broken_statement(sources, tokens, stop->token));
        if (left_out.back().first == left_out.back().last) return {};
        session.leave_out(left_out.back());
    }
    return {};
}

}  // namespace

bool check_text(const SourceMap& sources, FileId file, Diagnostics& diagnostics) {
    const std::string_view text = sources.file(file).text();
    const auto refuse = [&](std::size_t at, std::string message) {
        const auto offset = static_cast<std::uint32_t>(at);
        diagnostics.report(Code::Unreadable, {file, offset, offset}, std::move(message));
        return false;
    };
    if (text.size() > source_limit)
        return refuse(
            0, fmt::format("the file is larger than {} MiB, which a script may not be", source_limit >> 20));
    if (text.starts_with("\xEF\xBB\xBF"))
        return refuse(0, "the file begins with a byte order mark; save it as plain UTF-8");
    for (std::size_t i = 0; i < text.size();) {
        const Character c = first_character(text.substr(i));
        const auto code = static_cast<std::uint32_t>(c.code);
        if (!c.valid)
            return refuse(i, fmt::format("the file is not UTF-8: byte {:#04x} cannot stand here", code));
        if (is_control(c.code))
            return refuse(
                i,
                fmt::format(
                    "the file holds a control character ({:#04x}): it is not a text that somebody can review",
                    code));
        if (is_invisible(c.code))
            return refuse(
                i,
                "the file holds a character that changes how others are shown: a reviewer would read something else than what runs");
        i += c.size;
    }
    return true;
}

std::vector<Token> tokenize(const SourceMap& sources, FileId file) {
    return Session(sources, file).tokens();
}

File parse(const SourceMap& sources, FileId id, Diagnostics& diagnostics) {
    File file;
    file.id = id;
    if (!check_text(sources, id, diagnostics)) return file;
    Session session(sources, id);
    const std::vector<Token> tokens = session.tokens();
    if (check_structure(sources, tokens, diagnostics))
        parse_what_is_mig(sources, tokens, session, file, diagnostics);
    return file;
}

File parse_again(const SourceMap& sources, FileId id, Diagnostics& diagnostics, Memory& memory,
                 std::vector<Token>& tokens) {
    File file;
    file.id = id;
    Session session(sources, id);
    tokens = session.tokens();
    if (!check_structure(sources, tokens, diagnostics)) return file;
    for (const Range known : memory.recall(sources, tokens)) session.leave_out(known);
    if (const auto left_out = parse_what_is_mig(sources, tokens, session, file, diagnostics))
        memory.complete(file, *left_out);
    return file;
}

}  // namespace migc::syntax
