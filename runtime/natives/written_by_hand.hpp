// What a person types into a shell in place of a native of an inverse, when migc is not at hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

// Where the lines go, and what a native needs to write them. Nothing is asked of anybody.
class HandWork {
  public:
    virtual ~HandWork() = default;
    // A line that does its work as it is typed, wherever that is.
    virtual void type(const std::string& line) = 0;
    // Words, in a line that a shell passes over.
    virtual void say(const std::string& words) = 0;
    // A command of a declared tool, with the tool's own arguments, quoted for a shell.
    virtual std::string command(const std::string& tool, const std::vector<std::string>& arguments) = 0;
    // Keeps a text beside the lines, for its owner only. The file's whole name.
    virtual std::string file(const std::string& ending, const std::string& content) = 0;
    // What the change that is taken back has left of its first effect; absent if that is not known.
    virtual Value left() = 0;
    // What the change has captured under a name; absent if it has nothing of that name.
    virtual Value captured(const std::string& name) = 0;
    // How the secret that an argument of the native stands for comes back: words for people.
    virtual std::string who_has_the_secret() = 0;
};

// One word of a command as a shell reads it: plain ones as they are, others in quotes.
std::string shell_word(std::string_view word);
// What a command prints, as one word: "$(..)".
std::string printed_by(const std::string& command);

}  // namespace migc::runtime
