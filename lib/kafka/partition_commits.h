// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "lib/base/result.h"
#include "lib/kafka/client_options.h"
#include "lib/kafka/commit_status.h"
#include "lib/kafka/defences.h"
#include "lib/kafka/group_membership.h"
#include "lib/pipeline/commit_port.h"

namespace segue::kafka {

struct PartitionCommitsOptions {
  int32_t partition = 0;
  // Who we are in the group, for the offsets that lag tools read, and for asking whether the partition is still ours before another owner is
  // fenced. Null: no offsets, and always ours.
  std::shared_ptr<const GroupMembership> membership;
  // Called by the committer's thread when a commit has settled or failed for good; must not block.
  std::function<void()> on_settled;
  // A transaction that takes longer is in doubt (docs/adr/0006-commit-protocol.md).
  std::chrono::milliseconds slow_commit{500};
  // How long one transaction may take before it is given up and its producer replaced: below transaction.timeout.ms (20 s), so that it is we who
  // decide and not the broker.
  std::chrono::milliseconds attempt{15'000};
  // For init_transactions, and for reading the journal while nothing comes, before the call fails as kRetry.
  std::chrono::milliseconds deadline{60'000};
  // Set when the process is to end: reading a long journal gives up (kStop). May be null.
  const std::atomic<bool>* ending = nullptr;
  Defences defences;
};

// One partition's outputs and journal as transactions of a producer that no other process can share: docs/adr/0006-commit-protocol.md,
// docs/formats/topics.md. A thread of its own makes the transaction while the owner works on the next batch.
//
// Errors: kStop when another instance owns the partition, or when a broker refuses for good; the commit in flight is then the next owner's, by
// replay. While a broker is away settled() stays false and the state says kRetrying: nothing is given up, and nothing more is taken.
class PartitionCommits final : public pipeline::CommitPort {
 public:
  // Makes the producer and fences every older one of this partition (init_transactions). Blocks, up to the deadline: not for a consumer's thread.
  // kRetry: a broker is away, call again.
  static Result<std::unique_ptr<PartitionCommits>> open(const ClientOptions& client, PartitionCommitsOptions options);
  // Gives up what is in flight (it may be committed or not; the next owner reads which). Ends within about a second.
  ~PartitionCommits() override;

  // Blocks, up to the deadline (kRetry). kStop when the journal no longer holds what follows `sequence`, or ends before it; kData for a broken
  // chain. Only while nothing is in flight.
  Result<> for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) override;
  // Its record must follow the last one seen by for_each_since or submit.
  Result<> submit(pipeline::Commit& commit) override;
  Result<bool> settled() override;
  Result<> wait() override;
  uint64_t journal_hint() const override;

  // From any thread: wait() and what is in flight end soon with kStop. For a process that must go.
  void cancel();
  // From any thread; takes a lock for a moment.
  CommitStatus status() const;

 private:
  class Impl;
  explicit PartitionCommits(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::kafka
