#include "compiler/sema/library.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/syntax/archive.hpp"
#include "compiler/syntax/parse.hpp"

namespace migc::sema {

std::string_view key_of(const syntax::Signature& signature) {
    for (const auto& part : signature)
        if (part.kind == syntax::SignatureKind::Label) return part.name.text;
    return {};
}

Library::Library(const Embedded& embedded, SourceMap& sources, Diagnostics& diagnostics, ReadFile read_file)
    : embedded_(embedded),
      sources_(sources),
      diagnostics_(diagnostics),
      read_file_(std::move(read_file)),
      module_files_(embedded.file_count),
      entry_read_(embedded.entry_count) {
    for (std::size_t i = 0; i < embedded.file_count; ++i) module_in_use_.push_back(embedded.files[i].always);
    for (std::size_t i = 0; i < embedded.entry_count; ++i)
        entries_by_key_.emplace(embedded.entries[i].key, i);
}

void Library::add(const syntax::File& file) {
    add_declarations(file, true);
    for (const auto& use : file.uses)
        use.is_path ? use_path(use, sources_.file(file.id).name()) : use_module(use);
}

void Library::add_declarations(const syntax::File& file, bool own) {
    const auto add_one = [&](Declaration declaration) {
        declarations_.push_back(declaration);
        by_key_.emplace(std::string(key_of(declaration.signature())), &declarations_.back());
        if (own) own_.push_back(&declarations_.back());
    };
    for (const auto& verb : file.verbs) add_one({&verb, nullptr});
    for (const auto& probe : file.probes) add_one({nullptr, &probe});
    for (const auto& tool : file.tools) tools_.emplace(tool.name.text, &tool);
    for (const auto& resource : file.resources) resources_.emplace(resource.name.text, &resource);
}

void Library::use_module(const syntax::Use& use) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < embedded_.file_count; ++i) {
        names.push_back(fmt::format("std.{}", embedded_.files[i].module));
        if (names.back() != use.module) continue;
        module_in_use_[i] = true;
        return;
    }
    auto& d = diagnostics_.report(Code::UnknownModule, use.span,
                                  fmt::format("there is no module `{}`", use.module));
    std::ranges::sort(names);
    suggest(d, use.module, names);
    d.note(fmt::format("the modules are {}; a file is written in quotes, relative to the script",
                       fmt::join(names, ", ")));
}

void Library::use_path(const syntax::Use& use, const std::string& used_from) {
    if (!paths_asked_for_.emplace(used_from, use.module).second) return;
    const auto id = read_file_(use.module, used_from);
    if (!id) {
        diagnostics_.report(
            Code::UnknownModule, use.span, fmt::format("cannot read the file `{}`", use.module),
            fmt::format(
                "the path is relative to {}, and leads to a file of the same project, not in .git or .migc",
                used_from));
        return;
    }
    // A file that is used twice, or that uses itself in a circle, is read once.
    if (!paths_in_use_.insert(sources_.file(*id).name()).second) return;
    files_.push_back(syntax::parse(sources_, *id, diagnostics_));
    const syntax::File& file = files_.back();
    for (const auto& stage : file.stages)
        diagnostics_.report(Code::Misplaced, stage.name.span,
                            "a file that another one uses declares verbs and probes; it has no stages");
    add(file);
}

void Library::read_entry(std::size_t index) {
    if (entry_read_[index]) return;
    entry_read_[index] = true;
    const EmbeddedEntry& entry = embedded_.entries[index];
    auto& id = module_files_[entry.file];
    if (!id)
        id = sources_.add(fmt::format("std/{}.mig", embedded_.files[entry.file].module),
                          std::string(embedded_.files[entry.file].text));
    files_.push_back(syntax::from_bytes(entry.tree, *id));
    add_declarations(files_.back(), false);
}

void Library::read_entries(DeclarationKind kind, std::string_view key) {
    const auto [first, last] = entries_by_key_.equal_range(key);
    std::vector<std::size_t> found;
    for (auto i = first; i != last; ++i)
        if (embedded_.entries[i->second].kind == kind && module_in_use_[embedded_.entries[i->second].file])
            found.push_back(i->second);
    std::ranges::sort(found);
    for (const std::size_t index : found) read_entry(index);
}

std::vector<const Declaration*> Library::candidates(const syntax::Expr& phrase, DeclarationKind kind) {
    std::vector<const Declaration*> result;
    for (const auto& part : phrase.children) {
        if (part.kind != syntax::ExprKind::Word) continue;
        read_entries(kind, part.text);
        const auto [first, last] = by_key_.equal_range(part.text);
        for (auto i = first; i != last; ++i)
            if (i->second->is(kind) && std::ranges::find(result, i->second) == result.end())
                result.push_back(i->second);
    }
    return result;
}

const syntax::Tool* Library::tool(std::string_view name) {
    read_entries(DeclarationKind::Tool, name);
    const auto found = tools_.find(name);
    return found == tools_.end() ? nullptr : found->second;
}

const syntax::Resource* Library::resource(std::string_view name) {
    read_entries(DeclarationKind::Resource, name);
    const auto found = resources_.find(name);
    return found == resources_.end() ? nullptr : found->second;
}

std::vector<const Declaration*> Library::read(DeclarationKind kind) const {
    std::vector<const Declaration*> result;
    for (const auto& d : declarations_)
        if (d.is(kind)) result.push_back(&d);
    return result;
}

std::vector<const Declaration*> Library::alike(DeclarationKind kind) {
    for (const Declaration* d : own_) read_entries(kind, key_of(d->signature()));
    return read(kind);
}

std::vector<const Declaration*> Library::all(DeclarationKind kind) {
    for (std::size_t i = 0; i < embedded_.entry_count; ++i)
        if (module_in_use_[embedded_.entries[i].file]) read_entry(i);
    return read(kind);
}

}  // namespace migc::sema
