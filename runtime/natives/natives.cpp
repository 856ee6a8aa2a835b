// The table of natives, which their files fill.
#include "runtime/natives/natives.hpp"

#include <exception>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

const Rows* first_rows = nullptr;  // each leads to the next

}  // namespace

Rows::Rows(Make make) : make_(make), next_(std::exchange(first_rows, this)) {}

std::vector<NativeEntry> Rows::all() {
    std::vector<NativeEntry> entries;
    for (const Rows* rows = first_rows; rows != nullptr; rows = rows->next_)
        for (Row& row : rows->make_()) entries.push_back(std::move(row));
    return entries;
}

Row reads(std::string_view name, Reading (*probe)(Host&, const Arguments&)) {
    Row row;
    row.name = name;
    row.probe = [name, probe](Host& host, const Arguments& arguments) {
        try {
            return probe(host, arguments);
        } catch (const std::exception& problem) {
            return unknown("{} could not be read: {}", name, problem.what());
        }
    };
    return row;
}

Row does(std::string_view name, const NativeAction& action, NativePreview preview) {
    Row row;
    row.name = name;
    row.preview = std::move(preview);
    row.action = [name, action](Host& host, const Arguments& arguments) {
        try {
            return action(host, arguments);
        } catch (const std::exception& problem) {
            // How far it came is not known, and the engine must look.
            return cut_off(fmt::format("{} was broken off: {}", name, problem.what()));
        }
    };
    return row;
}

Row writes(std::string_view name, const NativeAction& action, NativePreview preview) {
    Row row = does(name, action, std::move(preview));
    row.one_write = true;
    return row;
}

Row edits(std::string_view name, const NativeAction& action, NativePreview preview) {
    Row row = does(name, action, std::move(preview));
    row.edits_files = true;
    return row;
}

std::vector<std::string_view> pod_specs() {
    return {"/spec/template", "/spec/jobTemplate", "/spec/containers", "/spec/initContainers"};
}

const std::vector<NativeEntry>& all_natives() {
    static const std::vector<NativeEntry> table = Rows::all();
    return table;
}

const NativeEntry* find_native(std::string_view name) {
    static const auto by_name = [] {
        std::unordered_map<std::string_view, const NativeEntry*> all;
        for (const NativeEntry& entry : all_natives()) all.emplace(entry.name, &entry);
        return all;
    }();
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second;
}

}  // namespace migc::runtime::inline natives
