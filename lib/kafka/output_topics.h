// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/kafka/client_options.h"
#include "lib/kafka/newest_dead_letters.h"
#include "lib/kafka/topic_archive.h"
#include "lib/kafka/topic_follower.h"
#include "lib/serving/transition_feed.h"

namespace segue::kafka {

// What an API shows of the topics that all instances write: live transitions and the newest dead letters of every partition, whoever owns it. Asks
// the brokers on threads of its own, also before they are there.
class OutputTopics {
 public:
  // Brokers, names of the topics and security are what counts of the options.
  explicit OutputTopics(const ClientOptions& options);
  ~OutputTopics();
  OutputTopics(const OutputTopics&) = delete;
  OutputTopics& operator=(const OutputTopics&) = delete;

  // Places are offsets. Empty until every partition was found; whoever watches it goes before this does.
  serving::TransitionFeed& feed() { return feed_; }
  // Lines of docs/formats/outputs.md, the last one last. Any thread.
  std::vector<std::string> dead_letters(int32_t partition, size_t limit, std::string_view reason) const {
    return dead_letters_.newest(partition, limit, reason);
  }

 private:
  class Transitions;

  serving::TransitionFeed feed_;
  const std::shared_ptr<TopicArchive> archive_;
  NewestDeadLetters dead_letters_;
  std::unique_ptr<Transitions> transitions_;
  std::unique_ptr<TopicFollower> follower_;
};

}  // namespace segue::kafka
