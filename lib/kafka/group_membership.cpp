// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/group_membership.h"

#include <utility>

namespace segue::kafka {

bool GroupMembership::owns(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  return identity_ && identity_->valid() && partitions_.contains(partition);
}

std::shared_ptr<const GroupMembership::Identity> GroupMembership::identity() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

uint64_t GroupMembership::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

void GroupMembership::joined(Identity identity, std::set<int32_t> partitions) {
  const std::lock_guard lock(mutex_);
  identity_ = std::make_shared<const Identity>(std::move(identity));
  partitions_ = std::move(partitions);
  ++version_;
}

void GroupMembership::left() {
  const std::lock_guard lock(mutex_);
  identity_ = nullptr;
  partitions_.clear();
  ++version_;
}

}  // namespace segue::kafka
