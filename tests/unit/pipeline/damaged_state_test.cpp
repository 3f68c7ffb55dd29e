// SPDX-License-Identifier: Apache-2.0
// State whose bytes pass every checksum and yet cannot be: an error says so, nothing aborts.
#include <gtest/gtest.h>

#include <cstring>

#include "lib/codec/state_keys.h"
#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::pipeline {
namespace {

using event::EventType;

// The header of docs/formats/page.md: version, user number, deadline, stage.
constexpr size_t kNumberAt = 1;
constexpr size_t kDeadlineAt = 5;
constexpr size_t kStageAt = 13;

class DamagedState : public testing::Test {
 protected:
  void SetUp() override {
    log_.add("a", EventType::kPurchase, kStart);
    log_.add("b", EventType::kPurchase, kStart + kDay);
    ASSERT_TRUE(live(*make_pipeline({}, files_), files_, log_, 0, {}));
  }
  template <class Word>
  void write(const std::string& user, size_t at, Word word) {
    std::string key;
    codec::make_page_key(user, key);
    std::memcpy(files_.store.values.at(key).data() + at, &word, sizeof word);
  }
  void expect_refusal() {
    const auto pipeline = make_pipeline({}, files_);
    auto recovered = pipeline->recover();
    if (recovered) recovered = pipeline->own(files_.commits);
    ASSERT_FALSE(recovered);
    EXPECT_EQ(recovered.error().kind, ErrorClass::kData) << recovered.error().message;
  }
  void change_meta(const std::function<void(codec::ShardMeta&)>& change) {
    std::string& bytes = files_.store.values.at(std::string(codec::kMetaKey));
    auto meta = codec::decode_shard_meta(bytes);
    ASSERT_TRUE(meta);
    change(*meta);
    bytes.clear();
    codec::encode(*meta, bytes);
  }

  TestLog log_;
  ShardFiles files_;
};

TEST_F(DamagedState, OfAnUnknownStageIsRefused) {
  write("a", kStageAt, uint32_t{12345});
  expect_refusal();
}

TEST_F(DamagedState, OfAnotherPositionThanItsCommitIsRefused) {
  change_meta([](codec::ShardMeta& meta) { meta.position = TestLog::at(1); });
  expect_refusal();
}

TEST_F(DamagedState, OfAnotherClockThanItsCommitIsRefused) {
  change_meta([](codec::ShardMeta& meta) { meta.high += kDay; });
  expect_refusal();
}

TEST_F(DamagedState, AheadOfTheJournalIsRefused) {
  change_meta([](codec::ShardMeta& meta) { ++meta.sequence; });
  expect_refusal();
}

TEST_F(DamagedState, WithOneNumberForTwoUsersIsRefused) {
  write("b", kNumberAt, uint32_t{0});
  expect_refusal();
}

TEST_F(DamagedState, WithAUserNumberThatWasNotGivenIsRefused) {
  write("b", kNumberAt, uint32_t{2});
  expect_refusal();
}

TEST_F(DamagedState, WithTheLastOfAllUserNumbersIsRefused) {
  write("b", kNumberAt, uint32_t{UINT32_MAX});
  expect_refusal();
}

TEST_F(DamagedState, WithADeadlineThatHasPassedIsRefused) {
  write("a", kDeadlineAt, int64_t{INT64_MIN});
  expect_refusal();
}

TEST_F(DamagedState, WithCountsOfOtherDefinitionsIsRefused) {
  change_meta([](codec::ShardMeta& meta) { meta.totals.moves.clear(); });
  expect_refusal();
}

}  // namespace
}  // namespace segue::pipeline
