// What others do in a simulated world, and what they wrote.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/world/interference.hpp"
#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {

// What stands at a place; nothing where there is none.
std::optional<Object> value_at(const Simulation& world, const Spot& place, const std::filesystem::path& root);
// What people wrote that differs between two worlds: fields of objects, tags, resources, documents. What
// controllers make of it is left out.
std::vector<Changed> changed_between(const Simulation& before, const Simulation& after);
// A copy in which nothing happens by itself.
std::unique_ptr<Simulation> at_rest(const Simulation& world);
// Of several the one that others are most likely to fight for.
const Changed* most_telling(const std::vector<Changed>& all);

// What a command would change. The world stays as it is; files that it writes it may write.
std::vector<Changed> would_change(const Simulation& world, const CommandLine& command);

class Others {
  public:
    explicit Others(Simulation& world) : world_(world) {}

    // Where the files are that `file PATH` names.
    void stand_in(std::filesystem::path root) { root_ = std::move(root); }
    void arm(Interference interference);
    [[nodiscard]] bool any() const { return !armed_.empty() || !watched_.empty() || !ledger_.empty(); }

    void before(const CommandLine& command, const std::string& whole, const std::string& brief);
    void after(const CommandLine& command, bool reads);
    void step(const std::string& text, bool ended);
    // When all is over: what is not there any more by then.
    void look_at_end() { look("what was done last", false); }

    // Does it now. The error: there is nothing of the kind that could be done there.
    tl::expected<void, std::string> act(Deed deed, const Changed& where,
                                        const std::optional<Object>& to = {});

    // What the next reading command is to be answered from, in place of the world as it is; null for most.
    std::unique_ptr<Simulation> stale();
    // Keeps the world as it is before something is changed.
    void remember();
    void keep_memory() { remembers_ = true; }

    [[nodiscard]] const std::vector<OthersWrite>& ledger() const { return ledger_; }
    // Of what never came about, why.
    [[nodiscard]] std::vector<std::string> idle() const;
    void count_commands(std::size_t commands) { commands_ = commands; }

  private:
    struct Armed {
        Interference what;
        std::size_t seen = 0;
        bool fired = false;
        std::string problem;
    };
    struct Watched {
        Spot place;
        Object as_it_was;
        int noted = 0;
    };

    // Where it is to be done; nothing where it can be done nowhere.
    std::optional<Changed> aim(Armed& one, const CommandLine* command);
    // Does it now, or when its time has come.
    void fire(const Armed& one, Changed where);
    tl::expected<Changed, std::string> find(const Interference& what, const CommandLine* command) const;
    void write(Deed deed, const Spot& place, const std::optional<Object>& value);
    void look(const std::string& command, bool reads);
    void note_changes();
    tl::expected<void, std::string> unrelated(const Spot& place, Deed deed);
    tl::expected<void, std::string> remake(const Spot& place);
    [[nodiscard]] std::optional<Object> value_at(const Spot& place) const {
        return runtime::value_at(world_, place, root_);
    }

    Simulation& world_;
    std::filesystem::path root_;
    std::vector<Armed> armed_;
    std::vector<Watched> watched_;
    std::vector<std::pair<Spot, Object>> second_halves_;
    std::vector<std::pair<std::size_t, Changed>> after_command_;
    std::vector<OthersWrite> ledger_;
    std::unique_ptr<Simulation> earlier_, shown_;
    bool remembers_ = false;
    std::size_t commands_ = 0;
    int counter_ = 0;
};

}  // namespace migc::runtime::inline world
