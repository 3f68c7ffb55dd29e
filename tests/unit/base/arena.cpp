// SPDX-License-Identifier: Apache-2.0
#include "lib/base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace segue {
namespace {

TEST(Arena, TextStaysInPlaceUntilCleared) {
  Arena arena;
  std::vector<std::string_view> copies;
  for (int i = 0; i < 50'000; ++i) copies.push_back(arena.copy("user-" + std::to_string(i)));
  for (int i = 0; i < 50'000; ++i) ASSERT_EQ(copies[static_cast<size_t>(i)], "user-" + std::to_string(i));
}

TEST(Arena, EveryAllocationIsAligned) {
  Arena arena;
  for (size_t i = 1; i < 200; ++i) {
    arena.copy(std::string(i % 7, 'x'));
    for (const size_t alignment : {size_t{1}, size_t{2}, size_t{8}, size_t{16}})
      EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.allocate(i, alignment)) % alignment, 0U);
  }
}

TEST(Arena, AllocationLargerThanABlockIsWhole) {
  Arena arena;
  arena.copy("before");
  const std::string large(300'000, 'x');
  const std::string_view copy = arena.copy(large);
  const std::string_view after = arena.copy("after");
  EXPECT_EQ(copy, large);
  EXPECT_EQ(after, "after");
}

TEST(Arena, ClearedMemoryIsUsedAgain) {
  Arena arena;
  const char* first = arena.allocate(100);
  for (int i = 0; i < 1000; ++i) arena.allocate(1000);
  const char* last = arena.allocate(1000);
  arena.clear();
  EXPECT_EQ(arena.allocate(100), first);
  for (int i = 0; i < 1000; ++i) arena.allocate(1000);
  EXPECT_EQ(arena.allocate(1000), last);
}

TEST(Arena, ArraysStartWithValuesOfTheirType) {
  struct Line {
    int quantity = 1;
    double price = 0;
  };
  Arena arena;
  const auto lines = arena.make_array<Line>(1000);
  ASSERT_EQ(lines.size(), 1000U);
  for (const Line& line : lines) EXPECT_EQ(line.quantity, 1);
  EXPECT_TRUE(arena.make_array<Line>(0).empty());
}

TEST(Arena, EmptyTextNeedsNoMemory) {
  Arena arena;
  EXPECT_EQ(arena.copy(""), "");
}

}  // namespace
}  // namespace segue
