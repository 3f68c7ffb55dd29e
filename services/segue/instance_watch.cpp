// SPDX-License-Identifier: Apache-2.0
#include "services/segue/instance_watch.h"

#include "lib/kafka/topic_inspector.h"
#include "lib/telemetry/log.h"

namespace segue::program {
namespace {

namespace log = telemetry::log;

// How soon the others hear that a partition has moved.
constexpr std::chrono::milliseconds kTurn{200};
// See InstanceBook::kSilence.
constexpr std::chrono::seconds kHeartbeat{5};
// A topic that is not there may be made at any time.
constexpr std::chrono::seconds kLookAgain{5};
// Trouble, or a silence of all, that lasts as long may end only with a new beginning: a reader does not notice that a topic was deleted, and one that
// was made again has other offsets.
constexpr std::chrono::seconds kTrouble{10};
constexpr std::chrono::seconds kDeadSilence{15};
constexpr std::chrono::seconds kCountAgain{60};
constexpr std::chrono::seconds kAsk{5};
constexpr std::chrono::seconds kGoodbye{1};

Time wall_clock() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

}  // namespace

InstanceWatch::InstanceWatch(Options options, serving::ShardDirectory& directory)
    : options_(std::move(options)), directory_(directory), book_(options_.instance) {
  view_.address = options_.address;
  view_.trouble = "the topic " + options_.topic + " was not read yet";
  thread_ = std::thread([this] { run(); });
}

InstanceWatch::~InstanceWatch() { stop(); }

void InstanceWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

api::InstanceView InstanceWatch::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

bool InstanceWatch::is_ready() const {
  const std::lock_guard lock(mutex_);
  return ready_;
}

bool InstanceWatch::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool InstanceWatch::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

void InstanceWatch::run() {
  while (!is_stopping()) {
    if (open_topic()) {
      listen();
    } else if (!wait(kLookAgain)) {
      break;
    }
  }
}

bool InstanceWatch::open_topic() {
  if (options_.count_partitions && !count_partitions()) return false;
  auto opened = kafka::InstanceTopic::open(options_.client, options_.topic, kAsk);
  if (!opened) {
    say(opened.error().message);
    return false;
  }
  topic_ = std::move(*opened);
  at_end_ = false;
  return true;
}

// As many as the input has; it may grow.
bool InstanceWatch::count_partitions() {
  auto inspector = kafka::TopicInspector::open(options_.client);
  const auto counts = inspector ? (*inspector)->partitions(kAsk) : Result<kafka::TopicPartitions>(tl::unexpected<Error>(inspector.error()));
  if (!counts) return say(counts.error().message), false;
  // The journal has as many as shards run, also after the input has grown.
  const auto partitions = static_cast<size_t>((*counts)[kafka::Topic::kJournal]);
  if (partitions == 0) return say("topic " + options_.client.topics.journal + " is missing"), false;
  if (partitions > directory_.partitions()) directory_.set_partitions(partitions);
  counted_at_ = Clock::now();
  return true;
}

// Until stop(), or until the topic has been of no use for long.
void InstanceWatch::listen() {
  auto good_at = Clock::now();
  auto heard_at = good_at;
  while (!is_stopping() && Clock::now() - good_at < kTrouble && Clock::now() - heard_at < kDeadSilence) {
    const auto news = topic_->poll(kTurn);
    for (const auto& word : news.words) take(word);
    if (!news.words.empty()) heard_at = Clock::now();
    at_end_ = at_end_ || news.at_end;
    was_read_ = was_read_ || at_end_;
    if (topic_->works()) good_at = Clock::now();
    book_.listen(topic_->works(), Clock::now());
    tell_others();
    publish(topic_->trouble());
    if (options_.count_partitions && Clock::now() - counted_at_ > kCountAgain) {
      count_partitions();
      counted_at_ = Clock::now();
    }
  }
  if (is_stopping() && !told_.instance.empty()) {
    topic_->put({options_.instance, {}});
    topic_->flush(kGoodbye);
  }
}

void InstanceWatch::take(const kafka::InstanceTopic::Word& word) {
  if (!word.record) return book_.forget(word.instance);
  auto record = codec::parse_instance_record(*word.record);
  if (!record || record->instance != word.instance) {
    log::debug("a record of the instances' topic cannot be used", {{"reason", record ? "its key is another's" : record.error().message}});
    return;
  }
  // How old what was there before us is, two clocks have to tell.
  const Duration age = at_end_ ? Duration{0} : wall_clock() - record->at;
  book_.hear(std::move(*record), Clock::now(), age);
}

void InstanceWatch::tell_others() {
  if (options_.address.empty()) return;
  codec::InstanceRecord record{options_.instance, options_.address, directory_.local_partitions(), options_.definitions(), told_.at};
  const auto now = Clock::now();
  if (record == told_ && now - told_at_ < kHeartbeat) return;
  record.at = wall_clock();
  topic_->put({options_.instance, codec::to_json(record)});
  told_ = std::move(record);
  told_at_ = now;
}

void InstanceWatch::publish(const std::string& trouble) {
  const auto now = Clock::now();
  book_.publish(directory_, now);
  const std::string definitions = options_.definitions();
  std::string differs;
  std::vector<api::KnownInstance> others;
  for (auto& record : book_.living(now)) {
    if (!record.definitions.empty() && record.definitions != definitions)
      differs = "instance " + record.instance + " has other definitions than this one: answers that need both are 503";
    others.push_back({std::move(record.instance), std::move(record.address), std::move(record.partitions), to_ms(record.at)});
  }
  say(!trouble.empty() ? trouble : !differs.empty() ? differs : options_.no_address);
  const std::lock_guard lock(mutex_);
  view_.others = std::move(others);
  ready_ = trouble.empty() && was_read_;
}

// What is wrong now; empty: nothing.
void InstanceWatch::say(const std::string& trouble) {
  const std::lock_guard lock(mutex_);
  if (trouble == view_.trouble) return;
  view_.trouble = trouble;
  if (!trouble.empty()) log::warn("about other instances", {{"trouble", trouble}});
  ready_ = false;
}

}  // namespace segue::program
