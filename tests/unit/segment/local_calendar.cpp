// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/local_calendar.h"

#include <gtest/gtest.h>

#include "lib/segment/lexer.h"
#include "tests/unit/segment/scenario.h"

namespace segue::segment {
namespace {

using std::chrono::hours;

LocalCalendar load(const std::string& zone) {
  const auto calendar = LocalCalendar::load(zone);
  EXPECT_TRUE(calendar.has_value());
  return calendar.value_or(LocalCalendar());
}

TEST(LocalCalendar, KnowsZonesByTheirIanaNames) {
  EXPECT_TRUE(LocalCalendar::load("Asia/Shanghai").has_value());
  EXPECT_FALSE(LocalCalendar::load("Beijing").has_value());
  EXPECT_FALSE(LocalCalendar::load("").has_value());
  EXPECT_EQ(LocalCalendar().zone(), "UTC");
}

TEST(LocalCalendar, ADayHoldsUntilMidnightOrTheNextChangeOfOffset) {
  const LocalCalendar berlin = load("Europe/Berlin");
  // 2024-03-31: midnight at 23:00Z of the day before, the clock goes forward at 01:00Z, the next midnight is at 22:00Z.
  const Time midnight = Scenario::at(1711839600);
  EXPECT_EQ(berlin.day_holds_until(midnight - Duration{1}), midnight);
  EXPECT_EQ(berlin.day_holds_until(midnight), midnight + hours{2});
  EXPECT_EQ(berlin.day_holds_until(midnight + hours{2}), midnight + hours{23});
  EXPECT_EQ(berlin.day(midnight - Duration{1}) + std::chrono::days{1}, berlin.day(midnight));
  EXPECT_EQ(berlin.day(midnight + hours{23}) - std::chrono::days{1}, berlin.day(midnight));
}

TEST(LocalCalendar, EveryDayOfAYearHoldsAsLongAsItSays) {
  for (const std::string zone : {"Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Shanghai", "UTC"}) {
    const LocalCalendar calendar = load(zone);
    for (Time t = Scenario::at(1530000000); t < Scenario::at(1570000000); t += std::chrono::minutes{37}) {
      const Time until = calendar.day_holds_until(t);
      ASSERT_GT(until, t);
      ASSERT_EQ(calendar.day(until - Duration{1}), calendar.day(t)) << zone << " " << to_ms(t);
    }
  }
}

TEST(LocalCalendar, LocalTimesThatClocksSkipAreTheMomentOfTheSkip) {
  const LocalCalendar berlin = load("Europe/Berlin");
  const auto local = [](std::string_view text) {
    int64_t ms = 0;
    EXPECT_TRUE(parse_date(text, ms));
    return ms;
  };
  EXPECT_EQ(berlin.from_local(local("2024-03-31T01:59")), Scenario::at(1711846740));
  EXPECT_EQ(berlin.from_local(local("2024-03-31T02:30")), Scenario::at(1711846800));
  EXPECT_EQ(berlin.from_local(local("2024-03-31T03:00")), Scenario::at(1711846800));
  EXPECT_EQ(berlin.from_local(local("2024-10-27T02:30")), Scenario::at(1729989000));  // the first of the two
  EXPECT_EQ(load("Asia/Shanghai").from_local(local("2024-11-11")), Scenario::at(1731254400));
}

TEST(LocalCalendar, ALeapDaysBirthdayIsOnTheTwentyEighthInOtherYears) {
  const LocalCalendar utc;
  const YearlyDay leap = *find_yearly_day("2000-02-29");
  EXPECT_EQ(utc.days_until(leap, Scenario::at(1677542400)), 0);    // 2023-02-28
  EXPECT_EQ(utc.days_until(leap, Scenario::at(1709078400)), 1);    // 2024-02-28
  EXPECT_EQ(utc.days_until(leap, Scenario::at(1709251200)), 364);  // 2024-03-01 to 2025-02-28
}

TEST(LocalCalendar, AWeekMayLieInTwoYears) {
  const LocalCalendar utc;
  const Time tuesday = Scenario::at(1735603200);  // 2024-12-31; the week is 12-30 to 01-05
  EXPECT_TRUE(utc.falls_in_week(*find_yearly_day("01-05"), tuesday));
  EXPECT_FALSE(utc.falls_in_week(*find_yearly_day("01-06"), tuesday));
  EXPECT_TRUE(utc.falls_in_week(*find_yearly_day("12-30"), tuesday));
  EXPECT_TRUE(utc.falls_in_month(*find_yearly_day("12-01"), tuesday));
  EXPECT_FALSE(utc.falls_in_month(*find_yearly_day("01-01"), tuesday));
}

TEST(LocalCalendar, YearlyDaysAreDatesWithOrWithoutYear) {
  EXPECT_EQ(find_yearly_day("05-17")->day, 17u);
  EXPECT_EQ(find_yearly_day("1950-05-17")->month, 5u);
  EXPECT_EQ(find_yearly_day("1990-05-17T10:00"), std::nullopt);
  for (const std::string_view wrong : {"", "17.5.", "1990-13-01", "02-30", "5-17"}) EXPECT_EQ(find_yearly_day(wrong), std::nullopt) << wrong;
}

TEST(LocalCalendar, TablesThatDifferPrintDifferently) {
  std::string berlin;
  std::string paris;
  std::string shanghai;
  load("Europe/Berlin").print(berlin);
  load("Europe/Paris").print(paris);
  load("Asia/Shanghai").print(shanghai);
  EXPECT_NE(berlin, shanghai);
  EXPECT_NE(berlin, paris);
}

}  // namespace
}  // namespace segue::segment
