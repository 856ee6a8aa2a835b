// The owner of a file descriptor, under the name that the runtime knows it by.
#pragma once

#include "compiler/source/descriptor.hpp"

namespace migc::runtime {

using migc::above_standard;
using migc::Descriptor;
using migc::overwrite;
using migc::sync_folder;
using migc::write_all;

}  // namespace migc::runtime
