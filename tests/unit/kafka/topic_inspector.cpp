// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/topic_inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::array<TopicSettings, kTopics> sound() {
  std::array<TopicSettings, kTopics> settings;
  for (TopicSettings& one : settings) one = {"delete", milliseconds{1000}, -1, 1'048'588, "LogAppendTime"};
  return settings;
}
TopicSettings& of(std::array<TopicSettings, kTopics>& settings, Topic topic) { return settings[static_cast<size_t>(topic)]; }

TEST(TopicConcerns, SoundTopicsRaiseNone) { EXPECT_THAT(concerns_about(sound(), {}), IsEmpty()); }

TEST(TopicConcerns, UnknownSettingsRaiseNone) { EXPECT_THAT(concerns_about({}, {}), IsEmpty()); }

TEST(TopicConcerns, ACompactedJournalLosesCommits) {
  auto settings = sound();
  of(settings, Topic::kJournal).cleanup_policy = "compact,delete";
  EXPECT_THAT(concerns_about(settings, {}), ElementsAre(HasSubstr("segue.journal is compacted")));
}

TEST(TopicConcerns, TheJournalOutlivesTheInput) {
  auto settings = sound();
  of(settings, Topic::kInput).retention = milliseconds{-1};
  EXPECT_THAT(concerns_about(settings, {}), ElementsAre(HasSubstr("kept for a shorter time than events")));
  of(settings, Topic::kJournal).retention = milliseconds{-1};
  EXPECT_THAT(concerns_about(settings, {}), IsEmpty());
  of(settings, Topic::kJournal).retention_bytes = 1'000'000;
  EXPECT_THAT(concerns_about(settings, {}), ElementsAre(HasSubstr("retention.bytes")));
}

TEST(TopicConcerns, AProducersClockIsNoAppendTime) {
  auto settings = sound();
  of(settings, Topic::kInput).timestamp_type = "CreateTime";
  EXPECT_THAT(concerns_about(settings, {}), ElementsAre(HasSubstr("CreateTime")));
}

}  // namespace
}  // namespace segue::kafka
