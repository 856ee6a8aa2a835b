// Secrets kept for an undo: sealed to a key of the run. Whoever has the journal has the sealed text; only
// whoever has the private key, which lies outside of the project, can open it (libsodium's sealed box:
// X25519, XSalsa20, Poly1305).
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "runtime/trust/bytes.hpp"

namespace migc::trust {

// Wiped from memory when it ends.
class RunKey {
  public:
    static RunKey make();
    // The same key whenever it is asked for: for simulations, in which nothing is secret.
    static RunKey of_a_simulation();

    // The name by which a sealed text says with which key it can be opened: 32 hexadecimal digits, made from
    // the public half.
    [[nodiscard]] std::string name() const;
    // Base64. What is sealed twice is another text each time.
    [[nodiscard]] std::string seal(std::string_view text) const;
    // The error: the text is damaged, or sealed to another key.
    [[nodiscard]] tl::expected<std::string, std::string> open(std::string_view sealed) const;

  private:
    friend tl::expected<void, std::string> save_run_key(const std::filesystem::path&, const RunKey&,
                                                        const std::string&);
    friend tl::expected<RunKey, std::string> load_run_key(const std::filesystem::path&);
    RunKey() = default;
    std::array<unsigned char, 32> public_{};
    WipedBytes<32> private_;
};

// $XDG_CONFIG_HOME/migc/run-keys, else ~/.config/migc/run-keys; empty if there is no home.
std::filesystem::path run_keys_folder();
// The file of the key of that name in a folder.
std::filesystem::path run_key_file(const std::filesystem::path& folder, const std::string& name);

// A new file of mode 0600 in a folder of mode 0700, both durable. `about` tells people which run it belongs
// to. The error: it cannot be written.
tl::expected<void, std::string> save_run_key(const std::filesystem::path& file, const RunKey& key,
                                             const std::string& about);

// Refuses a file that others may read, or that belongs to somebody else. The error: there is none, or it is
// no key.
tl::expected<RunKey, std::string> load_run_key(const std::filesystem::path& file);

// Overwrites the file and removes it; one that is not there is no error.
tl::expected<void, std::string> erase_run_key(const std::filesystem::path& file);

}  // namespace migc::trust
