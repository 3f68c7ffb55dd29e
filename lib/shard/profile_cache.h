// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "lib/base/assert.h"
#include "lib/base/prefetch.h"
#include "lib/profile/profile.h"
#include "lib/shard/user_table.h"

namespace segue::shard {

// How many profiles ahead of its use memory is asked for: the slot, then the lists that it points to.
inline constexpr size_t kSlotDistance = 12;
inline constexpr size_t kListDistance = 5;

// Decoded profiles in memory, and which of them a checkpoint still has to write.
//
// An epoch is the stretch between two freezes. A profile changed in the present epoch is dirty. freeze() ends the epoch: what is dirty then is
// frozen, and belongs to one checkpoint until that is installed. A frozen profile that is about to change is handed to the Keep callback first, so
// that a checkpoint sees all profiles as of one moment while events go on. Only profiles that an installed checkpoint holds may leave the cache.
class ProfileCache {
 public:
  // Called with a frozen profile, once for each, either when it is about to change or from keep_slice().
  using Keep = std::function<void(UserNumber, const profile::Profile&)>;

  // `capacity`: clean profiles. Dirty and frozen ones come on top (the dirty limit bounds them), and those of the running batch.
  explicit ProfileCache(size_t capacity) : capacity_(capacity) {}

  profile::Profile& operator[](uint32_t slot) { return at(slot).profile; }
  const profile::Profile& operator[](uint32_t slot) const { return blocks_[slot / kBlock][slot % kBlock].profile; }
  // Ask for a profile's memory some events before its use: first what stands in the slot, a few events later the lists that it points to. Without
  // them a million users cost 1.6 times the time.
  void prefetch(uint32_t slot) const;
  void prefetch_lists(uint32_t slot) const;

  // New definitions shape profiles otherwise: `convert` is what turns one in memory into what its page would be read as. Each is converted before its
  // next change, or when it is kept; until then shaped() gives it as it will be. Those added from now on have the new shape.
  using Convert = std::function<void(profile::Profile&)>;
  void reshape(Convert convert) {
    ++shape_;
    convert_ = std::move(convert);
  }
  // The profile in the present shape: itself, or a copy in `converted`.
  const profile::Profile& shaped(uint32_t slot, profile::Profile& converted) const;

  // A free slot, reset, for this user; clean.
  uint32_t add(UserNumber user);
  // Frees the slot. The profile must have been touched before, so that a frozen state was kept.
  void remove(uint32_t slot);

  // Marks a use, and keeps the slot from evict() until the next new_batch().
  void pin(uint32_t slot) {
    Slot& s = at(slot);
    s.batch = batch_;
    s.used = true;
  }
  void new_batch() { ++batch_; }

  // Must precede every change of the profile.
  void touch(uint32_t slot, const Keep& keep) {
    Slot& s = at(slot);
    if (s.shape != shape_) convert(s);
    if (s.epoch == epoch_) return;
    if (freezing_ && s.epoch == frozen_epoch_ && !s.kept) keep_now(s, keep);
    s.epoch = epoch_;
    s.kept = false;
    dirty_.push_back(slot);
  }
  size_t dirty() const { return dirty_.size(); }
  size_t frozen() const { return freezing_ ? frozen_.size() : 0; }
  size_t size() const { return used_; }
  size_t capacity() const { return capacity_; }

  bool freezing() const { return freezing_; }
  // Requires !freezing(). Cheap whatever the number of dirty profiles.
  void freeze();
  // Keeps up to `count` frozen profiles that are not kept yet. True when none is left.
  bool keep_slice(size_t count, const Keep& keep);
  // What was frozen is on disk: those profiles may leave unless dirty again. Requires that keep_slice() gave true.
  void installed();

  // Evicts clean, unpinned profiles, not recently used first (second chance), until at most `capacity` clean ones are left. Looks at a few
  // slots for each that is too many, so that it may need several calls. Calls evicted(user) for each.
  void evict(const std::function<void(UserNumber)>& evicted);

 private:
  struct alignas(kCacheLineBytes) Slot {
    uint64_t epoch = 0;  // of the last change; 0: as read
    uint64_t batch = 0;  // of the last use
    UserNumber user = kNoUser;
    bool kept = false;  // frozen state handed out
    bool used = false;  // second chance
    uint16_t shape = 0;
    profile::Profile profile;
  };
  static constexpr size_t kBlock = 256;

  Slot& at(uint32_t slot) { return blocks_[slot / kBlock][slot % kBlock]; }
  void convert(Slot& slot) {
    convert_(slot.profile);
    slot.shape = shape_;
  }
  void keep_now(Slot& slot, const Keep& keep) {
    if (slot.shape != shape_) convert(slot);
    keep(slot.user, slot.profile);
    slot.kept = true;
  }

  size_t capacity_;
  size_t used_ = 0;
  std::vector<std::unique_ptr<Slot[]>> blocks_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> dirty_;
  std::vector<uint32_t> frozen_;
  size_t frozen_next_ = 0;
  uint64_t epoch_ = 2;
  uint64_t frozen_epoch_ = 1;
  uint64_t batch_ = 1;
  bool freezing_ = false;
  size_t hand_ = 0;
  Convert convert_;
  uint16_t shape_ = 0;
};

}  // namespace segue::shard
