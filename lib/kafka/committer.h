// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lib/kafka/journal_reader.h"
#include "lib/kafka/partition_commits.h"
#include "lib/kafka/transaction_producer.h"

namespace segue::kafka {

// What the journal says about a commit in doubt.
enum class JournalVerdict : uint8_t {
  kCommitted,  // our pending record is the last one
  kSendAgain,  // the one before it is
  kForeign,    // anything else: another owner has gone on
};
// `last`: the journal's last record. `settled`: the last one that we know of; empty when we know that there is none. `pending`: null when nothing is
// in flight: kSendAgain then means that all is as we know it.
JournalVerdict judge_journal(const std::optional<codec::JournalRecord>& last, const std::optional<codec::JournalRecord>& settled,
                             const codec::JournalRecord* pending);

// The thread behind PartitionCommits and its rules: docs/adr/0006-commit-protocol.md.
class PartitionCommits::Impl {
 public:
  Impl(const ClientOptions& client, PartitionCommitsOptions options);
  ~Impl();
  Result<> open();

  Result<> for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit);
  Result<> submit(pipeline::Commit& commit);
  Result<bool> settled();
  Result<> wait();
  uint64_t journal_hint() const { return journal_hint_.load(std::memory_order_relaxed); }
  void cancel();
  CommitStatus status() const;

 private:
  using Clock = std::chrono::steady_clock;

  TransactionProducer::Options producer_options();
  JournalReading reading_from(uint64_t offset) const;

  // On the committer's thread.
  void run();
  void make_commit();
  bool take_result(const AttemptResult& result, bool with_offsets);
  JournalVerdict recycle(const codec::JournalRecord* pending);
  JournalVerdict judge(const codec::JournalRecord* pending, TransactionProducer* fresh);
  bool still_ours();
  bool is_doubtful() const;
  std::shared_ptr<const GroupMembership::Identity> identity();
  void settle(std::optional<uint64_t> journal_offset, bool found_in_journal);
  void stop(Error error);
  void stop_fenced(std::string reason);
  void give_more_time(const AttemptResult& result, Clock::duration took);
  void note_waiting(const Error& error);
  void pause(const Error& error, std::chrono::milliseconds longest);
  void set_state(CommitState state);
  std::string another_owner() const;
  template <class Change>
  void count(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
  }

  const ClientOptions client_;
  const PartitionCommitsOptions options_;
  const std::string id_;  // transactional.id
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> idle_{true};
  std::atomic<uint64_t> journal_hint_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> error_;  // under mutex_, as what follows: the end of this port
  CommitStatus status_;
  Clock::time_point submitted_{};

  // The owner's while idle_, else the committer's.
  pipeline::Commit commit_;
  std::optional<codec::JournalRecord> last_;  // settled; without texts
  bool last_known_ = false;
  bool recycle_first_ = false;
  uint64_t refused_version_ = UINT64_MAX;  // of the membership whose offsets the group refused
  Clock::time_point refused_until_{};
  std::optional<uint64_t> found_offset_;  // of the journal's last record
  std::chrono::milliseconds backoff_{0};
  std::chrono::milliseconds attempt_;       // how long a transaction may take: longer after one that was too slow
  std::chrono::milliseconds most_attempt_;  // that the broker allows
  std::unique_ptr<TransactionProducer> producer_;

  std::thread thread_;
};

}  // namespace segue::kafka
