// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lib/pipeline/commit_port.h"

namespace segue::behaviour {

// Commits in memory: the outputs as they were told, and the journal.
class MemoryCommits final : public pipeline::CommitPort {
 public:
  Result<> for_each_since(uint64_t sequence, uint64_t /*hint*/, const Visit& visit) override {
    for (const codec::JournalRecord& record : journal_)
      if (record.sequence > sequence) SEGUE_TRY(visit(record, 0));
    return {};
  }
  Result<> submit(pipeline::Commit& commit) override {
    transitions_ += commit.outputs.transition_lines;
    dead_letters_ += commit.outputs.dead_letter_lines;
    journal_.push_back(commit.record);
    commit.outputs.clear();
    return {};
  }
  Result<bool> settled() override { return true; }
  Result<> wait() override { return {}; }
  uint64_t journal_hint() const override { return 0; }

  const std::string& transitions() const { return transitions_; }
  const std::string& dead_letters() const { return dead_letters_; }
  std::vector<codec::JournalRecord>& journal() { return journal_; }

 private:
  std::string transitions_;
  std::string dead_letters_;
  std::vector<codec::JournalRecord> journal_;
};

}  // namespace segue::behaviour
