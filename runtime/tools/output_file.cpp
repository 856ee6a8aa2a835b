#include "runtime/tools/output_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sodium.h>

#include "compiler/support/encoding.hpp"
#include "compiler/support/failure.hpp"

namespace migc::runtime::inline tools {

namespace {

constexpr std::size_t portion_size = std::size_t{256} << 10;

std::string reason() {
    return std::strerror(errno);
}

// A file's content from its beginning, in portions.
tl::expected<OutputFile::Written, std::string> read_through(int descriptor) {
    std::vector<unsigned char> portion(portion_size);
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    OutputFile::Written written;
    for (;;) {
        const ssize_t size = ::pread(descriptor, portion.data(), portion.size(), written.size);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return tl::unexpected(reason());
        if (size == 0) break;
        crypto_hash_sha256_update(&state, portion.data(), static_cast<std::size_t>(size));
        written.size += size;
    }
    std::array<unsigned char, crypto_hash_sha256_BYTES> hash = {};
    crypto_hash_sha256_final(&state, hash.data());
    written.digest = hexadecimal(as_text(hash));
    return written;
}

void fail(Answer& answer, std::string why) {
    answer.status = 1;
    answer.errors = std::move(why);
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path path, AtomicFile file)
    : path_(std::move(path)), file_(std::move(file)) {}

tl::expected<OutputFile, std::string> OutputFile::create(const std::filesystem::path& file) {
    auto made = AtomicFile::beside(file, {.mode = 0600});
    if (!made) return failure("{} cannot be written: {}", file.string(), made.error());
    return OutputFile(file, std::move(*made));
}

tl::expected<OutputFile::Written, std::string> OutputFile::finish() {
    const auto problem = [&](const char* what, const std::string& why) {
        return failure("{} cannot be {}: {}", path_.string(), what, why);
    };
    if (::fsync(file_.descriptor()) != 0) return problem("written", reason());
    auto written = read_through(file_.descriptor());
    if (!written) return problem("read again", written.error());
    if (const auto placed = file_.take_place(); !placed) return problem("written", placed.error());
    return written;
}

// Complaints are short; what is longer than this was no complaint.
std::string OutputFile::content() const {
    std::string text(std::size_t{1} << 20, '\0');
    const ssize_t size = ::pread(descriptor(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, size)));
    return text;
}

std::vector<std::filesystem::path> unfinished_outputs(const std::filesystem::path& file) {
    std::vector<std::filesystem::path> found;
    std::error_code error;
    for (std::filesystem::directory_iterator i(file.parent_path(), error), end; !error && i != end;
         i.increment(error))
        if (i->path().filename().string().starts_with(AtomicFile::unfinished_name(file)))
            found.push_back(i->path());
    return found;
}

void finish_output(Answer& answer, OutputFile& file) {
    if (!answer.succeeded()) {
        answer.output = file.content();
        return;
    }
    const auto written = file.finish();
    if (!written) return fail(answer, written.error());
    answer.output_digest = written->digest;
    answer.output_size = written->size;
}

void move_output_to_file(Answer& answer, const std::string& file) {
    if (!answer.succeeded()) return;
    const std::string output = std::exchange(answer.output, {});
    auto created = OutputFile::create(file);
    if (!created) return fail(answer, created.error());
    if (!write_all(created->descriptor(), output)) return fail(answer, fmt::format("{}: {}", file, reason()));
    finish_output(answer, *created);
}

tl::expected<std::string, std::string> digest_of_file(const std::filesystem::path& file) {
    const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    auto read = descriptor ? read_through(descriptor.get()) : tl::unexpected(reason());
    if (!read) return failure("{} cannot be read: {}", file.string(), read.error());
    return std::move(read->digest);
}

}  // namespace migc::runtime::inline tools
