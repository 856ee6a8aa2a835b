# Flags that every target of the project shares, and the two kinds of target that it has.
add_library(migc_flags INTERFACE)
target_compile_options(migc_flags INTERFACE -Wall -Wextra -Werror -Wpedantic -Wshadow)
# With optimization g++ 12 warns falsely about copies inside of std::string (GCC bug 105651 and its relatives), and
# about date's from_stream.
target_compile_options(migc_flags INTERFACE
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-maybe-uninitialized>")
# What is in an anonymous namespace is in one file only, also where several are compiled together.
if(CMAKE_UNITY_BUILD)
    target_compile_options(migc_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
target_compile_options(migc_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # for ccache
target_include_directories(migc_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(migc_flags INTERFACE fmt::fmt)
if(MIGC_SANITIZE OR MIGC_FUZZ)
    # Undefined behaviour ends the program there and then: messages for each place would be 200 MB, loaded at each start.
    target_compile_options(migc_flags INTERFACE -fsanitize=address,undefined -fsanitize-undefined-trap-on-error
        -fno-omit-frame-pointer -O1 -g1)
    target_link_options(migc_flags INTERFACE -fsanitize=address,undefined)
endif()
if(MIGC_FUZZ)
    target_compile_options(migc_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The heavy headers, compiled once for all libraries.
file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
add_library(migc_precompiled STATIC ${CMAKE_BINARY_DIR}/precompiled.cpp)
target_link_libraries(migc_precompiled PRIVATE migc_flags)
target_precompile_headers(migc_precompiled PRIVATE
    <algorithm> <filesystem> <functional> <map> <memory> <optional> <string> <variant> <vector>
    <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>)

# migc_library(NAME [LINKS target...] [PRIVATE target...]): every .cpp of the folder, as library migc_NAME.
# LINKS may be seen by whoever uses it, PRIVATE not.
function(migc_library name)
    cmake_parse_arguments(arg "" "" "LINKS;PRIVATE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    if(NOT sources)  # headers only
        add_library(migc_${name} INTERFACE)
        target_link_libraries(migc_${name} INTERFACE migc_flags ${arg_LINKS})
        return()
    endif()
    add_library(migc_${name} STATIC ${sources})
    target_link_libraries(migc_${name} PUBLIC migc_flags ${arg_LINKS} PRIVATE ${arg_PRIVATE})
    target_precompile_headers(migc_${name} REUSE_FROM migc_precompiled)
endfunction()

# migc_unit_test(NAME [LINKS target...]): tests/unit/NAME_test.cpp as one CTest test, unit.NAME.
function(migc_unit_test name)
    cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
    add_executable(unit-${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.cpp)
    target_link_libraries(unit-${name} PRIVATE migc_flags migc_unit_flags catch_main ${arg_LINKS})
    target_precompile_headers(unit-${name} REUSE_FROM unit_precompiled)
    add_test(NAME unit.${name} COMMAND unit-${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()
