# SPDX-License-Identifier: Apache-2.0
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
# For sanitizers, fuzzing and daily work: quick to compile, fast enough to run thousands of seeds.
set(CMAKE_CXX_FLAGS_CHECK "-O1 -g1")

# Two builds of one version must decide alike: no fused multiply-add, no reassociation (docs/adr/0002-determinism.md).
add_compile_options(-ffp-contract=off -fno-fast-math -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                    -Wno-missing-field-initializers
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
include_directories(${CMAKE_SOURCE_DIR})
if(SEGUE_UNITY)
  # Sources included into one file look like headers with anonymous namespaces to this warning.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

if(SEGUE_SANITIZE)
  add_compile_options(-fsanitize=${SEGUE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SEGUE_SANITIZE})
endif()
if(SEGUE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
find_program(SEGUE_CCACHE ccache)
if(SEGUE_CCACHE)
  # Precompiled headers (SegueTargets.cmake) need the sloppiness; the test programs do not use __TIME__. Base directory and no hashed directory: two
  # clones share what they compile (names in the objects are relative already, by the prefix map).
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
                                  CCACHE_NOHASHDIR=1 ${SEGUE_CCACHE})
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SEGUE_SANITIZE)
  # What a fault in memory is kept from becoming; sanitizers have checks of their own in the same places. What it costs: docs/performance.md.
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(NOT SEGUE_SANITIZE)
  # What the loader has resolved cannot be written to afterwards.
  add_link_options(-Wl,-z,relro,-z,now)
endif()
find_program(SEGUE_LLD ld.lld)
if(SEGUE_LLD AND NOT SEGUE_SANITIZE)
  add_link_options(-fuse-ld=lld)
endif()
