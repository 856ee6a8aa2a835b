#include "compiler/diff/difference.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <dtl/dtl.hpp>
#include <fmt/format.h>

#include "compiler/ir/describe.hpp"

namespace migc::diff {
namespace {

// A step in the sequence of its list, those within others included.
struct Item {
    std::string key;   // the same for what does the same
    std::string kind;  // of what can be called another form of the same: the verb, or the kind of statement
    std::string text;  // for people
    int depth = 0;     // how many steps it is within
};

using Items = std::vector<Item>;

std::string kind_of(const ir::Program& program, const ir::Step& step) {
    if (step.kind == ir::StepKind::Call) return program.verbs[step.verb].signature;
    return fmt::format("{}", static_cast<int>(step.kind));
}

void flatten(const ir::Program& program, const std::vector<ir::Step>& steps, int depth, Items& into) {
    for (const auto& step : steps) {
        ir::Step alone = step;
        alone.body.clear();
        alone.otherwise.clear();
        into.push_back({fmt::format("{} {}", depth, describe(program, alone)), kind_of(program, step),
                        step.text.empty() ? "a step" : fmt::format("`{}`", step.text), depth});
        flatten(program, step.body, depth + 1, into);
        if (step.otherwise.empty()) continue;
        into.push_back({fmt::format("{} else", depth), "else", "`else`", depth});
        flatten(program, step.otherwise, depth + 1, into);
    }
}

Items items(const ir::Program& program, const std::vector<ir::Step>& steps) {
    Items result;
    flatten(program, steps, 0, result);
    return result;
}

enum class Change { Same, Gone, New };

struct Aligned {
    Change change;
    const Item* item;
    bool told = false;                                // as the other half of a move or of a change
    std::optional<std::size_t> moved = std::nullopt;  // where the other half of a move is
};

// What is gone in one place and new in another is moved.
void find_moves(std::vector<Aligned>& all) {
    std::map<std::string_view, std::vector<std::size_t>> gone;  // the first one last
    for (std::size_t i = all.size(); i-- > 0;)
        if (all[i].change == Change::Gone) gone[all[i].item->key].push_back(i);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].change != Change::New) continue;
        const auto from = gone.find(all[i].item->key);
        if (from == gone.end() || from->second.empty()) continue;
        all[i].moved = from->second.back();
        all[from->second.back()].moved = i;
        from->second.pop_back();
    }
}

std::vector<Aligned> align(const Items& before, const Items& after) {
    std::vector<std::string> old_keys, new_keys;
    for (const auto& one : before) old_keys.push_back(one.key);
    for (const auto& one : after) new_keys.push_back(one.key);
    dtl::Diff<std::string> diff(old_keys, new_keys);
    diff.compose();
    std::vector<Aligned> result;
    std::size_t old_at = 0, new_at = 0;
    for (const auto& [key, info] : diff.getSes().getSequence()) {
        if (info.type == dtl::SES_DELETE) {
            result.push_back({Change::Gone, &before[old_at++]});
        } else {
            const Change change = info.type == dtl::SES_ADD ? Change::New : Change::Same;
            result.push_back({change, &after[new_at++]});
            if (change == Change::Same) ++old_at;
        }
    }
    find_moves(result);
    return result;
}

class Differences {
  public:
    Differences(const Version& before, const Version& after)
        : before_(before.program),
          after_(after.program),
          old_sources_(before.sources),
          new_sources_(after.sources) {}

    std::vector<Difference> all() {
        migration();
        parameters();
        lists("the script", before_.lets, after_.lets);
        sentences(requirements_of(before_), requirements_of(after_), "no longer requires", "requires");
        sentences(invariants_of(before_), invariants_of(after_), "no longer states", "states");
        stages();
        declarations("verb", before_.verbs, after_.verbs, [](const ir::Verb& v) { return v.signature; });
        declarations("probe", before_.probes, after_.probes, [](const ir::Probe& p) { return p.signature; });
        declarations("tool", before_.tools, after_.tools, [](const ir::Tool& t) { return t.name; });
        resources();
        return std::move(found_);
    }

  private:
    template <typename... Args>
    void tell(const std::string& where, fmt::format_string<Args...> format, Args&&... args) {
        found_.push_back({where, fmt::format(format, std::forward<Args>(args)...)});
    }

    using Texts = std::map<std::string, std::string>;

    static Texts properties(const ir::Program& program) {
        Texts result;
        if (!program.migration) return result;
        result["title"] = program.migration->title;
        for (const auto& [name, value] : program.migration->properties) result[name] = value;
        return result;
    }

    void migration() {
        const Texts old = properties(before_), now = properties(after_);
        for (const auto& [name, value] : old)
            if (!now.contains(name)) tell("the migration", "has no {} any more: it was \"{}\"", name, value);
        for (const auto& [name, value] : now) {
            const auto was = old.find(name);
            if (was == old.end())
                tell("the migration", "has the {} \"{}\"", name, value);
            else if (was->second != value)
                tell("the migration", "its {} is \"{}\" in place of \"{}\"", name, value, was->second);
        }
    }

