// SPDX-License-Identifier: Apache-2.0
#include "lib/shard/profile_cache.h"

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/base/prefetch.h"

namespace segue::shard {
namespace {

// Asks for a list's first bytes.
template <class T>
void prefetch_list(const std::vector<T>& list, size_t bytes) {
  prefetch_bytes(list.data(), std::min(list.size() * sizeof(T), bytes));
}

}  // namespace

void ProfileCache::prefetch(uint32_t slot) const {
  const Slot& s = blocks_[slot / kBlock][slot % kBlock];
  const auto* begin = reinterpret_cast<const char*>(&s);
  prefetch_bytes(begin, static_cast<size_t>(reinterpret_cast<const char*>(&s.profile.vector + 1) - begin));
}

void ProfileCache::prefetch_lists(uint32_t slot) const {
  const profile::Profile& profile = blocks_[slot / kBlock][slot % kBlock].profile;
  // What nearly every event reads: the ids of events, the interests, the latest times, the tags and until when values hold.
  if (profile.event_marks.empty())
    prefetch_list(profile.event_ids, 128);
  else
    prefetch_list(profile.event_marks, 128);
  for (const auto& list : profile.interest_lists) prefetch_bytes(list.data(), list.bytes());
  for (size_t i = 0; i < profile::kInterestScopes; ++i)
    if (profile.interest_lists[i].size() == 0) prefetch_list(profile.interests[i], 448);
  prefetch_list(profile.recent, 64);
  prefetch_list(profile.holds_until, 64);
  prefetch_list(profile.keyed_members, 192);
}

const profile::Profile& ProfileCache::shaped(uint32_t slot, profile::Profile& converted) const {
  const Slot& s = blocks_[slot / kBlock][slot % kBlock];
  if (s.shape == shape_) return s.profile;
  converted = s.profile;
  convert_(converted);
  return converted;
}

uint32_t ProfileCache::add(UserNumber user) {
  if (free_.empty()) {
    const auto first = static_cast<uint32_t>(blocks_.size() * kBlock);
    blocks_.push_back(std::make_unique<Slot[]>(kBlock));
    for (uint32_t i = kBlock; i-- > 0;) free_.push_back(first + i);
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  Slot& s = at(slot);
  s.user = user;
  s.epoch = 0;
  s.batch = batch_;
  s.kept = false;
  s.used = true;
  s.shape = shape_;
  ++used_;
  return slot;
}

void ProfileCache::remove(uint32_t slot) {
  Slot& s = at(slot);
  s.epoch = 0;  // the lists of dirty and frozen slots pass over it
  s.profile.reset();
  s.user = kNoUser;
  s.used = false;
  free_.push_back(slot);
  --used_;
}

void ProfileCache::freeze() {
  SEGUE_ASSERT(!freezing_);
  freezing_ = true;
  frozen_epoch_ = epoch_++;
  frozen_.swap(dirty_);
  dirty_.clear();
  frozen_next_ = 0;
}

bool ProfileCache::keep_slice(size_t count, const Keep& keep) {
  SEGUE_ASSERT(freezing_);
  for (; count > 0 && frozen_next_ < frozen_.size(); ++frozen_next_) {
    // Frozen profiles lie anywhere in memory.
    if (frozen_next_ + kSlotDistance < frozen_.size()) prefetch_bytes(&at(frozen_[frozen_next_ + kSlotDistance]), sizeof(Slot));
    if (frozen_next_ + kListDistance < frozen_.size()) prefetch_lists(frozen_[frozen_next_ + kListDistance]);
    Slot& s = at(frozen_[frozen_next_]);
    // Changed again (and kept then), removed, or listed twice.
    if (s.epoch != frozen_epoch_ || s.kept) continue;
    keep_now(s, keep);
    --count;
  }
  return frozen_next_ == frozen_.size();
}

void ProfileCache::installed() {
  SEGUE_ASSERT(freezing_ && frozen_next_ == frozen_.size());
  freezing_ = false;
}

void ProfileCache::evict(const std::function<void(UserNumber)>& evicted) {
  const size_t slots = blocks_.size() * kBlock;
  const size_t allowed = capacity_ + dirty() + frozen();
  if (used_ <= allowed) return;
  // Bounded, because a walk past dirty slots costs a cache miss each: what is not found now is found by a later call.
  const size_t most = 8 * (used_ - allowed) + 1024;
  for (size_t steps = 0; used_ > allowed && steps < most; ++steps) {
    hand_ = hand_ + 1 < slots ? hand_ + 1 : 0;
    Slot& s = at(static_cast<uint32_t>(hand_));
    const bool clean = s.epoch != epoch_ && !(freezing_ && s.epoch == frozen_epoch_);
    if (s.user == kNoUser || !clean || s.batch == batch_) continue;
    if (s.used) {
      s.used = false;
      continue;
    }
    const UserNumber user = s.user;
    remove(static_cast<uint32_t>(hand_));
    evicted(user);
  }
}

}  // namespace segue::shard
