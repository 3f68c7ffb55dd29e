// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "lib/serving/shard_directory.h"
#include "lib/serving/shard_reader.h"

namespace segue::api {

// Calls `read` as a Read of the partition's shard; with null, at once, where the shard is not here or takes no more.
inline void ask_shard(const serving::ShardDirectory& directory, int32_t partition, serving::Read read) {
  const auto mailbox = directory.local(partition);
  // post() leaves us nothing to call when it refuses.
  auto shared = std::make_shared<serving::Read>(std::move(read));
  if (!mailbox || !mailbox->post([shared](serving::ShardReader* reader) { return (*shared)(reader); })) (*shared)(nullptr);
}

// The parts of an answer that several shards give, each at its own time on its own thread. Part: what one shard says.
template <class Part>
class Gathering : public std::enable_shared_from_this<Gathering<Part>> {
 public:
  // Fills the part; true when it is done, as a Read is.
  using Ask = std::function<bool(serving::ShardReader& reader, Part& part)>;
  // The parts in the order of the partitions that were asked; empty where a shard did not answer. Called once, by whoever is last.
  using Done = std::function<void(std::vector<std::optional<Part>> parts)>;

  // `parts`: what each begins with, one for each partition.
  static void run(const serving::ShardDirectory& directory, const std::vector<int32_t>& partitions, std::vector<Part> parts, Ask ask, Done done) {
    if (partitions.empty()) return done({});
    const auto self = std::shared_ptr<Gathering>(new Gathering(std::move(parts), std::move(ask), std::move(done)));
    for (size_t i = 0; i < partitions.size(); ++i)
      ask_shard(directory, partitions[i], [self, i](serving::ShardReader* reader) {
        if (reader != nullptr && !self->ask_(*reader, self->parts_[i])) return false;
        self->finish(i, reader != nullptr);
        return true;
      });
  }

 private:
  Gathering(std::vector<Part> parts, Ask ask, Done done)
      : parts_(std::move(parts)), ask_(std::move(ask)), done_(std::move(done)), answered_(parts_.size()), left_(parts_.size()) {}

  void finish(size_t i, bool answered) {
    {
      const std::lock_guard lock(mutex_);
      answered_[i] = answered;
      if (--left_ != 0) return;
    }
    std::vector<std::optional<Part>> parts(parts_.size());
    for (size_t p = 0; p < parts_.size(); ++p)
      if (answered_[p]) parts[p] = std::move(parts_[p]);
    done_(std::move(parts));
  }

  std::vector<Part> parts_;  // each written by its shard alone
  const Ask ask_;
  const Done done_;
  std::mutex mutex_;
  std::vector<bool> answered_;  // guarded by mutex_
  size_t left_;                 // guarded by mutex_
};

}  // namespace segue::api
