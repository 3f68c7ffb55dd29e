// SPDX-License-Identifier: Apache-2.0
#include "lib/profile/interest_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace segue::profile {
namespace {

struct Entry {
  uint64_t hash = 0;
  double weight = 0;
};

size_t find(const std::vector<Entry>& entries, uint64_t hash) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.hash == hash; });
  return found == entries.end() ? InterestList::kNotFound : static_cast<size_t>(found - entries.begin());
}

size_t lightest(const std::vector<Entry>& entries) {
  const auto least = std::min_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.weight < b.weight; });
  return static_cast<size_t>(least - entries.begin());
}

size_t heavier_than(const std::vector<Entry>& entries, size_t place) {
  size_t heavier = 0;
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].weight > entries[place].weight || (entries[i].weight == entries[place].weight && i < place)) ++heavier;
  return heavier;
}

// Few different weights, and hashes that differ above their low half only, so that ties and false finds come often.
TEST(InterestList, AnswersAsThePlainTableDoes) {
  std::mt19937_64 random(7);
  const auto some_hash = [&] { return random() % 3 << 32 | random() % 20; };
  const auto some_weight = [&] { return static_cast<double>(random() % 6) / 2; };
  for (int round = 0; round < 300; ++round) {
    InterestList list;
    std::vector<Entry> entries;
    for (size_t step = 0; step < 60; ++step) {
      const Entry entry{some_hash(), some_weight()};
      if (entries.size() < 19 && find(entries, entry.hash) == InterestList::kNotFound) {
        entries.push_back(entry);
        list.push(entry.hash, entry.weight);
      } else {
        const size_t place = random() % entries.size();
        entries[place].weight = entry.weight;
        list.set_weight(place, entry.weight);
        if (find(entries, entry.hash) == InterestList::kNotFound) {
          entries[place].hash = entry.hash;
          list.set(place, entry.hash, entry.weight);
        }
      }
      ASSERT_EQ(list.size(), entries.size());
      const uint64_t wanted = some_hash();
      ASSERT_EQ(list.find(wanted, [&](size_t i) { return entries[i].hash == wanted; }), find(entries, wanted));
      ASSERT_EQ(list.lightest(), lightest(entries));
      for (size_t place = 0; place < entries.size(); ++place) {
        ASSERT_EQ(list.weight(place), entries[place].weight);
        ASSERT_EQ(list.heavier_than(place), heavier_than(entries, place));
      }
    }
    list.clear();
    EXPECT_EQ(list.size(), 0U);
    EXPECT_EQ(list.find(entries[0].hash, [](size_t) { return true; }), InterestList::kNotFound);
  }
}

}  // namespace
}  // namespace segue::profile
