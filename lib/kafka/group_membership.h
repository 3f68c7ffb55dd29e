// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace segue::kafka {

// What a group consumer knows of its place in the group, for others to ask; all calls from any thread. Written by GroupConsumer alone. The group is
// told the offsets for the sake of lag tools; who may write is decided by the transactional ids and the journal.
class GroupMembership {
 public:
  // The group's answer to the last join, serialised by librdkafka; `generation` -1 where there is none.
  struct Identity {
    std::string metadata;
    int32_t generation = -1;
    std::string member;

    bool valid() const { return generation >= 0 && !member.empty(); }
  };

  GroupMembership() = default;
  GroupMembership(const GroupMembership&) = delete;
  GroupMembership& operator=(const GroupMembership&) = delete;

  bool owns(int32_t partition) const;
  // Null while a rebalance goes on or the member is out of the group.
  std::shared_ptr<const Identity> identity() const;
  // Counts joins and losses, so that a reader notices a change.
  uint64_t version() const;

  void joined(Identity identity, std::set<int32_t> partitions);
  void left();

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Identity> identity_;
  std::set<int32_t> partitions_;
  uint64_t version_ = 0;
};

}  // namespace segue::kafka