    // As it is written, on one line.
    static std::string written(const SourceMap& sources, const ir::Expr& expr) {
        std::string result;
        for (const char c : sources.text(expr.span)) {
            const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
            if (!blank)
                result += c;
            else if (!result.ends_with(' '))
                result += ' ';
        }
        return fmt::format("`{}`", result);
    }

    static std::map<std::string, const ir::Parameter*> parameters_of(const ir::Program& program) {
        std::map<std::string, const ir::Parameter*> result;
        for (const auto& p : program.parameters) result[p.name] = &p;
        return result;
    }

    void parameters() {
        const auto old = parameters_of(before_), now = parameters_of(after_);
        for (const auto& [name, p] : old)
            if (!now.contains(name)) tell("the script", "has no parameter `{}` any more", name);
        for (const auto& [name, p] : now) {
            const auto was = old.find(name);
            if (was == old.end())
                tell("the script", "has a new parameter `{}`, {}, {}", name, show(p->type),
                     default_of(*p, new_sources_));
            else
                parameter(*was->second, *p);
        }
    }

    void parameter(const ir::Parameter& old, const ir::Parameter& now) {
        if (show(old.type) != show(now.type))
            tell("the script", "its parameter `{}` is {} in place of {}", now.name, show(now.type),
                 show(old.type));
        const std::string was = old.default_value ? describe(before_, *old.default_value) : "";
        const std::string is = now.default_value ? describe(after_, *now.default_value) : "";
        if (was != is)
            tell("the script", "its parameter `{}` is {} in place of {}", now.name,
                 default_of(now, new_sources_), default_of(old, old_sources_));
    }

    static std::string default_of(const ir::Parameter& p, const SourceMap& sources) {
        return p.default_value ? written(sources, *p.default_value) + " by default" : "always given";
    }

    static Texts requirements_of(const ir::Program& program) {
        Texts result;
        for (const auto& r : program.requirements) result[describe(program, r.condition)] = r.text;
        return result;
    }

    // What only one of the programs says.
    void sentences(const Texts& old, const Texts& now, std::string_view gone, std::string_view added) {
        for (const auto& [key, text] : old)
            if (!now.contains(key)) tell("the script", "{} `{}`", gone, text);
        for (const auto& [key, text] : now)
            if (!old.contains(key)) tell("the script", "{} `{}`", added, text);
    }

    static Texts invariants_of(const ir::Program& program) {
        Texts result;
        for (const auto& i : program.invariants)
            result[fmt::format("{} {}", i.never, describe(program, i.condition))] = i.text;
        return result;
    }

