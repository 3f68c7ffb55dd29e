// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/codec/state_keys.h"
#include "lib/filelog/posix_file_system.h"
#include "lib/profile/profile.h"
#include "lib/rocks/rocks_store.h"
#include "services/replay/state_directory.h"

namespace segue::program {

// A state directory as of each shard's last checkpoint, read beside whoever may be writing it. Changes nothing.
class StateReader {
 public:
  static Result<std::unique_ptr<StateReader>> open(const std::string& path);

  const replay::StateDirectory& directory() const { return directory_; }
  // An engine's: its log, outputs and journal are in Kafka.
  bool is_of_engine() const { return of_engine_; }
  const segment::Definitions& definitions() const { return *directory_.definitions; }
  size_t shards() const { return stores_.size(); }
  // Null before the shard's first checkpoint.
  rocks::RocksStore* store(size_t shard) { return stores_[shard].get(); }

  // Empty before the shard's first checkpoint.
  Result<std::optional<codec::ShardMeta>> meta(size_t shard);
  // The shard's clock; kNoTime before its first event.
  Result<Time> clock(size_t shard);
  // Which shards may have a user: one, or all of a partitioned directory.
  std::vector<size_t> shards_of(std::string_view user) const;
  Result<std::optional<profile::Profile>> find(size_t shard, std::string_view user);
  Result<std::optional<codec::ErasedUser>> find_erased(size_t shard, std::string_view user);

 private:
  StateReader() = default;
  Result<> describe(const std::string& path);
  Result<> find_definitions();
  Result<std::optional<std::string>> load(size_t shard, std::string_view key);

  filelog::PosixFileSystem files_;
  bool of_engine_ = false;
  replay::StateDirectory directory_;
  std::vector<std::unique_ptr<rocks::RocksStore>> stores_;
};

}  // namespace segue::program
