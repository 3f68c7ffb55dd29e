// SPDX-License-Identifier: Apache-2.0
#include "lib/serving/feeding_commits.h"

#include <gtest/gtest.h>

#include "tests/unit/pipeline/pipeline_fixture.h"

namespace segue::serving {
namespace {

class Feeding : public testing::Test {
 protected:
  void submit(const std::string& lines) {
    pipeline::Commit commit;
    commit.record.sequence = port_.records.size() + 1;
    commit.record.transitions = {1, 0, port_.transitions.size() + lines.size()};
    commit.outputs.transition_lines = lines;
    ASSERT_TRUE(commits_.submit(commit));
  }
  std::string told() {
    std::string all;
    EXPECT_TRUE(feed_.read(cursor_, 1000, [&](const TransitionFeed::Line& line) { all += line.text; }));
    return all;
  }

  pipeline::MemoryCommits port_;
  TransitionFeed feed_;
  FeedingCommits commits_{port_, feed_, 0, nullptr};
  FeedCursor cursor_ = feed_.end();
};

TEST_F(Feeding, TellsACommitOnceItIsSettled) {
  port_.delay = 1;
  submit("a\n");
  EXPECT_EQ(told(), "");
  ASSERT_FALSE(*commits_.settled());
  EXPECT_EQ(told(), "");
  ASSERT_TRUE(*commits_.settled());
  EXPECT_EQ(told(), "a");
  ASSERT_TRUE(*commits_.settled());
  EXPECT_EQ(told(), "") << "once";
}

TEST_F(Feeding, TellsWhatWasWaitedFor) {
  port_.delay = 100;
  submit("a\n");
  ASSERT_TRUE(commits_.wait());
  EXPECT_EQ(told(), "a");
}

TEST_F(Feeding, OpensTheStreamWhereItStands) {
  EXPECT_TRUE(feed_.end().empty());
  port_.transitions = "before\n";  // of an earlier life
  port_.delay = 1;
  submit("a\n");
  EXPECT_EQ(feed_.end(), (FeedCursor{{0, 7}}));
  ASSERT_TRUE(commits_.wait());
  EXPECT_EQ(feed_.end(), (FeedCursor{{0, 9}}));
  FeedingCommits later(port_, feed_, 1, nullptr);
  later.begin(100);
  later.begin(200);
  EXPECT_EQ(feed_.end(), (FeedCursor{{0, 9}, {1, 100}}));
}

TEST_F(Feeding, TellsNothingOfACommitThatWasRefused) {
  port_.fail_from = 1;
  pipeline::Commit commit;
  commit.record.sequence = 1;
  commit.outputs.transition_lines = "a\n";
  EXPECT_FALSE(commits_.submit(commit));
  EXPECT_EQ(commit.outputs.transition_lines, "a\n");
  ASSERT_TRUE(commits_.settled());
  EXPECT_EQ(told(), "");
}

}  // namespace
}  // namespace segue::serving
