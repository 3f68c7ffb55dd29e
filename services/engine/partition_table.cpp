// SPDX-License-Identifier: Apache-2.0
#include "services/engine/partition_table.h"

namespace segue::engine {

PartitionTable::Entry& PartitionTable::entry(int32_t partition) {
  Entry& found = entries_[partition];
  if (!found.view) found.view = std::make_shared<PartitionView>(partition);
  return found;
}

void PartitionTable::want(int32_t partition, int worker) {
  const std::lock_guard lock(mutex_);
  entry(partition).wanted_by.insert(worker);
}

void PartitionTable::unwant(int32_t partition, int worker) {
  {
    const std::lock_guard lock(mutex_);
    entry(partition).wanted_by.erase(worker);
  }
  changed_.notify_all();
}

bool PartitionTable::acquire(int32_t partition, int worker) {
  std::unique_lock lock(mutex_);
  Entry& wanted = entry(partition);
  const auto given_up = [&] { return ended_ || !wanted.wanted_by.contains(worker); };
  ++wanted.waiting;
  changed_.wait(lock, [&] { return wanted.holder == kNobody || given_up(); });
  --wanted.waiting;
  if (given_up()) return false;
  wanted.holder = worker;
  return true;
}

bool PartitionTable::try_acquire(int32_t partition, int holder) {
  const std::lock_guard lock(mutex_);
  Entry& wanted = entry(partition);
  if (wanted.holder != kNobody || wanted.waiting > 0 || ended_) return false;
  wanted.holder = holder;
  return true;
}

void PartitionTable::release(int32_t partition) {
  {
    const std::lock_guard lock(mutex_);
    entry(partition).holder = kNobody;
  }
  changed_.notify_all();
}

std::set<int32_t> PartitionTable::wanted_of_standby() const {
  const std::lock_guard lock(mutex_);
  std::set<int32_t> wanted;
  for (const auto& [partition, entry] : entries_)
    if (entry.holder == kStandby && entry.waiting > 0) wanted.insert(partition);
  return wanted;
}

int PartitionTable::holder(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(partition);
  return found == entries_.end() ? kNobody : found->second.holder;
}

void PartitionTable::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

std::shared_ptr<PartitionView> PartitionTable::view(int32_t partition) {
  const std::lock_guard lock(mutex_);
  return entry(partition).view;
}

std::vector<std::pair<int, std::shared_ptr<PartitionView>>> PartitionTable::held() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<int, std::shared_ptr<PartitionView>>> views;
  for (const auto& [partition, entry] : entries_)
    if (entry.holder != kNobody) views.emplace_back(entry.holder, entry.view);
  return views;
}

std::vector<std::shared_ptr<PartitionView>> PartitionTable::views() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<PartitionView>> views;
  for (const auto& [partition, entry] : entries_) views.push_back(entry.view);
  return views;
}

}  // namespace segue::engine
