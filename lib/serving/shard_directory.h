// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/serving/shard_mailbox.h"

namespace segue::serving {

// Another process that has shards.
struct Instance {
  std::string name;
  std::string address;  // host:port of its API

  friend bool operator==(const Instance&, const Instance&) = default;
};

// Which partition has a user, and who has the partition. Any thread.
class ShardDirectory {
 public:
  // From user and number of partitions (at least 1) to the partition, as the log's writers choose it: log_partition() for embedded logs,
  // topic_partition() for topics (lib/base/hash.h).
  using PartitionOf = std::function<int32_t(std::string_view user_id, size_t partitions)>;

  explicit ShardDirectory(PartitionOf partition_of, size_t partitions = 0) : partition_of_(std::move(partition_of)) { set_partitions(partitions); }

  // 0: not known yet.
  size_t partitions() const;
  // Requires partitions() > 0.
  int32_t partition_of(std::string_view user_id) const;
  // Null: not here, or its shard has not caught up with its last commit yet.
  std::shared_ptr<ShardMailbox> local(int32_t partition) const;
  // Who else has it; empty: nobody whom we know.
  std::optional<Instance> remote(int32_t partition) const;
  // Those that are here, in ascending order.
  std::vector<int32_t> local_partitions() const;

  // Of the log; never fewer than before.
  void set_partitions(size_t partitions);
  // The mailbox is closed by whoever made it, after it was taken out of here. Null takes it out.
  void set_local(int32_t partition, std::shared_ptr<ShardMailbox> mailbox);
  void set_remote(int32_t partition, std::optional<Instance> instance);

 private:
  struct Place {
    std::shared_ptr<ShardMailbox> local;
    std::optional<Instance> remote;
  };

  const PartitionOf partition_of_;
  mutable std::mutex mutex_;
  std::vector<Place> places_;  // guarded by mutex_
};

}  // namespace segue::serving
