// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lib/base/hash.h"
#include "lib/pipeline/commit_port.h"

namespace segue::behaviour {

// Commits in memory: the outputs as they were told, and the journal.
class MemoryCommits final : public pipeline::CommitPort {
 public:
  Result<> for_each_since(uint64_t sequence, const std::function<Result<>(const codec::JournalRecord&)>& visit) override {
    for (const codec::JournalRecord& record : journal_)
      if (record.sequence > sequence) SEGUE_TRY(visit(record));
    return {};
  }
  Result<> commit(const pipeline::CommitOutputs& outputs, codec::JournalRecord& record) override {
    record.sequence = journal_.size() + 1;
    transitions_ += outputs.transitions;
    dead_letters_ += outputs.dead_letters;
    record.transitions = mark(outputs.transition_count, outputs.transitions, transitions_.size());
    record.dead_letters = mark(outputs.dead_letter_count, outputs.dead_letters, dead_letters_.size());
    journal_.push_back(record);
    return {};
  }

  const std::string& transitions() const { return transitions_; }
  const std::string& dead_letters() const { return dead_letters_; }
  std::vector<codec::JournalRecord>& journal() { return journal_; }

 private:
  static codec::OutputMark mark(uint64_t count, std::string_view bytes, size_t length) { return {count, bytes.empty() ? 0 : hash64(bytes), length}; }

  std::string transitions_;
  std::string dead_letters_;
  std::vector<codec::JournalRecord> journal_;
};

}  // namespace segue::behaviour
