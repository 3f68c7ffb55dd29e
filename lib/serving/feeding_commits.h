// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lib/pipeline/commit_port.h"
#include "lib/serving/transition_feed.h"

namespace segue::serving {

// Between a pipeline and its commit port: puts the transitions of each commit into the feed once it is settled. It opens and closes the partition's
// stream there. One thread at a time, as every CommitPort.
class FeedingCommits final : public pipeline::CommitPort {
 public:
  // Port and feed outlive it.
  FeedingCommits(pipeline::CommitPort& port, TransitionFeed& feed, int32_t partition, std::shared_ptr<TransitionArchive> archive)
      : port_(port), feed_(feed), partition_(partition), archive_(std::move(archive)) {}
  ~FeedingCommits() override;

  Result<> for_each_since(uint64_t sequence, uint64_t hint, const Visit& visit) override;
  Result<> submit(pipeline::Commit& commit) override;
  Result<bool> settled() override;
  Result<> wait() override;
  uint64_t journal_hint() const override;

  // Opens the stream, which ends at `stream_end` bytes: all that was committed. The first submit() does it otherwise.
  void begin(uint64_t stream_end);

 private:
  void publish();

  pipeline::CommitPort& port_;
  TransitionFeed& feed_;
  const int32_t partition_;
  const std::shared_ptr<TransitionArchive> archive_;
  bool begun_ = false;
  std::string in_flight_;
};

}  // namespace segue::serving
