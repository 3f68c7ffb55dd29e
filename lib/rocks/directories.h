// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/env.h>

#include <string>
#include <vector>

#include "lib/base/result.h"

namespace segue::rocks {

// The names in a directory, sorted; none when it is absent.
Result<std::vector<std::string>> list_directory(rocksdb::Env& env, const std::string& path);
// Makes each directory of `below`, names with slashes between, under `root`, which must exist; durable.
Result<> make_directories(rocksdb::Env& env, const std::string& root, const std::string& below);
Result<> sync_directory(rocksdb::Env& env, const std::string& path);
// Renames durably within one directory.
Result<> rename_directory(rocksdb::Env& env, const std::string& from, const std::string& to);
// Removes a directory with all that is in it. An absent one is no error.
Result<> remove_tree(rocksdb::Env& env, const std::string& path);

// Renames the damaged state directory `path`, which no store has open, to `path`.damaged-N, and removes all but the two latest of these. Returns the
// new name.
Result<std::string> quarantine(const std::string& path, rocksdb::Env* env = nullptr);

}  // namespace segue::rocks
