// SPDX-License-Identifier: Apache-2.0
#include "lib/shard/user_table.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_map>

#include "lib/base/hash.h"

namespace segue::shard {
namespace {

UserNumber find(const UserTable& users, std::string_view id) { return users.find(id, hash64(id)); }

TEST(UserTable, NumbersUsersInTheOrderOfTheirAddition) {
  UserTable users;
  EXPECT_EQ(users.add("乙", hash64("乙")), 0u);
  EXPECT_EQ(users.add("甲", hash64("甲")), 1u);
  EXPECT_EQ(find(users, "甲"), 1u);
  EXPECT_EQ(users.id(0), "乙");
  EXPECT_EQ(find(users, "丙"), kNoUser);
}

TEST(UserTable, TellsIdsWithTheSameHashApart) {
  UserTable users;
  const uint64_t hash = 42;
  const UserNumber a = users.add("a", hash);
  EXPECT_EQ(users.find("b", hash), kNoUser);
  const UserNumber b = users.add("b", hash);
  EXPECT_EQ(users.find("a", hash), a);
  EXPECT_EQ(users.find("b", hash), b);
}

TEST(UserTable, NeverGivesANumberTwice) {
  UserTable users;
  users.add("a", hash64("a"));
  users.erase(0);
  EXPECT_EQ(find(users, "a"), kNoUser);
  EXPECT_EQ(users.size(), 0u);
  EXPECT_EQ(users.add("a", hash64("a")), 1u);
}

TEST(UserTable, AnErasedIdIsGoneFromMemory) {
  UserTable users;
  users.add("someone@example.com", hash64("someone@example.com"));
  const std::string_view id = users.id(0);
  users.erase(0);
  EXPECT_EQ(id.find("someone"), std::string_view::npos);
}

TEST(UserTable, RestoredNumbersKeepTheirGaps) {
  UserTable users;
  users.restore("late", hash64("late"), 70'000);
  EXPECT_EQ(users.next_number(), 70'001u);
  EXPECT_EQ(users.size(), 1u);
  EXPECT_EQ(find(users, "late"), 70'000u);
  EXPECT_EQ(users.id(5), "");
}

TEST(UserTable, AgreesWithAMapOverRandomHistories) {
  std::mt19937_64 random(7);
  UserTable users;
  std::unordered_map<std::string, UserNumber> expected;
  for (int step = 0; step < 200'000; ++step) {
    const std::string id = "u" + std::to_string(random() % 60'000);
    const auto known = expected.find(id);
    ASSERT_EQ(find(users, id), known == expected.end() ? kNoUser : known->second);
    if (known == expected.end()) {
      expected[id] = users.add(id, hash64(id));
    } else if (random() % 4 == 0) {
      users.erase(known->second);
      expected.erase(known);
    }
  }
  EXPECT_EQ(users.size(), expected.size());
}

}  // namespace
}  // namespace segue::shard
