// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>

#include "lib/shard/shard.h"

namespace segue::shard {

using event::EventType;

// One hour after the last purchase a buyer lapses; the clock is one second behind.
inline constexpr std::string_view kYaml = R"(
version: 1
settings: {lateness: 1s}
lifecycle:
  stages: [new, buyer, lapsed]
  moves:
    - {from: new, to: buyer, on: purchase}
    - {from: buyer, to: lapsed, when: since(last_purchase) >= 1h}
    - {from: lapsed, to: buyer, on: purchase}
tags:
  - {name: regular, when: orders >= 2}
  - {name: seen, when: count(view) >= 1, announce: false}
  - {name: left, when: since(last(cart)) >= 1m, announce: false}
)";
inline constexpr std::array<uint8_t, 16> kKey = {1, 2, 3};
inline constexpr int64_t kHour = 3'600'000;
inline constexpr int64_t kLateness = 1000;

inline std::shared_ptr<const segment::Definitions> definitions() {
  static const auto kParsed = std::make_shared<const segment::Definitions>(*segment::Definitions::parse(kYaml, "test.yaml"));
  return kParsed;
}

inline std::string id_of(size_t number) {
  const std::string digits = std::to_string(number);
  return "u" + std::string(6 - digits.size(), '0') + digits;
}

// Events that stay where they are, and steps over them. `high` follows the events unless a foreign one is added.
class Log {
 public:
  Log() = default;
  Log(Log&&) = default;  // steps point into the deque: no copies
  Log& add(EventType type, const std::string& user, int64_t ts, const std::string& event_id = {}) {
    const std::string_view user_id = texts_.emplace_back(user);
    const std::string_view id = texts_.emplace_back(event_id.empty() ? "e" + std::to_string(events_.size()) : event_id);
    events_.push_back({.type = type, .ts = time_from_ms(ts), .event_id = id, .user_id = user_id});
    foreign(ts);
    steps_.push_back({&events_.back(), high_});
    return *this;
  }
  // An event of another shard's user.
  Log& foreign(int64_t ts) {
    high_ = std::max(high_, time_from_ms(ts));
    return *this;
  }
  std::span<const Step> steps() const { return steps_; }
  Time high() const { return high_; }

 private:
  std::deque<std::string> texts_;
  std::deque<event::Event> events_;
  std::vector<Step> steps_;
  Time high_ = kNoTime;
};

// A shard with a store: pages are copies, without what a page does not hold.
class Machine final : public OutputSink {
 public:
  explicit Machine(size_t cache = 1000, size_t max_timers = Shard::kMaxTimers)
      : shard(definitions(), {.cache_profiles = cache, .max_timers = max_timers}, kKey) {}

  void take(const Output& output) override {
    std::string text = std::string(output.user_id) + "#" + std::to_string(output.n) + " ";
    if (output.change == nullptr) {
      text += "erased";
    } else if (output.change->kind == segment::ChangeKind::kMoved) {
      text += definitions()->move(output.change->index).name;
    } else {
      text += (output.change->kind == segment::ChangeKind::kTagged ? "+" : "-") + definitions()->definition(output.change->index).name;
    }
    told.push_back(text + " @" + std::to_string(to_ms(output.at)) + (output.event_id.empty() ? "" : " " + std::string(output.event_id)));
  }
  void supply_wanted() {
    for (const UserNumber user : shard.wanted()) shard.supply(user) = pages.at(std::string(shard.user_id(user)));
  }
  // All steps and the clock up to `high`, in as many batches as it takes. Gives how many.
  size_t run(std::span<const Step> steps, Time high) {
    size_t batches = 0;
    do {
      steps = steps.subspan(shard.begin(steps, high));
      supply_wanted();
      shard.run(*this, keep);
      shard.trim();
      ++batches;
    } while (!steps.empty() || shard.high() < high || shard.cut());
    return batches;
  }
  size_t run(const Log& log) { return run(log.steps(), log.high()); }
  void advance(int64_t high) { run({}, time_from_ms(high)); }
  // What a checkpoint is to a store.
  void checkpoint() {
    shard.cache().freeze();
    for (const Shard::Removal& removal : shard.take_removals()) {
      pages.erase(removal.user_id);
      erased[removal.keyed_id] = shard.erased(removal.keyed_id);
    }
    shard.cache().keep_slice(SIZE_MAX, keep);
    shard.cache().installed();
    state = shard.state();
  }
  void restore(const Machine& from) {
    pages = from.pages;
    shard.restore(from.state);
    for (const auto& [id, page] : pages) shard.restore_user(id, from.shard.find_user(id), page.deadline, page.stage);
    for (const auto& [keyed, one] : from.erased) shard.restore_erased(keyed, one);
  }

  Shard shard;
  std::vector<std::string> told;
  std::map<std::string, profile::Profile> pages;
  std::map<uint64_t, Erased> erased;
  ShardState state;
  const ProfileCache::Keep keep = [this](UserNumber user, const profile::Profile& profile) {
    profile::Profile& page = pages[std::string(shard.user_id(user))] = profile;
    page.holds_until.clear();
  };
};

// Every user leaves memory: the pages are all there is.
inline void forget(Machine& machine) {
  machine.checkpoint();
  for (int i = 0; i < 8; ++i) {
    machine.shard.cache().new_batch();
    machine.shard.trim();
  }
}
inline Log many_purchases(size_t users, int64_t apart) {
  Log log;
  // Backwards, so that the order of the lapses is not that of the users' numbers.
  for (size_t i = users; i-- > 0;) log.add(EventType::kPurchase, id_of(i), static_cast<int64_t>(i) * apart);
  return log;
}

}  // namespace segue::shard
