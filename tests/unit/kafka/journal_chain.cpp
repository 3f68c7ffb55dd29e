// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/journal_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/kafka/committer.h"

namespace segue::kafka {
namespace {

using testing::HasSubstr;

codec::JournalRecord commit(uint64_t sequence, uint64_t from, uint64_t to) {
  codec::JournalRecord record;
  record.sequence = sequence;
  record.previous = {from, from};
  record.next = {to, to};
  return record;
}

std::string encoded(const codec::JournalRecord& record) {
  std::string bytes;
  codec::encode(record, bytes);
  return bytes;
}

Record as_read(std::string_view key, std::string_view value, uint64_t offset) { return {key, value, offset}; }

TEST(JournalChain, PassesOverOtherShards) {
  JournalChain chain("shop", 1);
  const auto other = chain.take(as_read("shop-11", "not even a record", 5));
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(other->has_value());
  EXPECT_FALSE(chain.last().has_value());
}

TEST(JournalChain, FollowsSequenceAndPosition) {
  JournalChain chain("shop", 1);
  ASSERT_TRUE(chain.take(as_read("shop-1", encoded(commit(7, 10, 20)), 3)).has_value()) << "it may begin anywhere";
  ASSERT_TRUE(chain.take(as_read("shop-1", encoded(commit(8, 20, 25)), 5)).has_value());
  EXPECT_EQ(chain.last()->sequence, 8u);
  EXPECT_EQ(chain.last_offset(), 5u);
  const auto repeated = chain.take(as_read("shop-1", encoded(commit(8, 20, 25)), 7));
  ASSERT_FALSE(repeated.has_value());
  EXPECT_EQ(repeated.error().kind, ErrorClass::kData);
  EXPECT_THAT(repeated.error().message, HasSubstr("at offset 7: sequence 8 does not follow 8"));
  const auto elsewhere = chain.take(as_read("shop-1", encoded(commit(9, 26, 30)), 8));
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_THAT(elsewhere.error().message, HasSubstr("begins at input offset 26, the commit before it ended at 25"));
}

TEST(JournalChain, RefusesBytesThatAreNoRecord) { EXPECT_FALSE(JournalChain("shop", 1).take(as_read("shop-1", "?", 0)).has_value()); }

TEST(JournalVerdict, FindsTheCommitInDoubt) {
  const auto before = commit(1, 0, 10);
  const auto pending = commit(2, 10, 20);
  EXPECT_EQ(judge_journal(pending, before, &pending), JournalVerdict::kCommitted);
  EXPECT_EQ(judge_journal(before, before, &pending), JournalVerdict::kSendAgain);
  EXPECT_EQ(judge_journal({}, {}, &pending), JournalVerdict::kSendAgain) << "the first commit of all";
  EXPECT_EQ(judge_journal(before, before, nullptr), JournalVerdict::kSendAgain);
}

// The first commits of two owners are the same but for the key that each drew: the other's is in the journal, and not ours.
TEST(JournalVerdict, AFirstCommitWithAnotherErasureKeyIsAnotherOwners) {
  codec::JournalRecord ours = commit(1, 0, 10), theirs = ours;
  ours.erasure_key = "0123456789abcdef";
  theirs.erasure_key = "fedcba9876543210";
  EXPECT_EQ(judge_journal(theirs, {}, &ours), JournalVerdict::kForeign);
  EXPECT_EQ(judge_journal(ours, {}, &ours), JournalVerdict::kCommitted);
}

TEST(JournalVerdict, NoticesAnotherOwner) {
  const auto before = commit(1, 0, 10);
  const auto pending = commit(2, 10, 20);
  auto other = pending;
  other.transitions.checksum = 1;
  EXPECT_EQ(judge_journal(other, before, &pending), JournalVerdict::kForeign);
  EXPECT_EQ(judge_journal(commit(3, 20, 30), before, &pending), JournalVerdict::kForeign);
  EXPECT_EQ(judge_journal(pending, before, nullptr), JournalVerdict::kForeign);
  EXPECT_EQ(judge_journal(before, {}, &pending), JournalVerdict::kForeign);
  EXPECT_EQ(judge_journal({}, before, &pending), JournalVerdict::kForeign) << "the journal went back";
}

}  // namespace
}  // namespace segue::kafka
