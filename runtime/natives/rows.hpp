// How a native enters the table: by a row at the end of the file that holds its function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {

// A row as it is written: `reads("replicas-of", replicas_of).sees({"/spec/replicas"})`.
struct Row : NativeEntry {
    // Its paths are files that were reviewed: it reads the run's own copies.
    Row of_input() { return with(reads_inputs, true); }
    // It keeps everybody else out while it works.
    Row exclusive() { return with(NativeEntry::exclusive, true); }
    // It is no more than the command line that its preview shows.
    Row is_its_preview() { return with(NativeEntry::is_its_preview, true); }
    Row reaches(const Reach& how_far) { return with(reach, how_far); }
    // What it looks at of an object: fields, or the one that an argument names.
    Row sees(std::vector<std::string_view> fields) { return with(sight.fields, std::move(fields)); }
    Row sees_pointer(std::size_t argument) { return with(sight.pointer, argument); }
    // It leaves out what the cluster itself writes.
    Row as_written() { return with(sight.bookkeeping, false); }
    Row of_registry() { return with(sight.registry, true); }
    Row of_terraform_folder() { return with(sight.terraform_folder, true); }
    Row of_work_tree() { return with(sight.work_tree, true); }
    // What a person types in its place.
    Row by_hand(ByHand function) { return with(NativeEntry::by_hand, function); }

  private:
    template <typename Member, typename T>
    Row with(Member& member, T value) {
        member = std::move(value);
        return *this;
    }
};

// A probe. What it throws (out of memory, a file system's surprise) ends at its row.
Row reads(std::string_view name, Reading (*probe)(Host&, const Arguments&));
// An action; one that changes things by one command only; one that writes into files of the project.
Row does(std::string_view name, const NativeAction& action, NativePreview preview);
Row writes(std::string_view name, const NativeAction& action, NativePreview preview);
std::string preview_write_file(Host& host, const Arguments& arguments);
Row edits(std::string_view name, const NativeAction& action, NativePreview preview = preview_write_file);

// Where the specification of pods stands in objects of all kinds.
std::vector<std::string_view> pod_specs();

// The rows of a file. They are made when a native is first looked for: most commands need none.
class Rows {
  public:
    using Make = std::vector<Row> (*)();
    explicit Rows(Make make);

    // Those of all files.
    static std::vector<NativeEntry> all();

  private:
    Make make_;
    const Rows* next_;
};

}  // namespace migc::runtime::inline natives
