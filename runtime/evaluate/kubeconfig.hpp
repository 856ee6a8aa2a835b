// What a kubeconfig that lies in a project would have kubectl do besides asking a server: run a program, hand
// a file on, or open files by whatever path it names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace migc::runtime::inline evaluation {

// Begins the reason why one is not used. Without it, which cluster it is cannot be told either.
constexpr std::string_view own_kubeconfig = "the project's kubeconfig ";
constexpr const char* kubeconfig_runs = "the project's kubeconfig runs programs";

// Those which kubectl takes without --kubeconfig, by KUBECONFIG or from the home folder, and which lie in the
// project.
std::vector<std::filesystem::path> kubeconfigs_of_project(const std::filesystem::path& root);

enum class Kubectl { AsksServer, OpensFiles, OnlyReadsIt };

// Why it is not used unasked, a sentence; empty if it is. The files that it names are the project's, or those
// that the user's own configuration allows (`outside-files`). A text in which that cannot be told is not
// used.
std::string kubeconfig_reaches_out(const std::filesystem::path& kubeconfig, const std::filesystem::path& root,
                                   Kubectl work);

}  // namespace migc::runtime::inline evaluation
