// SPDX-License-Identifier: Apache-2.0
// The checkpoint protocol on a disk that stops at any operation, fails once at any operation, or is full.
#include <gtest/gtest.h>

#include "tests/unit/rocks/simulated_store.h"

namespace segue::rocks {
namespace {

constexpr int kCheckpoints = 5;

// What the checkpoint `number` changes: every page names it, so that a mix of two is seen.
Contents changes(int number) {
  Contents changed{{"m", std::to_string(number)}};
  for (int i = 0; i < 12; ++i)
    if (i % 3 != number % 3) changed["p" + std::to_string(i)] = std::string(static_cast<size_t>(20 + 5 * i), static_cast<char>('0' + number));
  return changed;
}
std::vector<std::string> removals(int number) { return {"p" + std::to_string(number * 3 % 12)}; }

// The contents after each checkpoint, [0] of an empty state.
std::vector<Contents> expected_states() {
  std::vector<Contents> states(1);
  for (int number = 1; number <= kCheckpoints; ++number) {
    Contents state = states.back();
    for (const auto& [key, value] : changes(number)) state[key] = value;
    for (const std::string& key : removals(number)) state.erase(key);
    states.push_back(state);
  }
  return states;
}

// Opens and installs checkpoints until one fails, with a compaction after the third. Returns how many install() calls succeeded; `begun` counts the
// calls.
int run(SimulatedStore& run, int& begun) {
  begun = 0;
  int done = 0;
  if (!run.open()) return 0;
  for (int number = static_cast<int>(run.store->installed()) + 1; number <= kCheckpoints; ++number) {
    ++begun;
    if (!checkpoint(*run.store, changes(number), removals(number))) break;
    ++done;
    if (number == 3 && !run.store->compact()) break;
  }
  return done;
}

TEST(Crash, AtAnyOperationTheStateIsOneCheckpointAndNoneThatWasInstalledIsLost) {
  const auto states = expected_states();
  uint64_t operation = 1;
  for (bool finished = false; !finished; ++operation) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      SimulatedStore store;
      store.disk->crash_at(operation);
      int begun = 0;
      const int done = run(store, begun);
      finished = !store.disk->crashed();
      store.store.reset();
      finished = finished && !store.disk->crashed();
      store.disk->restart(operation * 1000 + seed);

      const auto opened = store.open();
      ASSERT_TRUE(opened) << "operation " << operation << " seed " << seed << ": " << error_text(opened);
      const auto found = static_cast<int>(store.store->installed());
      ASSERT_TRUE(found == done || found == begun) << "operation " << operation << " seed " << seed << ": " << found << " of " << done << ".."
                                                   << begun;
      ASSERT_EQ(scan_all(*store.store).value(), states[static_cast<size_t>(found)]) << "operation " << operation << " seed " << seed;
      ASSERT_TRUE(store.store->verify());
      // The same program goes on from there.
      int begun_again = 0;
      ASSERT_EQ(found + run(store, begun_again), kCheckpoints);
      ASSERT_EQ(scan_all(*store.store).value(), states.back());
    }
  }
  // One checkpoint alone is a dozen operations: the loop did pass through all of them.
  EXPECT_GT(operation, 60u);
}

TEST(Crash, TwiceInARowIsNoWorse) {
  const auto states = expected_states();
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SimulatedStore store;
    uint64_t random = seed * 0x9e3779b97f4a7c15ULL;
    int done = 0, begun = 0;
    for (int crash = 0; crash < 3; ++crash) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      store.disk->crash_at(1 + (random >> 33) % 90);
      const int before = done;
      done += run(store, begun);
      begun += before;
      store.store.reset();
      store.disk->restart(random);
      SimulatedStore look(store.disk->copy());
      const auto opened = look.open();
      ASSERT_TRUE(opened) << "seed " << seed << ": " << error_text(opened);
      const auto found = static_cast<int>(look.store->installed());
      ASSERT_TRUE(found == done || found == begun || found == done + 1) << "seed " << seed << ": " << found << " of " << done << ".." << begun;
      ASSERT_EQ(scan_all(*look.store).value(), states[static_cast<size_t>(found)]) << "seed " << seed;
      done = found;
    }
  }
}

TEST(Crash, AfterOneFailedOperationTheStoreGoesOnOrSaysSoAndReopens) {
  const auto states = expected_states();
  int went_on = 0, reopened = 0;
  uint64_t operation = 1;
  for (bool finished = false; !finished; ++operation) {
    SimulatedStore store;
    store.disk->fail_at(operation);
    if (!store.open()) {
      ASSERT_TRUE(store.open()) << operation;
    }
    for (int number = 1; number <= kCheckpoints; ++number) {
      for (const auto& [key, value] : changes(number)) store.store->put(key, value);
      for (const std::string& key : removals(number)) store.store->remove(key);
      store.store->seal();
      if (const auto first = store.store->install(); !first) {
        ASSERT_EQ(scan_all(*store.store).value(), states[static_cast<size_t>(number) - 1]) << operation << ": " << error_text(first);
        store.store->seal();
        const auto second = store.store->install();
        if (second) ++went_on;
        if (!second) {
          ++reopened;
          const auto opened = store.open();
          ASSERT_TRUE(opened) << operation << ": " << error_text(first) << "; " << error_text(second) << "; " << error_text(opened);
          if (store.store->installed() < static_cast<uint64_t>(number)) {
            ASSERT_TRUE(checkpoint(*store.store, changes(number), removals(number)));
          }
        }
      }
      ASSERT_EQ(scan_all(*store.store).value(), states[static_cast<size_t>(number)]) << operation;
    }
    finished = store.disk->operations() < operation;
    const auto opened = store.open();
    ASSERT_TRUE(opened) << operation << ": " << error_text(opened);
    ASSERT_EQ(scan_all(*store.store).value(), states.back()) << operation;
  }
  EXPECT_GT(went_on, 10);
}

TEST(Crash, AFullDiskIsReportedAndPassesOnceThereIsSpace) {
  const auto states = expected_states();
  SimulatedStore measure;
  int begun = 0;
  ASSERT_EQ(run(measure, begun), kCheckpoints);
  const uint64_t most = measure.disk->used_bytes() + 4096;
  int refused = 0;
  for (uint64_t capacity = 200; capacity < most; capacity += 97) {
    SimulatedStore store;
    ASSERT_TRUE(store.open());
    store.disk->set_capacity(store.disk->used_bytes() + capacity);
    for (int number = 1; number <= kCheckpoints; ++number) {
      for (const auto& [key, value] : changes(number)) store.store->put(key, value);
      for (const std::string& key : removals(number)) store.store->remove(key);
      store.store->seal();
      if (const auto result = store.store->install(); !result) {
        ++refused;
        ASSERT_EQ(result.error().kind, ErrorClass::kRetry) << capacity << ": " << result.error().message;
        ASSERT_NE(result.error().message.find("disk full"), std::string::npos);
        ASSERT_EQ(scan_all(*store.store).value(), states[static_cast<size_t>(number) - 1]) << capacity;
        store.disk->set_capacity(0);
        store.store->seal();
        const auto again = store.store->install();
        ASSERT_TRUE(again) << capacity << ": " << again.error().message;
      }
      ASSERT_EQ(scan_all(*store.store).value(), states[static_cast<size_t>(number)]) << capacity;
    }
    store.disk->set_capacity(0);
    ASSERT_TRUE(store.open());
    ASSERT_EQ(scan_all(*store.store).value(), states.back()) << capacity;
  }
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace segue::rocks
