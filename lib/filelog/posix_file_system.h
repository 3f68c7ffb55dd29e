// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/filelog/file_system.h"

namespace segue::filelog {

// The operating system's files. Has no state: any number may be made.
class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open_to_read(const std::string& path) override;
  Result<std::unique_ptr<File>> open_to_append(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> make_directories(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  // flock(2) on the file, created where it is missing; the holder's process id is its content.
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
};

}  // namespace segue::filelog
