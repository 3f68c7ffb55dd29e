// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/output_topics.h"

#include <array>
#include <cstdio>
#include <utility>

#include "lib/base/hash.h"
#include "lib/telemetry/log.h"

namespace segue::kafka {
namespace {

// A cursor of another topic, or of the files of an embedded engine, is not taken for one of this.
std::string stream_name(const std::string& topic) {
  std::array<char, 9> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x", static_cast<unsigned>(hash64(topic)));
  return hex.data();
}

serving::TransitionFeed::Options feed_options(const ClientOptions& options) {
  serving::TransitionFeed::Options made;
  made.all_bytes = size_t{64} << 20;
  made.places = serving::FeedPlaces::kOffsets;
  made.name = stream_name(options.topics.transitions);
  return made;
}

}  // namespace

// The transitions topic into the feed.
class OutputTopics::Transitions final : public TopicListener {
 public:
  Transitions(serving::TransitionFeed& feed, std::shared_ptr<TopicArchive> archive) : feed_(feed), archive_(std::move(archive)) {}

  Topic topic() const override { return Topic::kTransitions; }
  uint64_t begin(const Watermarks& ends) const override { return ends.high; }
  void open(const std::map<int32_t, uint64_t>& places) override {
    for (const auto& [partition, place] : places) archive_->forget(partition);
    feed_.open(places, archive_);
  }
  void take(int32_t partition, std::span<const Record> records, uint64_t position) override {
    serving::FeedLines lines;
    for (const Record& record : records)
      if (!append_line(record, lines)) throttle_.warn("a record of the transitions topic is no transition: who else writes there?");
    feed_.publish(partition, std::move(lines), position);
  }

 private:
  serving::TransitionFeed& feed_;
  const std::shared_ptr<TopicArchive> archive_;
  telemetry::log::Throttle throttle_{std::chrono::minutes(1)};
};

OutputTopics::OutputTopics(const ClientOptions& options)
    : feed_(feed_options(options)),
      archive_(std::make_shared<TopicArchive>(options, [this] { feed_.wake(); })),
      transitions_(std::make_unique<Transitions>(feed_, archive_)),
      follower_(std::make_unique<TopicFollower>(options, std::vector<TopicListener*>{transitions_.get(), &dead_letters_})) {}

OutputTopics::~OutputTopics() {
  follower_.reset();
  archive_->stop();
}

}  // namespace segue::kafka
