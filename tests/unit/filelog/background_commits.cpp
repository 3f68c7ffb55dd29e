// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/background_commits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "tests/unit/filelog/commit_fixture.h"

namespace segue::filelog {
namespace {

// A port that makes commits when it is told to.
class Gate final : public pipeline::CommitPort {
 public:
  Result<> for_each_since(uint64_t, uint64_t, const Visit&) override { return {}; }
  Result<> submit(pipeline::Commit& commit) override {
    std::unique_lock lock(mutex_);
    ++attempts_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    if (!answers_.empty()) {
      const Result<> answer = answers_.front();
      answers_.erase(answers_.begin());
      if (!answer) return answer;
    }
    made_.push_back(commit.record.sequence);
    lines_ += commit.outputs.transition_lines;
    commit.outputs.clear();
    return {};
  }
  Result<bool> settled() override { return true; }
  Result<> wait() override { return {}; }
  uint64_t journal_hint() const override { return 0; }

  void set_open(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  void answer(std::vector<Result<>> answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
  }
  void wait_for_attempts(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return attempts_ >= count; });
  }
  std::vector<uint64_t> made() {
    const std::lock_guard lock(mutex_);
    return made_;
  }
  std::string lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int attempts_ = 0;
  std::vector<Result<>> answers_;
  std::vector<uint64_t> made_;
  std::string lines_;
};

class Background : public testing::Test {
 protected:
  Background() : Background(std::chrono::milliseconds(0)) {}
  explicit Background(std::chrono::milliseconds retry) {
    auto gate = std::make_unique<Gate>();
    gate_ = gate.get();
    commits_ = std::make_unique<BackgroundCommits>(
        std::move(gate), [this] { ++told_; }, BackgroundCommits::Options{.retry = retry});
  }
  Result<> submit(uint64_t sequence) {
    pipeline::Commit commit;
    commit.record.sequence = sequence;
    commit.outputs.transition_lines = std::to_string(sequence) + "\n";
    auto submitted = commits_->submit(commit);
    EXPECT_EQ(commit.outputs.transition_lines.empty(), submitted.has_value()) << "old lines must not come back, refused ones must stay";
    return submitted;
  }

  Gate* gate_ = nullptr;
  std::atomic<int> told_{0};
  std::unique_ptr<BackgroundCommits> commits_;
};

TEST_F(Background, MakesACommitWhileItsOwnerGoesOn) {
  gate_->set_open(false);
  ASSERT_TRUE(submit(1));
  gate_->wait_for_attempts(1);
  EXPECT_EQ(commits_->settled(), false);
  EXPECT_GT(commits_->status().in_flight.count(), 0);
  gate_->set_open(true);
  ASSERT_TRUE(commits_->wait());
  EXPECT_EQ(commits_->settled(), true);
  EXPECT_EQ(gate_->made(), std::vector<uint64_t>{1});
  EXPECT_EQ(commits_->status().in_flight.count(), 0);
}

TEST_F(Background, MakesCommitsInTheirOrder) {
  for (uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(submit(i));
    ASSERT_TRUE(commits_->wait());
  }
  std::string lines;
  for (int i = 1; i <= 100; ++i) lines += std::to_string(i) + "\n";
  EXPECT_EQ(gate_->lines(), lines);
  uint64_t counted = 0;
  for (const uint64_t count : commits_->status().duration_buckets) counted += count;
  EXPECT_EQ(counted, 100u);
  commits_.reset();
  EXPECT_EQ(told_, 100);
}

TEST_F(Background, MakesACommitAgainThatFoundNoRoom) {
  const Result<> full = fail(ErrorClass::kRetry, "no space left");
  gate_->answer({full, full});
  ASSERT_TRUE(submit(1));
  ASSERT_TRUE(commits_->wait());
  EXPECT_EQ(gate_->lines(), "1\n");
  gate_->wait_for_attempts(3);
  EXPECT_EQ(commits_->status().error, "");
}

TEST_F(Background, TellsOfACommitThatWillNeverBe) {
  gate_->answer({fail(ErrorClass::kStop, "the disk is gone")});
  ASSERT_TRUE(submit(1));
  const auto waited = commits_->wait();
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().message, "the disk is gone");
  EXPECT_FALSE(commits_->settled());
  EXPECT_FALSE(submit(2));
  EXPECT_TRUE(gate_->made().empty());
}

class PatientBackground : public Background {
 protected:
  PatientBackground() : Background(std::chrono::hours(1)) {}
};

TEST_F(PatientBackground, IsWaitedForNoLongerThanTheDeadline) {
  gate_->answer({fail(ErrorClass::kRetry, "no space left")});
  ASSERT_TRUE(submit(1));
  gate_->wait_for_attempts(1);
  commits_->wait_no_longer_than(BackgroundCommits::Clock::now());
  const auto waited = commits_->wait();
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().kind, ErrorClass::kRetry);
  EXPECT_EQ(commits_->settled(), false);
  commits_.reset();  // must not wait for the hour
}

TEST(BackgroundCommits, WriteWhatTheFilesOfACommitLogHold) {
  MemoryFileSystem files;
  const auto lock = lock_directory(files, kDirectory);
  ASSERT_TRUE(lock);
  auto log = CommitLog::open(files, kDirectory, kShard);
  ASSERT_TRUE(log);
  BackgroundCommits commits(std::move(*log), nullptr, {});
  codec::JournalRecord last;
  for (uint64_t i = 1; i <= 20; ++i) {
    const CommitInput input = commit_input(i);
    pipeline::Commit commit;
    commit.record = journal_record(i);
    commit.record.sequence = i;
    const auto mark = [](uint64_t count, const std::string& bytes, uint64_t before) {
      return codec::OutputMark{count, bytes.empty() ? 0 : hash64(bytes), before + bytes.size()};
    };
    commit.record.transitions = mark(input.transition_count, input.transitions, last.transitions.length);
    commit.record.dead_letters = mark(input.dead_letter_count, input.dead_letters, last.dead_letters.length);
    commit.outputs.transition_lines = input.transitions;
    commit.outputs.dead_letter_lines = input.dead_letters;
    last = commit.record;
    ASSERT_TRUE(commits.submit(commit));
    ASSERT_TRUE(commits.wait());
  }
  uint64_t seen = 0;
  ASSERT_TRUE(commits.for_each_since(5, 0, [&](const codec::JournalRecord& record, uint64_t) -> Result<> {
    EXPECT_EQ(record.sequence, 6 + seen++);
    return {};
  }));
  EXPECT_EQ(seen, 15u);
  EXPECT_EQ(files.content(kDirectory + "/transitions/" + kShard + ".ndjson")->size(), last.transitions.length);
}

}  // namespace
}  // namespace segue::filelog
