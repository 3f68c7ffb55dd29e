// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/iso_time.h"

#include <gtest/gtest.h>

namespace segue::codec {
namespace {

int64_t ms(std::string_view text) {
  const auto time = parse_iso_time(text);
  return time ? to_ms(*time) : -1;
}

TEST(IsoTime, FormsOfTrackingLibrariesAreRead) {
  constexpr int64_t kWanted = 1'795'289'943'339;
  for (const std::string_view text :
       {"2026-11-21T19:39:03.339Z", "2026-11-21T19:39:03.339+00:00", "2026-11-21T19:39:03.339123Z", "2026-11-22T03:39:03.339999999+08:00",
        "2026-11-22T03:39:03,339+0800", "2026-11-21 14:39:03.339-05", "2026-11-21t19:39:03.339z", "2026-11-21T19:39:03.339"})
    EXPECT_EQ(ms(text), kWanted) << text;
  EXPECT_EQ(ms("2026-11-21T19:39:03Z"), 1'795'289'943'000);
  EXPECT_EQ(ms("2026-11-21T19:39Z"), 1'795'289'940'000);
  EXPECT_EQ(ms("2026-11-21"), 1'795'219'200'000);
  EXPECT_EQ(ms("2026-11-21T19:39:03.3Z"), 1'795'289'943'300);
}

TEST(IsoTime, AnythingElseIsNone) {
  for (const std::string_view text :
       {"", "now", "2026-11-21T", "2026-11-21T19", "2026-11-21T19:39:03.Z", "2026-02-30T00:00:00Z", "2026-13-01", "2026-11-21T24:00:00Z",
        "2026-11-21T19:60:00Z", "2026-11-21T19:39:61Z", "2026-11-21T19:39:03Zx", "2026-11-21T19:39:03+8", "2026-11-21T19:39:03+24:00", "26-11-21",
        "2026-11-21X19:39:03Z", "2026-11-21T19:39:03+08:0", "+2026-11-21T19:39:03Z"})
    EXPECT_FALSE(parse_iso_time(text)) << text;
}

}  // namespace
}  // namespace segue::codec
