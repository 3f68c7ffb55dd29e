// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/partition_commits.h"

#include <utility>

#include "lib/kafka/committer.h"

namespace segue::kafka {

PartitionCommits::PartitionCommits(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PartitionCommits::~PartitionCommits() = default;

Result<std::unique_ptr<PartitionCommits>> PartitionCommits::open(const ClientOptions& client, PartitionCommitsOptions options) {
  auto impl = std::make_unique<Impl>(client, std::move(options));
  SEGUE_TRY(impl->open());
  return std::unique_ptr<PartitionCommits>(new PartitionCommits(std::move(impl)));
}

Result<> PartitionCommits::for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) {
  return impl_->for_each_since(sequence, hint, visit);
}
Result<> PartitionCommits::submit(pipeline::Commit& commit) { return impl_->submit(commit); }
Result<bool> PartitionCommits::settled() { return impl_->settled(); }
Result<> PartitionCommits::wait() { return impl_->wait(); }
uint64_t PartitionCommits::journal_hint() const { return impl_->journal_hint(); }
void PartitionCommits::cancel() { impl_->cancel(); }
CommitStatus PartitionCommits::status() const { return impl_->status(); }

}  // namespace segue::kafka
