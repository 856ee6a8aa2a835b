// What a person types in place of each native that an inverse may run; its row names the function.
#pragma once

#include <string>

#include "runtime/natives/written_by_hand.hpp"

namespace migc::runtime::inline natives {

// Commands that `bash -e` takes as one: where a part of `a && b` fails, it would go on.
std::string together(const std::string& commands);
// A path of the project, from wherever a line is typed.
std::string path_in_project(Host& host, const std::string& path);

// by_hand_cluster.cpp
bool object_restore_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool object_make_again_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool object_patch_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool service_switch_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool autoscaling_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool image_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool roll_back_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool restart_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool schedulable_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool execute_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool pod_file_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool backup_by_hand(Host& host, const Arguments& arguments, HandWork& work);

// by_hand_elsewhere.cpp
bool put_back_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool kept_back_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool image_name_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool retag_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool http_restore_by_hand(Host& host, const Arguments& arguments, HandWork& work);
bool stop_program_by_hand(Host& host, const Arguments& arguments, HandWork& work);

}  // namespace migc::runtime::inline natives
