// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lib/filelog/file_system.h"
#include "lib/serving/transition_archive.h"

namespace segue::live {

// The transitions files of a state directory, for those who come back after a while.
class FileTransitions final : public serving::ByteArchive {
 public:
  // `files` outlives it.
  FileTransitions(filelog::FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

 private:
  Result<> read_bytes(int32_t partition, uint64_t from, size_t most, std::string& out) override;

  filelog::FileSystem& files_;
  const std::string directory_;
};

}  // namespace segue::live
