// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/shard_directory.h"

#include "lib/base/assert.h"

namespace segue::serving {

size_t ShardDirectory::partitions() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

int32_t ShardDirectory::partition_of(std::string_view user_id) const {
  const size_t count = partitions();
  SEGUE_ASSERT(count > 0);
  return partition_of_(user_id, count);
}

std::shared_ptr<ShardMailbox> ShardDirectory::local(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto at = static_cast<size_t>(partition);
  return at < places_.size() ? places_[at].local : nullptr;
}

std::optional<Instance> ShardDirectory::remote(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto at = static_cast<size_t>(partition);
  return at < places_.size() ? places_[at].remote : std::nullopt;
}

std::vector<int32_t> ShardDirectory::local_partitions() const {
  const std::lock_guard lock(mutex_);
  std::vector<int32_t> here;
  for (size_t i = 0; i < places_.size(); ++i)
    if (places_[i].local) here.push_back(static_cast<int32_t>(i));
  return here;
}

void ShardDirectory::set_partitions(size_t partitions) {
  const std::lock_guard lock(mutex_);
  SEGUE_ASSERT(partitions >= places_.size());
  places_.resize(partitions);
}

void ShardDirectory::set_local(int32_t partition, std::shared_ptr<ShardMailbox> mailbox) {
  const std::lock_guard lock(mutex_);
  SEGUE_ASSERT(static_cast<size_t>(partition) < places_.size());
  places_[static_cast<size_t>(partition)].local = std::move(mailbox);
}

void ShardDirectory::set_remote(int32_t partition, std::optional<Instance> instance) {
  const std::lock_guard lock(mutex_);
  SEGUE_ASSERT(static_cast<size_t>(partition) < places_.size());
  places_[static_cast<size_t>(partition)].remote = std::move(instance);
}

}  // namespace segue::serving
