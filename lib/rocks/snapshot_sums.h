// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace segue::rocks {

// The files sums/N of a generation (docs/formats/snapshot.md): BackupEngine trusts its lists meta/N, and a RocksDB built with assertions, as Debian's
// is, aborts on two lists that contradict each other.

struct CheckedLists {
  std::set<std::string> good;                            // names in meta/
  std::vector<std::pair<std::string, std::string>> bad;  // name and why
};

// kRetry when a file could not be read.
Result<CheckedLists> check_lists(rocksdb::Env& env, const std::string& generation);
// Makes snapshot `number` valid; durable.
Result<> write_sum(rocksdb::Env& env, const std::string& generation, uint32_t number);
// By the writer: removes the bad lists, and the sums of lists that are gone.
Result<> remove_bad_lists(rocksdb::Env& env, const std::string& generation);

// Shows the directory `generation`/meta with good lists only.
class GoodLists final : public rocksdb::FileSystemWrapper {
 public:
  GoodLists(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& generation, std::set<std::string> good);
  const char* Name() const override { return "GoodLists"; }

  rocksdb::IOStatus GetChildren(const std::string& directory, const rocksdb::IOOptions& options, std::vector<std::string>* names,
                                rocksdb::IODebugContext* debug) override;

 private:
  const std::string directory_;
  const std::set<std::string> good_;
};

}  // namespace segue::rocks
