// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/collection.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace segue::rocks {
namespace {

using Entries = std::vector<std::pair<std::string, std::optional<std::string>>>;

Entries sorted(Collection& collection) {
  Entries entries;
  collection.sort();
  collection.visit([&](std::string_view key, std::optional<std::string_view> value) {
    entries.emplace_back(key, value);
    return true;
  });
  return entries;
}

TEST(Collection, TheLastCallForAKeyWins) {
  Collection collection;
  collection.put("b", "1");
  collection.put("a", "2");
  collection.put("b", "3");
  collection.remove("a");
  collection.remove("c");
  collection.put("c", "");
  EXPECT_EQ(sorted(collection), (Entries{{"a", std::nullopt}, {"b", "3"}, {"c", ""}}));
}

TEST(Collection, KeysAreInByteOrderWhateverTheirLength) {
  std::map<std::string, std::optional<std::string>> expected;
  Collection collection;
  std::mt19937 random(3);
  // Few letters, zero and 0xff among them, so that many keys share long beginnings and some are a beginning of others.
  const std::string letters("\0a\x7f\xff", 4);
  for (int i = 0; i < 20'000; ++i) {
    std::string key(random() % 2 == 0 ? "p" : "p-sixteen-bytes-");
    for (size_t more = random() % 20; more > 0; --more) key.push_back(letters[random() % letters.size()]);
    const std::string value = std::to_string(i);
    if (random() % 5 == 0) {
      collection.remove(key), expected[key] = std::nullopt;
    } else {
      collection.put(key, value), expected[key] = value;
    }
  }
  EXPECT_EQ(sorted(collection), Entries(expected.begin(), expected.end()));
}

TEST(Collection, GrowsAfterASortAndStartsAnewAfterClear) {
  Collection collection;
  collection.put("b", "1");
  EXPECT_EQ(sorted(collection), (Entries{{"b", "1"}}));
  collection.put("a", "2");
  collection.put("b", "3");
  EXPECT_EQ(sorted(collection), (Entries{{"a", "2"}, {"b", "3"}}));
  EXPECT_EQ(collection.bytes(), 6u);
  collection.clear();
  EXPECT_TRUE(collection.empty());
  EXPECT_EQ(collection.bytes(), 0u);
  collection.put("z", "");
  EXPECT_EQ(sorted(collection), (Entries{{"z", ""}}));
}

TEST(Collection, AVisitorThatReturnsFalseStopsTheVisit) {
  Collection collection;
  collection.put("a", "1");
  collection.put("b", "2");
  collection.sort();
  int visited = 0;
  EXPECT_FALSE(collection.visit([&](std::string_view, std::optional<std::string_view>) { return ++visited, false; }));
  EXPECT_EQ(visited, 1);
}

TEST(CollectionDeathTest, TheStoresOwnKeysAreRefused) {
  Collection collection;
  EXPECT_DEATH(collection.put(std::string_view("\0n", 2), "1"), "key.front");
  EXPECT_DEATH(collection.put("", "1"), "key.empty");
}

}  // namespace
}  // namespace segue::rocks
