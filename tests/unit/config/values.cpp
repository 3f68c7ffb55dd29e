// SPDX-License-Identifier: Apache-2.0
#include "lib/config/values.h"

#include <gtest/gtest.h>

namespace segue::config {
namespace {

TEST(Values, CountsAreDigits) {
  EXPECT_EQ(parse_count("0"), 0u);
  EXPECT_EQ(parse_count("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "1.5", "1e6", "1_000", "0x10", "18446744073709551616", "one", "5MiB"})
    EXPECT_FALSE(parse_count(text)) << text;
}

TEST(Values, SizesAreBytesOrHaveABinaryUnit) {
  EXPECT_EQ(parse_size("65536"), 65536u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("8MiB"), 8u << 20);
  EXPECT_EQ(parse_size("1GiB"), 1u << 30);
  EXPECT_EQ(parse_size("2TiB"), uint64_t{2} << 40);
  for (const char* text : {"", "MiB", "8 MiB", "8MB", "8M", "8mib", "1.5GiB", "-1KiB", "18014398509481984KiB", "99999999999TiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Values, DurationsNeedAUnit) {
  EXPECT_EQ(parse_duration("250ms"), 250u);
  EXPECT_EQ(parse_duration("10s"), 10'000u);
  EXPECT_EQ(parse_duration("5m"), 300'000u);
  EXPECT_EQ(parse_duration("1h"), 3'600'000u);
  EXPECT_EQ(parse_duration("7d"), 604'800'000u);
  for (const char* text : {"", "0", "10", "s", "10 s", "10sec", "1.5s", "1h30m", "-1s", "10S", "184467440737095517s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Values, ArePrintedInTheLargestUnitThatFits) {
  EXPECT_EQ(print_size(0), "0");
  EXPECT_EQ(print_size(1000), "1000");
  EXPECT_EQ(print_size(1536), "1536");
  EXPECT_EQ(print_size(65536), "64KiB");
  EXPECT_EQ(print_size(uint64_t{1} << 40), "1TiB");
  EXPECT_EQ(print_duration(0), "0ms");
  EXPECT_EQ(print_duration(1500), "1500ms");
  EXPECT_EQ(print_duration(90'000), "90s");
  EXPECT_EQ(print_duration(86'400'000), "1d");
  for (const uint64_t number : {0u, 1u, 999u, 1000u, 1024u, 61'000u, 3'600'000u, 1u << 20}) {
    EXPECT_EQ(parse_size(print_size(number)), number);
    EXPECT_EQ(parse_duration(print_duration(number)), number);
  }
}

TEST(Values, DistanceCountsInsertionsDeletionsExchangesAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("brokers", "brokers"), 0u);
  EXPECT_EQ(edit_distance("broker", "brokers"), 1u);
  EXPECT_EQ(edit_distance("borkers", "brokers"), 1u);
  EXPECT_EQ(edit_distance("brakers", "brokers"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace segue::config
