// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/kafka/client_options.h"

namespace segue::kafka {

// The topic by which instances find each other (docs/formats/topics.md, "Instances"). One owner thread.
class InstanceTopic {
 public:
  struct Word {
    std::string instance;
    std::optional<std::string> record;  // none: it stopped
  };
  struct News {
    std::vector<Word> words;  // in the topic's order
    bool at_end = false;      // nothing is left that was there
  };

  // Asks the brokers, for `timeout` at most. kUsage: there is no such topic, or it has several partitions. kRetry: no broker answered.
  static Result<std::unique_ptr<InstanceTopic>> open(const ClientOptions& options, const std::string& name, std::chrono::milliseconds timeout);
  ~InstanceTopic();
  InstanceTopic(const InstanceTopic&) = delete;
  InstanceTopic& operator=(const InstanceTopic&) = delete;

  // What lies in the topic from shortly before its end, then what comes.
  News poll(std::chrono::milliseconds timeout);
  // Sets a word; does not wait. One that the brokers do not take within seconds is dropped.
  void put(const Word& word);
  // Waits for the words under way.
  void flush(std::chrono::milliseconds limit);
  // Whether a broker is in reach, and none has refused to let us read or write since the last success.
  bool works() const;
  // Why not; empty when it works.
  std::string trouble() const;

 private:
  class Impl;
  explicit InstanceTopic(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::kafka
