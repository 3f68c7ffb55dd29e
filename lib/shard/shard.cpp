// SPDX-License-Identifier: Apache-2.0
#include "lib/shard/shard.h"

#include <algorithm>

#include "lib/base/assert.h"
#include "lib/profile/profile.h"

namespace segue::shard {
namespace {

using event::Event;
using event::EventType;
using profile::Profile;
using segment::Change;
using segment::ChangeKind;

}  // namespace

Shard::Shard(std::shared_ptr<const segment::Definitions> definitions, Options options, std::array<uint8_t, 16> erasure_key)
    : definitions_(std::move(definitions)),
      max_timers_(options.max_timers),
      erasure_key_(erasure_key),
      cache_(options.cache_profiles),
      audiences_(*definitions_) {
  const profile::Plan& plan = definitions_->plan();
  totals_.moves.resize(plan.move_ids.size());
  totals_.entered.resize(plan.definition_ids.size());
  totals_.left.resize(plan.definition_ids.size());
  population_.resize(plan.stage_ids.size());
  if (options.vectors) vectors_.emplace();
}

void Shard::restore(const ShardState& state) {
  high_ = state.high;
  users_.set_next_number(state.next_number);
  totals_ = state.totals;
}

void Shard::restore_user(std::string_view id, UserNumber number, Time deadline, uint8_t stage) {
  users_.restore(id, hash64(id), number);
  ++population_[stage];
  arm(number, deadline);
}

size_t Shard::begin(std::span<const Step> steps, Time high, uint64_t most_timers) {
  SEGUE_ASSERT(high >= high_ && (steps.empty() || high >= steps.back().high));
  cache_.new_batch();
  steps_ = steps;
  batch_high_ = high;
  only_timers_ = false;
  give_turn_back();
  if (high != kNoTime) bound_batch(high - definitions_->plan().lateness, most_timers);
  find_users();
  want_missing();
  return steps_.size();
}

// How far the batch goes on its way to `clock`: as far as max_timers_ allow. Too many for one batch are only those of the last moment; what comes
// before it is a batch, and then they are, some at a time.
void Shard::bound_batch(Time clock, uint64_t most_timers) {
  const Duration lateness = definitions_->plan().lateness;
  if (due_.empty()) {
    taken_.clear();
    timers_.take(clock, max_timers_, taken_);
    for (const TimerEntry& entry : taken_) push_due(entry);
  }
  const Time last = timers_.horizon();
  // Behind definitions with less lateness there may be entries before the clock, of timers that have moved: it does not go back to them.
  const Time now = this->clock();
  Time until = std::max(std::min(clock, last), now);
  if (until == last && (due_.size() > max_timers_ || (most_timers != kAllTimers && last == clock))) {
    const bool has_more = (!due_.empty() && due_.front().at < last && now < last) || (!steps_.empty() && steps_.front().high - lateness < last);
    if (has_more) {
      until = last - Duration{1};
    } else {
      only_timers_ = true;
      steps_ = {};
      take_turn(std::min<uint64_t>(max_timers_, most_timers));
    }
  }
  if (until == clock) return;
  batch_high_ = until + lateness;
  const auto beyond = std::find_if(steps_.begin(), steps_.end(), [&](const Step& step) { return step.high > batch_high_; });
  steps_ = steps_.first(static_cast<size_t>(beyond - steps_.begin()));
}

void Shard::take_turn(uint64_t most) {
  while (!due_.empty() && turn_.size() < most) {
    const TimerEntry entry = pop_due();
    if (!still_due(entry)) continue;
    users_[entry.user].armed = kNever;  // another entry for the same time is no turn of its own
    turn_.push_back(entry);
  }
}

// Of a batch that was begun and not run: its pages could not be read.
void Shard::give_turn_back() {
  for (const TimerEntry& entry : turn_) {
    users_[entry.user].armed = entry.at;
    push_due(entry);
  }
  turn_.clear();
}

void Shard::find_users() {
  found_.resize(steps_.size());
  for (size_t i = 0; i < steps_.size(); ++i) {
    found_[i].hash = hash64(steps_[i].event->user_id);
    users_.prefetch_place(found_[i].hash);
  }
  for (const Found& found : found_) users_.prefetch_user(found.hash);
  for (const Found& found : found_) users_.prefetch_id(found.hash);
  for (size_t i = 0; i < steps_.size(); ++i) found_[i].user = users_.find(steps_[i].event->user_id, found_[i].hash);
}

void Shard::want(UserNumber user) {
  const uint32_t slot = users_[user].slot;
  if (slot == kNoSlot) {
    wanted_.push_back(user);
  } else {
    cache_.pin(slot);
  }
}

void Shard::want_missing() {
  wanted_.clear();
  for (const Found& found : found_)
    if (found.user != kNoUser) want(found.user);
  for (const TimerEntry& entry : turn_) want(entry.user);
  if (only_timers_ || due_.empty()) return sort_wanted();
  const Time clock = batch_high_ - definitions_->plan().lateness;
  for (const TimerEntry& entry : due_)
    if (entry.at <= clock && users_[entry.user].armed == entry.at && users_[entry.user].deadline <= clock) want(entry.user);
  sort_wanted();
}

void Shard::sort_wanted() {
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
}

Profile& Shard::supply(UserNumber user) {
  User& u = users_[user];
  SEGUE_ASSERT(u.slot == kNoSlot);
  u.slot = cache_.add(user);
  return cache_[u.slot];
}

// The order within a step (docs/semantics.md): the clock advances first and every timer due fires, in the order of deadline and user id; then the
// event is applied to its user, and deadlines that it armed at or before the clock fire within the step.
void Shard::run(OutputSink& sink, const ProfileCache::Keep& keep) {
  const Duration lateness = definitions_->plan().lateness;
  for (size_t i = 0; i < steps_.size(); ++i) {
    prefetch(i);
    const Event& event = *steps_[i].event;
    high_ = steps_[i].high;
    fire_due(high_ - lateness, sink, keep);
    const UserNumber user = reach_user(found_[i], event, sink);
    if (user == kNoUser) continue;
    apply(user, event, sink, keep);
  }
  high_ = batch_high_;
  cut_ = false;
  if (only_timers_) {
    fire_turn(sink, keep);
  } else if (high_ != kNoTime) {
    fire_due(high_ - lateness, sink, keep);
  }
  steps_ = {};
}

void Shard::prefetch(size_t step) const {
  const auto slot_of = [&](size_t ahead) {
    const UserNumber user = ahead < found_.size() ? found_[ahead].user : kNoUser;
    return user == kNoUser ? kNoSlot : users_[user].slot;
  };
  if (const uint32_t slot = slot_of(step + kSlotDistance); slot != kNoSlot) cache_.prefetch(slot);
  if (const uint32_t slot = slot_of(step + kListDistance); slot != kNoSlot) cache_.prefetch_lists(slot);
}

void Shard::fire_due(Time clock, OutputSink& sink, const ProfileCache::Keep& keep) {
  while (!due_.empty() && due_.front().at <= clock) {
    if (const TimerEntry entry = pop_due(); still_due(entry)) fire(entry, sink, keep);
  }
}

// The users of one moment whose turn it is. Whether more are due then must not depend on entries that a restart would not have.
void Shard::fire_turn(OutputSink& sink, const ProfileCache::Keep& keep) {
  for (const TimerEntry& entry : turn_) fire(entry, sink, keep);
  turn_.clear();
  while (!due_.empty() && !cut_) {
    const TimerEntry entry = pop_due();
    cut_ = still_due(entry);
    if (cut_) push_due(entry);
  }
}

// False: armed for an earlier time since, erased, or moved later, and then armed for that.
bool Shard::still_due(TimerEntry entry) {
  User& user = users_[entry.user];
  if (user.armed != entry.at) return false;
  if (user.deadline <= entry.at) return true;
  user.armed = kNever;
  arm(entry.user, user.deadline);
  return false;
}

void Shard::fire(TimerEntry entry, OutputSink& sink, const ProfileCache::Keep& keep) {
  User& user = users_[entry.user];
  SEGUE_ASSERT(user.slot != kNoSlot);
  user.armed = kNever;
  cache_.touch(user.slot, keep);
  Profile& profile = cache_[user.slot];
  ++totals_.timers;
  changes_.clear();
  definitions_->on_deadline(profile, entry.at, changes_);
  SEGUE_ASSERT(profile.deadline > entry.at);
  tell(entry.user, profile, {}, sink);
  arm(entry.user, profile.deadline);
}

UserNumber Shard::reach_user(const Found& found, const Event& event, OutputSink& sink) {
  UserNumber user = found.user;
  // A newcomer, who may have been added, or a user who may have been erased, since the batch began.
  if (user == kNoUser || users_[user].id == nullptr) user = users_.find(event.user_id, found.hash);
  if (user != kNoUser) return user;
  Erased before;
  if (!erased_.empty()) {
    if (const auto it = erased_.find(keyed_hash(event.user_id, erasure_key_)); it != erased_.end()) {
      before = it->second;
      if (event.ts <= before.until) {
        ++totals_.erased;
        return kNoUser;
      }
    }
  }
  if (event.type == EventType::kDelete) {
    leave_erased(event, event.ts, before.outputs, sink);
    return kNoUser;
  }
  user = users_.add(event.user_id, found.hash);
  Profile& profile = supply(user);
  profile.outputs = before.outputs;
  profile.erased_until = before.until;
  ++population_[profile.stage];
  audiences_.add_user(user, profile.stage);
  return user;
}

void Shard::apply(UserNumber number, const Event& event, OutputSink& sink, const ProfileCache::Keep& keep) {
  const uint32_t slot = users_[number].slot;
  SEGUE_ASSERT(slot != kNoSlot);
  Profile& profile = cache_[slot];
  if (event.ts <= profile.erased_until) {
    ++totals_.erased;
    return;
  }
  cache_.touch(slot, keep);
  if (event.type == EventType::kDelete) return erase(number, event, sink);
  if (!profile::remember_event(profile, event.event_id)) {
    ++totals_.duplicates;
    return;
  }
  ++totals_.applied[event::index(event.type)];
  profile::apply(profile, event, definitions_->plan());
  if (vectors_) vectors_->set(number, profile.vector);
  changes_.clear();
  definitions_->on_event(profile, event, clock(), changes_);
  tell(number, profile, event.event_id, sink);
  SEGUE_ASSERT(profile.deadline > clock());
  arm(number, profile.deadline);
}

void Shard::erase(UserNumber number, const Event& event, OutputSink& sink) {
  User& user = users_[number];
  const Profile& profile = cache_[user.slot];
  --population_[profile.stage];
  audiences_.remove_user(number, profile);
  if (vectors_) vectors_->remove(number);
  // Also what came after the delete by its own time but before it in the log is gone, and must not come back by a redelivery.
  const Time until = std::max(event.ts, profile.last_seen);
  const uint64_t outputs = profile.outputs;
  cache_.remove(user.slot);
  // Before the id goes: the heap is ordered by it.
  if (std::erase_if(due_, [&](const TimerEntry& entry) { return entry.user == number; }) > 0)
    std::make_heap(due_.begin(), due_.end(), [this](const TimerEntry& a, const TimerEntry& b) { return later(a, b); });
  users_.erase(number);
  leave_erased(event, until, outputs, sink);
}

void Shard::leave_erased(const Event& event, Time until, uint64_t outputs, OutputSink& sink) {
  const uint64_t keyed = keyed_hash(event.user_id, erasure_key_);
  erased_[keyed] = {until, outputs + 1};
  removals_.push_back({std::string(event.user_id), keyed});
  ++totals_.applied[event::index(EventType::kDelete)];
  ++totals_.outputs;
  sink.take({event.user_id, outputs + 1, nullptr, event.ts, event.event_id, nullptr});
}

void Shard::tell(UserNumber number, Profile& profile, std::string_view event_id, OutputSink& sink) {
  // The moves among the changes are the last of the profile's past moves, in the same order.
  auto moves = static_cast<size_t>(std::count_if(changes_.begin(), changes_.end(), [](const Change& c) { return c.kind == ChangeKind::kMoved; }));
  for (const Change& change : changes_) {
    count(number, change);
    auto* past = change.kind == ChangeKind::kMoved && moves <= profile.past_moves.size()
                     ? &*(profile.past_moves.end() - static_cast<ptrdiff_t>(moves))
                     : nullptr;
    if (change.kind == ChangeKind::kMoved) --moves;
    if (!change.announce) continue;
    ++profile.outputs;
    ++totals_.outputs;
    if (past != nullptr) past->n = profile.outputs;
    const bool by_event = change.cause == profile::Cause::kEvent;
    sink.take({users_.id(number), profile.outputs, &change, change.at, by_event ? event_id : std::string_view{}, &profile});
  }
}

void Shard::count(UserNumber user, const Change& change) {
  audiences_.apply(user, change);
  switch (change.kind) {
    case ChangeKind::kMoved:
      ++totals_.moves[change.index];
      --population_[change.from];
      ++population_[change.to];
      break;
    case ChangeKind::kEntered:
    case ChangeKind::kTagged:
      ++totals_.entered[change.index];
      break;
    case ChangeKind::kLeft:
    case ChangeKind::kUntagged:
      ++totals_.left[change.index];
      break;
  }
}

void Shard::arm(UserNumber number, Time deadline) {
  User& user = users_[number];
  user.deadline = deadline;
  if (deadline >= user.armed) return;  // the queue looks at the user in time
  user.armed = deadline;
  if (deadline <= timers_.horizon()) {
    push_due({deadline, number});
  } else {
    timers_.push({deadline, number});
    drop_stale_timers();
  }
}

// An earlier deadline leaves the later entry behind. Where such entries outnumber the users they go, so that timers cost a bounded number of bytes a
// user; each is looked at once for the one or more pushes that brought it.
void Shard::drop_stale_timers() {
  constexpr size_t kSpare = 64;
  if (timers_.size() <= 2 * users_.size() + kSpare) return;
  timers_.erase_if([this](const TimerEntry& entry) { return users_[entry.user].armed != entry.at; });
}

bool Shard::later(const TimerEntry& a, const TimerEntry& b) const {
  if (a.at != b.at) return a.at > b.at;
  return users_.id(a.user) > users_.id(b.user);
}

void Shard::push_due(TimerEntry entry) {
  due_.push_back(entry);
  std::push_heap(due_.begin(), due_.end(), [this](const TimerEntry& a, const TimerEntry& b) { return later(a, b); });
}

TimerEntry Shard::pop_due() {
  std::pop_heap(due_.begin(), due_.end(), [this](const TimerEntry& a, const TimerEntry& b) { return later(a, b); });
  const TimerEntry entry = due_.back();
  due_.pop_back();
  return entry;
}

namespace {

// The counts of the old ids at the places of the new.
void remap(const std::vector<uint64_t>& old_ids, const std::vector<uint64_t>& new_ids, std::vector<uint64_t>& counts) {
  std::vector<uint64_t> moved(new_ids.size());
  for (size_t i = 0; i < old_ids.size(); ++i)
    if (const auto it = std::find(new_ids.begin(), new_ids.end(), old_ids[i]); it != new_ids.end())
      moved[static_cast<size_t>(it - new_ids.begin())] += counts[i];
  counts = std::move(moved);
}

}  // namespace

void Shard::activate(std::shared_ptr<const segment::Definitions> definitions, ProfileCache::Convert convert) {
  SEGUE_ASSERT(!cut_);
  const profile::Plan& before = definitions_->plan();
  const profile::Plan& after = definitions->plan();
  cache_.reshape(std::move(convert));
  remap(before.move_ids, after.move_ids, totals_.moves);
  remap(before.definition_ids, after.definition_ids, totals_.entered);
  remap(before.definition_ids, after.definition_ids, totals_.left);
  remap(before.stage_ids, after.stage_ids, population_);
  // Users of a stage that is gone begin at the first one, as their pages do (codec::decode_page).
  uint64_t placed = 0;
  for (const uint64_t count : population_) placed += count;
  population_[0] += users_.size() - placed;
  audiences_.activate(*definitions);
  definitions_ = std::move(definitions);
}

void Shard::begin_sweep(UserNumber from, UserNumber to) {
  SEGUE_ASSERT(from <= to && to <= users_.next_number());
  cache_.new_batch();
  sweep_from_ = from;
  sweep_to_ = to;
  wanted_.clear();
  for (UserNumber user = from; user < to; ++user)
    if (users_[user].id != nullptr) want(user);
}

void Shard::sweep(OutputSink& sink, const ProfileCache::Keep& keep) {
  for (UserNumber user = sweep_from_; user < sweep_to_; ++user) {
    if (users_[user].id == nullptr) continue;
    const uint32_t slot = users_[user].slot;
    SEGUE_ASSERT(slot != kNoSlot);
    cache_.touch(slot, keep);
    Profile& profile = cache_[slot];
    changes_.clear();
    definitions_->on_activation(profile, clock(), changes_);
    SEGUE_ASSERT(profile.deadline > clock());
    tell(user, profile, {}, sink);
    arm(user, profile.deadline);
  }
}

ShardState Shard::state() const { return {high_, users_.next_number(), totals_}; }

void Shard::trim() {
  cache_.evict([this](UserNumber user) { users_[user].slot = kNoSlot; });
}

size_t Shard::memory_bytes() const {
  constexpr size_t kErasedBytes = 48;  // a node of the table
  return users_.memory_bytes() + timers_.memory_bytes() + due_.capacity() * sizeof(TimerEntry) + erased_.size() * kErasedBytes;
}

}  // namespace segue::shard
