// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "lib/filelog/posix_file_system.h"

namespace segue::replay {

// The operating system's files, some of them seen up to an end only: a log that grows while it is replayed.
class BoundedFiles final : public filelog::FileSystem {
 public:
  using Ends = std::map<std::string, uint64_t>;  // absolute path to bytes

  void set_ends(Ends ends) { ends_ = std::move(ends); }

  Result<std::unique_ptr<filelog::File>> open_to_read(const std::string& path) override;
  Result<std::unique_ptr<filelog::File>> open_to_append(const std::string& path) override { return files_.open_to_append(path); }
  Result<> rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Result<> remove(const std::string& path) override { return files_.remove(path); }
  Result<> make_directories(const std::string& path) override { return files_.make_directories(path); }
  Result<> sync_directory(const std::string& path) override { return files_.sync_directory(path); }
  Result<std::vector<std::string>> list(const std::string& path) override { return files_.list(path); }
  Result<bool> exists(const std::string& path) override { return files_.exists(path); }
  Result<std::unique_ptr<filelog::FileLock>> lock(const std::string& path) override { return files_.lock(path); }

 private:
  filelog::PosixFileSystem files_;
  Ends ends_;
};

}  // namespace segue::replay
