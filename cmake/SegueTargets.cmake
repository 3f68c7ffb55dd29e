# SPDX-License-Identifier: Apache-2.0

# Folders that start threads or are called from several: their unit tests also run under the thread sanitizer. Not kafka: Debian's librdkafka starts
# its threads by C11's thrd_create, which the sanitizer of gcc 12 does not know, and crashes.
set(SEGUE_THREADED_FOLDERS telemetry pipeline serving rocks filelog http)

# tests_LABEL builds every test of a label; those that ./dev asks for exist even where no test has the label yet.
foreach(label unit behaviour simulation threads fuzz)
  add_custom_target(tests_${label})
endforeach()

# segue_library(NAME [PUBLIC lib...] [PRIVATE lib...] [TEST lib...]): every .cpp of lib/NAME is the library segue_NAME, every .cpp of
# tests/unit/NAME the test program unit_NAME (TEST: what that links besides). A file that exists is built and its tests run: nothing is listed by
# hand, so nothing is forgotten.
function(segue_library name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE;TEST" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(segue_${name} STATIC ${sources})
    target_link_libraries(segue_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
    set_target_properties(segue_${name} PROPERTIES UNITY_BUILD ${SEGUE_UNITY} UNITY_BUILD_BATCH_SIZE 6)
  else()
    add_library(segue_${name} INTERFACE)
    target_link_libraries(segue_${name} INTERFACE ${ARG_PUBLIC})
  endif()
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.cpp)
  if(SEGUE_TESTS AND tests)
    set(labels unit)
    if(name IN_LIST SEGUE_THREADED_FOLDERS)
      list(APPEND labels threads)
    endif()
    segue_test(unit_${name} SOURCES ${tests} LINK segue_${name} ${ARG_PRIVATE} ${ARG_TEST} LABELS ${labels})
  endif()
endfunction()

# segue_test(NAME SOURCES file... LINK lib... [LABELS l...] [TIMEOUT s]): a GoogleTest program, one ctest entry for the whole program.
# Labels decide where else it runs: unit, behaviour and simulation under the address sanitizer, threads under the thread sanitizer; slow is left
# out by ./dev test --quick.
function(segue_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  segue_precompile_tests(${name})
  if(NOT ARG_TIMEOUT)
    # Against a hang alone: under a sanitizer, beside other work, the longest takes five minutes.
    set(ARG_TIMEOUT 900)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
  foreach(label IN LISTS ARG_LABELS)
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name})
  endforeach()
endfunction()

# GoogleTest and the standard headers are parsed once for all test programs.
function(segue_precompile_tests name)
  if(NOT TARGET segue_test_headers)
    file(CONFIGURE OUTPUT test_headers.cpp CONTENT "// Has the precompiled header compiled.\n")
    add_library(segue_test_headers OBJECT ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cpp)
    target_link_libraries(segue_test_headers PRIVATE GTest::gtest GTest::gmock)
    target_precompile_headers(segue_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h> <algorithm> <chrono> <filesystem> <fstream> <functional>
                              <map> <memory> <optional> <random> <string> <string_view> <tl/expected.hpp> <unordered_map> <vector>)
  endif()
  target_precompile_headers(${name} REUSE_FROM segue_test_headers)
endfunction()

# segue_scripts(PREFIX [DEBIAN_PYTHON] [LABEL l] [TIMEOUT s] [ENVIRONMENT e...]): every *_test.py of the folder drives the program: one ctest entry
# each, PREFIX_<name>. 77 means skipped. DEBIAN_PYTHON: they import what Debian installs for its own Python.
function(segue_scripts prefix)
  cmake_parse_arguments(ARG "DEBIAN_PYTHON" "LABEL;TIMEOUT" "ENVIRONMENT" ${ARGN})
  if(NOT TARGET segue)
    return()
  endif()
  find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
  set(python ${Python3_EXECUTABLE})
  if(ARG_DEBIAN_PYTHON AND EXISTS /usr/bin/python3)
    set(python /usr/bin/python3)
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL e2e)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.py)
  foreach(script IN LISTS scripts)
    get_filename_component(name ${script} NAME_WE)
    string(REPLACE "_test" "" name ${name})
    add_test(NAME ${prefix}_${name} COMMAND ${python} -B ${script})
    set_tests_properties(${prefix}_${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
                         ENVIRONMENT "SEGUE_PROGRAM=$<TARGET_FILE:segue>;PYTHONDONTWRITEBYTECODE=1;${ARG_ENVIRONMENT}")
  endforeach()
endfunction()

# segue_fuzz(NAME SOURCES file... LINK lib...): a libFuzzer program where the build is for fuzzing (clang, SEGUE_FUZZ). Seeds lie in
# tests/fuzz/corpus/NAME; what a run finds stays in the build folder. SEGUE_FUZZ_SECONDS bounds a run.
function(segue_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  if(SEGUE_FUZZ)
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LINK})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(found ${CMAKE_BINARY_DIR}/corpus/${name})
    set(seeds ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    file(MAKE_DIRECTORY ${found})
    if(NOT EXISTS ${seeds})
      set(seeds "")
    endif()
    set(limits "-max_total_time=\${SEGUE_FUZZ_SECONDS:-20} -timeout=10 -rss_limit_mb=4096")
    add_test(NAME ${name} COMMAND sh -c "exec \"$0\" ${limits} \"$@\"" $<TARGET_FILE:${name}> ${found} ${seeds})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 0 WORKING_DIRECTORY ${found})
    add_dependencies(tests_fuzz ${name})
  endif()
endfunction()
