// SPDX-License-Identifier: Apache-2.0
#include "services/live/file_transitions.h"

#include "lib/filelog/commit_log.h"

namespace segue::live {

Result<> FileTransitions::read_bytes(int32_t partition, uint64_t from, size_t most, std::string& out) {
  const auto file = files_.open_to_read(filelog::shard_paths(directory_, "shard-" + std::to_string(partition)).transitions);
  if (!file) return tl::unexpected<Error>(file.error());
  out.resize(most);
  const auto got = (*file)->read_at(from, out);
  if (!got) return tl::unexpected<Error>(got.error());
  out.resize(*got);
  return {};
}

}  // namespace segue::live
