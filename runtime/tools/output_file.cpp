#include "runtime/tools/output_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <sodium.h>

namespace migc::runtime {

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
    for (const unsigned char byte : hash) written.digest += fmt::format("{:02x}", byte);
    return written;
}

void fail(Answer& answer, std::string why) {
    answer.status = 1;
    answer.errors = std::move(why);
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path file, std::string temporary, Descriptor descriptor)
    : file_(std::move(file)), temporary_(std::move(temporary)), descriptor_(std::move(descriptor)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::move(other.file_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::move(other.descriptor_)) {}

OutputFile::~OutputFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

tl::expected<OutputFile, std::string> OutputFile::create(const std::filesystem::path& file) {
    std::string temporary = file.parent_path() / ("." + file.filename().string() + ".migc-XXXXXX");
    Descriptor descriptor = above_standard(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!descriptor) return tl::unexpected(fmt::format("{} cannot be written: {}", file.string(), reason()));
    return OutputFile(file, std::move(temporary), std::move(descriptor));
}

tl::unexpected<std::string> OutputFile::problem(const char* what) const {
    return tl::unexpected(fmt::format("{} cannot be {}: {}", file_.string(), what, reason()));
}

tl::expected<OutputFile::Written, std::string> OutputFile::finish() {
    if (::fsync(descriptor_.get()) != 0) return problem("written");
    auto written = read_through(descriptor_.get());
    if (!written) return problem("read again");
    if (::rename(temporary_.c_str(), file_.c_str()) != 0) return problem("written");
    temporary_.clear();
    if (!sync_folder(file_.parent_path())) return problem("written");
    return written;
}

void finish_output(Answer& answer, OutputFile& file) {
    const auto written = file.finish();
    if (!written) return fail(answer, written.error());
    answer.output_digest = written->digest;
    answer.output_size = written->size;
}

void move_output_to_file(Answer& answer, const std::string& file) {
    const std::string output = std::exchange(answer.output, {});
    if (!answer.succeeded()) return;
    auto created = OutputFile::create(file);
    if (!created) return fail(answer, created.error());
    if (!write_all(created->descriptor(), output)) return fail(answer, fmt::format("{}: {}", file, reason()));
    finish_output(answer, *created);
}

tl::expected<std::string, std::string> digest_of_file(const std::filesystem::path& file) {
    const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    auto read = descriptor ? read_through(descriptor.get()) : tl::unexpected(reason());
    if (!read) return tl::unexpected(fmt::format("{} cannot be read: {}", file.string(), read.error()));
    return std::move(read->digest);
}

}  // namespace migc::runtime
