// Several scripts that are checked together: what is mended, which are parts of others, and what all of them
// have.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "compiler/driver/script.hpp"
#include "compiler/findings/report.hpp"

namespace migc::driver {

struct Checked {
    std::string path;
    std::unique_ptr<Script> script;
    bool found = false;      // in a folder
    std::string with;        // a module: the script that uses it, and with which it was checked
    bool repeats = false;    // it has findings that were told with another script
    bool undecided = false;  // --prove: the search was given up
};

struct Fixed {
    std::unique_ptr<Script> script;  // null: there was nothing to mend
    std::size_t count = 0;
};
// Applies what is safe and checks again, as long as that mends something. Nothing is written.
Fixed fixed(const std::string& path, const Script& script);

// A module was read with the scripts that use it, and may use what they declare: by itself it could have
// findings that are none.
void set_modules_aside(std::vector<Checked>& all);

// All findings, in the order of the scripts. What several scripts have in common, such as a mistake in
// migc.yaml, is one finding.
std::vector<findings::Finding> collect(std::vector<Checked>& all);

}  // namespace migc::driver
