// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/audience/index.h"
#include "lib/audience/vectors.h"
#include "lib/base/hash.h"
#include "lib/event/event.h"
#include "lib/segment/definitions.h"
#include "lib/shard/output.h"
#include "lib/shard/profile_cache.h"
#include "lib/shard/timers.h"
#include "lib/shard/totals.h"
#include "lib/shard/user_table.h"

namespace segue::shard {

// One step of the log for this shard: an event of one of its users. `high` is the largest valid event time of the whole log up to and including
// it, foreign users' events included: it moves the clock first.
struct Step {
  const event::Event* event = nullptr;
  Time high = kNoTime;
};

// What stays of an erased user, under the keyed hash of the id.
struct Erased {
  Time until = kNoTime;  // events at or before are not taken again
  uint64_t outputs = 0;  // n goes on from here
};

// Everything of the shard that is not in a page: goes into the checkpoint beside them.
struct ShardState {
  Time high = kNoTime;
  UserNumber next_number = 0;
  Totals totals;
};

// The deterministic state machine of one partition (or of its share of users): steps in, outputs out. No clock, thread, I/O or randomness: the same
// steps give the same outputs and pages, whatever the batches and the cache. A batch goes in three calls: begin() says which profiles are not in
// memory, the caller reads their pages and supplies them, run() applies. One thread at a time.
class Shard {
 public:
  static constexpr size_t kMaxTimers = 8192;
  struct Options {
    size_t cache_profiles = 1'000'000;
    // Timers that may fire in one batch: bounds a batch's profiles and outputs when a million lapse at once. Those of one millisecond that are more
    // than these get batches of their own.
    size_t max_timers = kMaxTimers;
    bool vectors = false;  // interest vectors of all users in memory, to find similar ones
  };

  Shard(std::shared_ptr<const segment::Definitions> definitions, Options options, std::array<uint8_t, 16> erasure_key);

  // Recovery, before the first begin(): the state beside the pages, then each page's user and each erased user. restore_profile() may follow for
  // any of them (a warm cache) while cache_has_room(). The audience index is restored by itself.
  void restore(const ShardState& state);
  void restore_user(std::string_view id, UserNumber number, Time deadline, uint8_t stage);
  // Users whose deadline is the clock itself are still due: the state was taken between two batches of them.
  void restore_cut() { cut_ = true; }
  void restore_erased(uint64_t keyed_id, const Erased& erased) { erased_[keyed_id] = erased; }
  bool cache_has_room() const { return cache_.size() < cache_.capacity(); }

  // Starts a batch. `high` is where the largest event time stands after it (at least the last step's): with no steps a batch is a bare advance of
  // the clock. Returns how many of the steps the batch takes. It is fewer than all when more than max_timers are due: then the batch ends between two
  // deadlines, after its last timer and before the next step, and high() tells where; begin another with the rest. Of timers of one moment a batch
  // may fire some: it takes no step then, only_timers() is true, and cut() after run() while more of them are due. Steps and events stay valid
  // until run() returns. `most_timers` other than kAllTimers: the batches end between timers due when the clock is at `high`, after so many more.
  static constexpr uint64_t kAllTimers = UINT64_MAX;
  size_t begin(std::span<const Step> steps, Time high, uint64_t most_timers = kAllTimers);
  bool only_timers() const { return only_timers_; }
  // More timers are due at the clock: until they have fired no step may be taken, nor definitions come into force. Every batch goes on with them.
  bool cut() const { return cut_; }
  // Users whose profiles must be supplied before run(). Each once.
  std::span<const UserNumber> wanted() const { return wanted_; }
  // The cache's place for a wanted user's profile: decode the page into it.
  profile::Profile& supply(UserNumber user);
  // Applies the batch: the one place where the order within a step is written.
  void run(OutputSink& sink, const ProfileCache::Keep& keep);

  // New definitions come into force, between batches. `convert` turns a profile that the old ones shaped into one for the new, when its turn comes:
  // it is called until every user is swept. Counts follow what has the same name in both. Requires that no frozen profile is waiting to be kept, and
  // that the last batch was not cut(). Every user must be swept before the next begin().
  void activate(std::shared_ptr<const segment::Definitions> definitions, ProfileCache::Convert convert);
  // Evaluates the users numbered [from, to) under the definitions in force, in three calls as above: begin_sweep(), supply() those wanted, sweep().
  void begin_sweep(UserNumber from, UserNumber to);
  void sweep(OutputSink& sink, const ProfileCache::Keep& keep);

