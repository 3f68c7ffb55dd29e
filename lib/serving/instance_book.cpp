// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/instance_book.h"

#include <algorithm>
#include <utility>

namespace segue::serving {
namespace {

// Far more than anybody runs: the topic may hold anything.
constexpr size_t kMaxInstances = 1000;

}  // namespace

void InstanceBook::hear(codec::InstanceRecord record, Clock::time_point now, Duration age) {
  if (record.instance == own_) return;
  std::string name = record.instance;
  if (age > kSilence) return forget(name);
  if (!entries_.contains(name) && entries_.size() == kMaxInstances) {
    std::erase_if(entries_, [&](const auto& one) { return is_gone(one.second, now); });
    if (entries_.size() == kMaxInstances) return;
  }
  entries_[std::move(name)] = Entry{std::move(record), now, ++records_};
}

void InstanceBook::forget(const std::string& instance) { entries_.erase(instance); }

void InstanceBook::listen(bool can_hear, Clock::time_point now) {
  if (can_hear && !can_hear_) hearing_since_ = now;
  can_hear_ = can_hear;
}

bool InstanceBook::is_gone(const Entry& entry, Clock::time_point now) const {
  return can_hear_ && now - std::max(entry.heard_at, hearing_since_) > kSilence;
}

std::vector<codec::InstanceRecord> InstanceBook::living(Clock::time_point now) const {
  std::vector<codec::InstanceRecord> all;
  for (const auto& [name, entry] : entries_)
    if (!is_gone(entry, now)) all.push_back(entry.record);
  return all;
}

void InstanceBook::publish(ShardDirectory& directory, Clock::time_point now) const {
  std::vector<const Entry*> owners(directory.partitions());
  for (const auto& [name, entry] : entries_) {
    if (is_gone(entry, now)) continue;
    for (const int32_t partition : entry.record.partitions) {
      if (static_cast<size_t>(partition) >= owners.size()) break;
      const Entry*& owner = owners[static_cast<size_t>(partition)];
      if (owner == nullptr || owner->order < entry.order) owner = &entry;
    }
  }
  for (size_t i = 0; i < owners.size(); ++i) {
    std::optional<Instance> instance;
    if (owners[i] != nullptr) instance = Instance{owners[i]->record.instance, owners[i]->record.address};
    directory.set_remote(static_cast<int32_t>(i), std::move(instance));
  }
}

}  // namespace segue::serving