    // Steps that are gone, new, changed or moved.
    void lists(const std::string& where, const std::vector<ir::Step>& before,
               const std::vector<ir::Step>& after, const std::string& prefix = "") {
        const Items old = items(before_, before), now = items(after_, after);
        std::vector<Aligned> all = align(old, now);
        for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i].change != Change::Same && !all[i].told) tell_item(where, prefix, all, i);
    }

    void tell_item(const std::string& where, const std::string& prefix, std::vector<Aligned>& all,
                   std::size_t i) {
        const Item& item = *all[i].item;
        if (const auto other = all[i].moved) {
            const std::size_t target = all[i].change == Change::New ? i : *other;
            all[*other].told = true;
            tell(where, "{}{} is moved: it is now {}", prefix, item.text, place(all, target));
        } else if (const auto changed = instead(all, i)) {
            all[*changed].told = true;
            const bool is_old = all[i].change == Change::Gone;
            const Item& old = is_old ? item : *all[*changed].item;
            const Item& now = is_old ? *all[*changed].item : item;
            if (old.text == now.text && old.depth != now.depth)
                tell(where, "{}{} is in another block", prefix, now.text);
            else if (old.text == now.text)
                tell(where, "{}{} means something else, though it is written the same", prefix, now.text);
            else
                tell(where, "{}{} in place of {}", prefix, now.text, old.text);
        } else if (all[i].change == Change::Gone) {
            tell(where, "{}no longer {}", prefix, item.text);
        } else {
            tell(where, "{}new: {}, {}", prefix, item.text, place(all, i));
        }
    }

    // Within the same run of changes: the other form of it. What only moves is none.
    static std::optional<std::size_t> instead(const std::vector<Aligned>& all, std::size_t i) {
        for (std::size_t k = i + 1; k < all.size() && all[k].change != Change::Same; ++k)
            if (!all[k].told && all[k].change != all[i].change && all[k].item->kind == all[i].item->kind &&
                !all[k].moved)
                return k;
        return std::nullopt;
    }

    static std::string place(const std::vector<Aligned>& all, std::size_t i) {
        while (i > 0)
            if (all[--i].change != Change::Gone) return "after " + all[i].item->text;
        return "first";
    }

    // ------------------------------------------------------------ stages

    static std::string called(const ir::Stage& stage) { return fmt::format("stage `{}`", stage.name); }

    void stages() {
        Items old, now;
        for (const auto& s : before_.stages) old.push_back({s.name, s.name, called(s), 0});
        for (const auto& s : after_.stages) now.push_back({s.name, s.name, called(s), 0});
        std::vector<Aligned> all = align(old, now);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].change == Change::Same || all[i].told) continue;
            const auto other = all[i].moved;
            if (other) {
                all[*other].told = true;
                const std::size_t target = all[i].change == Change::New ? i : *other;
                tell(all[i].item->text, "is moved: it is now {}", place(all, target));
            } else if (all[i].change == Change::Gone) {
                tell(all[i].item->text, "is gone");
            } else {
                new_stage(*after_.stage(all[i].item->key), place(all, i));
            }
        }
        for (const auto& s : after_.stages)
            if (const ir::Stage* same = before_.stage(s.name)) stage(*same, s);
    }

    void new_stage(const ir::Stage& s, const std::string& where) {
        tell(called(s), "is new, {}, in `{}`", where, s.environment);
        if (s.repeats) tell(called(s), "repeats `{}`", *s.repeats);
        for (const auto& one : items(after_, s.gates)) tell(called(s), "new: {}", one.text);
        if (!s.repeats)
            for (const auto& one : items(after_, s.steps)) tell(called(s), "new: {}", one.text);
        if (s.on_failure)
            for (const auto& one : items(after_, *s.on_failure))
                tell(called(s), "on failure: new: {}", one.text);
    }

    void stage(const ir::Stage& old, const ir::Stage& now) {
        const std::string where = called(now);
        if (old.environment != now.environment)
            tell(where, "changes `{}` in place of `{}`", now.environment, old.environment);
        const bool repeats_same = old.repeats && now.repeats && *old.repeats == *now.repeats;
        if (old.repeats != now.repeats) {
            if (now.repeats)
                tell(where, "repeats `{}`", *now.repeats);
            else
                tell(where, "does not repeat `{}` any more", *old.repeats);
        }
        lists(where, old.gates, now.gates);
        // What the repeated stage does is told there.
        if (!repeats_same) lists(where, old.steps, now.steps);
        throughout(where, old, now);
        on_failure(where, old, now);
    }

    void throughout(const std::string& where, const ir::Stage& old, const ir::Stage& now) {
        const std::string was = old.throughout ? describe(before_, *old.throughout) : "";
        const std::string is = now.throughout ? describe(after_, *now.throughout) : "";
        if (was == is) return;
        if (is.empty())
            tell(where, "nothing is watched throughout any more");
        else if (was.empty())
            tell(where, "{} is watched throughout", written(new_sources_, *now.throughout));
        else
            tell(where, "{} is watched throughout in place of {}", written(new_sources_, *now.throughout),
                 written(old_sources_, *old.throughout));
    }

    void on_failure(const std::string& where, const ir::Stage& old, const ir::Stage& now) {
        if (old.on_failure && !now.on_failure) tell(where, "does not say any more what happens on failure");
        if (!old.on_failure && now.on_failure) tell(where, "says what happens on failure");
        static const std::vector<ir::Step> nothing;
        lists(where, old.on_failure ? *old.on_failure : nothing, now.on_failure ? *now.on_failure : nothing,
              "on failure: ");
    }

    // ------------------------------------------------------------ declarations

    // Those that both programs use; what only one uses is told by its steps.
    template <typename List, typename Name>
    void declarations(std::string_view kind, const List& old, const List& now, Name name_of) {
        for (const auto& one : now) {
            const auto same = std::find_if(old.begin(), old.end(),
                                           [&](const auto& other) { return name_of(other) == name_of(one); });
            if (same == old.end()) continue;
            const std::string was = describe(before_, *same), is = describe(after_, one);
            if (was != is) declaration(fmt::format("the {} `{}`", kind, name_of(one)), was, is);
        }
    }

    void declaration(const std::string& where, const std::string& was, const std::string& is) {
        const auto split = [](const std::string& text) {
            Items result;
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t end = std::min(text.find('\n', at), text.size());
                const std::string line = text.substr(at, end - at);
                const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
                result.push_back({line, "", line.substr(begin), 0});
                at = end + 1;
            }
            return result;
        };
        const Items old = split(was), now = split(is);
        for (const auto& one : align(old, now)) {
            if (one.change == Change::Gone) tell(where, "no longer: {}", one.item->text);
            if (one.change == Change::New) tell(where, "new: {}", one.item->text);
        }
    }

    void resources() {
        Texts old, now;
        for (const auto& r : before_.resource_types) old[r.name] = r.written_as;
        for (const auto& r : after_.resource_types) now[r.name] = r.written_as;
        for (const auto& [name, written] : now)
            if (const auto was = old.find(name); was != old.end() && was->second != written)
                tell(fmt::format("the resource `{}`", name), "is written \"{}\" in place of \"{}\"", written,
                     was->second);
    }

    const ir::Program& before_;
    const ir::Program& after_;
    const SourceMap& old_sources_;
    const SourceMap& new_sources_;
    std::vector<Difference> found_;
};

}  // namespace

std::vector<Difference> differences(const Version& before, const Version& after) {
    return Differences(before, after).all();
}

}  // namespace migc::diff