  // The checkpoint protocol, between batches (profile_cache.h). A removed user is an erased one: its page goes, the Erased entry comes.
  ProfileCache& cache() { return cache_; }
  const ProfileCache& cache() const { return cache_; }
  // Frozen and kept beside the cache's profiles.
  audience::Index& audiences() { return audiences_; }
  const audience::Index& audiences() const { return audiences_; }
  // Null unless Options::vectors. After a recovery those of all pages have to be set.
  audience::Vectors* vectors() { return vectors_ ? &*vectors_ : nullptr; }
  const audience::Vectors* vectors() const { return vectors_ ? &*vectors_ : nullptr; }
  struct Removal {
    std::string user_id;
    uint64_t keyed_id = 0;
  };
  // Users erased since the last call; moved out at a freeze.
  std::vector<Removal> take_removals() { return std::exchange(removals_, {}); }
  const Erased& erased(uint64_t keyed_id) const { return erased_.at(keyed_id); }
  ShardState state() const;
  // Evicts down to the cache's capacity.
  void trim();

  std::string_view user_id(UserNumber user) const { return users_.id(user); }
  // kNoUser when unknown.
  UserNumber find_user(std::string_view id) const { return users_.find(id, hash64(id)); }
  const User& user(UserNumber number) const { return users_[number]; }
  size_t users() const { return users_.size(); }
  UserNumber next_number() const { return users_.next_number(); }
  Time high() const { return high_; }
  // kNoTime before the first event.
  Time clock() const { return high_ == kNoTime ? kNoTime : high_ - definitions_->plan().lateness; }
  const Totals& totals() const { return totals_; }
  // Users by stage; index as Plan::stage_ids.
  const std::vector<uint64_t>& population() const { return population_; }
  // The earliest time at which a timer may be due; it may turn out to have moved later. kNever when there is none.
  Time next_timer() const { return std::min(timers_.next(), due_.empty() ? kNever : due_.front().at); }
  size_t timers_pending() const { return timers_.size() + due_.size(); }
  // Map, timers and erased users; profiles are not in it.
  size_t memory_bytes() const;
  const segment::Definitions& definitions() const { return *definitions_; }

 private:
  struct Found {
    uint64_t hash = 0;
    UserNumber user = kNoUser;  // as of begin(); looked up again when kNoUser
  };

  void bound_batch(Time clock, uint64_t most_timers);
  void take_turn(uint64_t most);
  void give_turn_back();
  void find_users();
  void want(UserNumber user);
  void want_missing();
  void sort_wanted();
  void prefetch(size_t step) const;
  void fire_due(Time clock, OutputSink& sink, const ProfileCache::Keep& keep);
  void fire_turn(OutputSink& sink, const ProfileCache::Keep& keep);
  void fire(TimerEntry entry, OutputSink& sink, const ProfileCache::Keep& keep);
  bool still_due(TimerEntry entry);
  UserNumber reach_user(const Found& found, const event::Event& event, OutputSink& sink);
  void apply(UserNumber user, const event::Event& event, OutputSink& sink, const ProfileCache::Keep& keep);
  void erase(UserNumber user, const event::Event& event, OutputSink& sink);
  void leave_erased(const event::Event& event, Time until, uint64_t outputs, OutputSink& sink);
  void tell(UserNumber user, profile::Profile& profile, std::string_view event_id, OutputSink& sink);
  void count(UserNumber user, const segment::Change& change);
  void arm(UserNumber user, Time deadline);
  void drop_stale_timers();
  void push_due(TimerEntry entry);
  TimerEntry pop_due();
  bool later(const TimerEntry& a, const TimerEntry& b) const;

  std::shared_ptr<const segment::Definitions> definitions_;
  const size_t max_timers_;
  const std::array<uint8_t, 16> erasure_key_;
  UserTable users_;
  ProfileCache cache_;
  audience::Index audiences_;
  std::optional<audience::Vectors> vectors_;
  Timers timers_;                // after the batch's end
  std::vector<TimerEntry> due_;  // up to the horizon of timers_: a heap by (at, user id)
  bool cut_ = false;
  std::unordered_map<uint64_t, Erased> erased_;
  std::vector<Removal> removals_;
  Time high_ = kNoTime;
  Totals totals_;
  std::vector<uint64_t> population_;

  // The running batch
  std::span<const Step> steps_;
  Time batch_high_ = kNoTime;
  std::vector<Found> found_;
  std::vector<TimerEntry> taken_;
  bool only_timers_ = false;
  std::vector<TimerEntry> turn_;  // they
  std::vector<UserNumber> wanted_;
  std::vector<segment::Change> changes_;
  UserNumber sweep_from_ = 0;
  UserNumber sweep_to_ = 0;
};

}  // namespace segue::shard
