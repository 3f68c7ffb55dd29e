// SPDX-License-Identifier: Apache-2.0
#include "services/collector/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "lib/http/client.h"
#include "services/collector/collector_options.h"

namespace segue::collector {
namespace {

using intake::Admission;
using testing::ElementsAre;
using testing::HasSubstr;

// Takes what it is told to take, and completes when the test says so.
class HeldSink final : public intake::EventSink {
 public:
  Admission admission = Admission::kTaken;

  Admission submit(std::span<const intake::SinkRecord> records, Completion done) override {
    const std::lock_guard lock(mutex_);
    if (admission != Admission::kTaken) return admission;
    for (const auto& record : records) lines_.emplace_back(record.line);
    waiting_.push_back(std::move(done));
    changed_.notify_all();
    return admission;
  }
  // Waits for a request and completes it.
  void complete(const Result<>& result) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !waiting_.empty(); });
    const Completion done = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    lock.unlock();
    done(result);
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::vector<Completion> waiting_;
};

std::shared_ptr<http::Keyring> keyring(std::string_view lines) {
  return std::make_shared<http::Keyring>(
      std::make_shared<const http::TokenTable>(http::parse_token_lines(lines, "keys", http::TokenLines::kWriteKeys).value()));
}

class CollectorTest : public testing::Test {
 protected:
  void start(CollectorOptions options = {}) {
    options.address = {"127.0.0.1", 0};
    options.now = [] { return time_from_ms(1'795'289'945'000); };
    auto started = Collector::start(std::move(options), sink);
    ASSERT_TRUE(started) << started.error().message;
    collector = std::move(*started);
    client = std::move(*http::Client::start({}));
  }
  // Asks, and has the sink complete with `result` meanwhile, where it is given.
  http::Response ask(std::string target, std::string body, std::optional<Result<>> result = {}, std::vector<http::Header> headers = {}) {
    std::thread sink_thread;
    if (result) sink_thread = std::thread([&] { sink.complete(*result); });
    auto answer = client->ask({collector->address(), "POST", std::move(target), std::move(headers), std::move(body)});
    if (sink_thread.joinable()) sink_thread.join();
    return answer ? *answer : http::Response{.status = 0, .body = answer.error().message};
  }
  std::string metrics() const {
    telemetry::MetricPage page;
    collector->add_metrics(page);
    return page.text();
  }
  static std::string header(const http::Response& response, std::string_view name) {
    for (const auto& one : response.headers)
      if (http::equal_ignoring_case(one.name, name)) return one.value;
    return "none";
  }

  HeldSink sink;
  std::unique_ptr<Collector> collector;
  std::unique_ptr<http::Client> client;
};

const std::string kPage = R"({"userId":"u","messageId":"m"})";

TEST_F(CollectorTest, AnswersWhenTheSinkSaysThatItIsSafe) {
  start();
  const auto response = ask("/v1/page", kPage, Result<>());
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body, R"({"success":true})");
  EXPECT_THAT(sink.lines(), ElementsAre(R"({"event_id":"m","type":"view","user_id":"u","ts":1795289945000,"received_at":1795289945000})"));
  EXPECT_THAT(metrics(), HasSubstr("segue_collector_events_total{type=\"view\"} 1\n"));
}

TEST_F(CollectorTest, AFailedWriteHasToComeAgain) {
  start();
  const auto response = ask("/v1/page", kPage, Result<>(fail(ErrorClass::kRetry, "disk full")));
  EXPECT_EQ(response.status, 503U);
  EXPECT_EQ(header(response, "Retry-After"), "1");
  EXPECT_EQ(response.body.find("disk"), std::string::npos);
  EXPECT_THAT(metrics(), HasSubstr("segue_collector_refused_total 1\n"));
  EXPECT_THAT(metrics(), HasSubstr("segue_collector_events_total{type=\"view\"} 0\n"));
}

TEST_F(CollectorTest, AFullSinkIsBackpressure) {
  start();
  sink.admission = Admission::kFull;
  const auto full = ask("/v1/page", kPage);
  EXPECT_EQ(full.status, 429U);
  EXPECT_EQ(header(full, "Retry-After"), "1");
  sink.admission = Admission::kStopped;
  EXPECT_EQ(ask("/v1/events", R"({"event_id":"e","type":"view","user_id":"u","ts":1})").status, 503U);
}

TEST_F(CollectorTest, WhatIsNoEventIsAnsweredAtOnce) {
  start();
  EXPECT_EQ(ask("/v1/alias", kPage).status, 200U);
  EXPECT_EQ(ask("/v1/batch", R"({"batch":[]})").status, 200U);
  EXPECT_EQ(ask("/v1/events", "").body, R"({"accepted":0,"rejected":[]})");
  EXPECT_EQ(ask("/v1/events", "{}").status, 422U);
  EXPECT_THAT(metrics(), HasSubstr("segue_collector_skipped_total{reason=\"alias\"} 1\n"));
}

TEST_F(CollectorTest, WriteKeysAreAskedFor) {
  CollectorOptions options;
  // SHA-256 of "key".
  options.write_keys = keyring("shop 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\n");
  start(std::move(options));
  EXPECT_EQ(ask("/v1/page", kPage).status, 401U);
  EXPECT_EQ(ask("/v1/page", "{").status, 401U);
  EXPECT_EQ(ask("/v1/page", kPage, {}, {{"Authorization", "Basic b3RoZXI6"}}).status, 401U);
  EXPECT_EQ(ask("/v1/page", kPage, {}, {{"Authorization", "Bearer key"}}).status, 401U);
  EXPECT_EQ(ask("/v1/page", kPage, Result<>(), {{"Authorization", "Basic a2V5Og=="}}).status, 200U);
  EXPECT_EQ(ask("/v1/page", R"({"userId":"u","messageId":"m","writeKey":"key"})", Result<>()).status, 200U);
}

// A page of another site can make a browser post here: no cookie and no permission is needed for that.
TEST_F(CollectorTest, WithoutWriteKeysNoOtherSiteGetsIn) {
  start();
  const std::string own = to_string(collector->address());
  EXPECT_EQ(ask("/v1/page", kPage, {}, {{"Origin", "https://shop.example"}}).status, 421U);
  EXPECT_EQ(ask("/v1/events", "{}", {}, {{"Origin", "null"}}).status, 421U);
  EXPECT_TRUE(sink.lines().empty());
  EXPECT_EQ(ask("/v1/page", kPage, Result<>(), {{"Origin", "http://" + own}}).status, 200U);
}

// Guesses are refused alike, in the header and in the body, right or wrong; who was right before goes on.
TEST_F(CollectorTest, GuessesOfWriteKeysAreHeldBack) {
  CollectorOptions options;
  options.write_keys = keyring("shop 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\n");
  start(std::move(options));
  const std::string wrong = R"({"userId":"u","messageId":"m","writeKey":"other"})";
  unsigned status = 401;
  for (int i = 0; i < 100 && status == 401; ++i) status = ask("/v1/page", wrong).status;
  EXPECT_EQ(status, 429U);
  const auto refused = ask("/v1/page", kPage, {}, {{"Authorization", "Basic a2V5Og=="}});
  EXPECT_EQ(refused.status, 429U);
  EXPECT_NE(header(refused, "Retry-After"), "none");
}

TEST_F(CollectorTest, AKeyHasItsRate) {
  CollectorOptions options;
  options.events_per_second = 1;
  start(std::move(options));
  EXPECT_EQ(
      ask("/v1/batch", R"({"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u"},{"type":"page","userId":"u"}]})", Result<>()).status,
      200U);
  const auto refused = ask("/v1/page", kPage);
  EXPECT_EQ(refused.status, 429U);
  EXPECT_NE(header(refused, "Retry-After"), "none");
  // What is no event costs nothing.
  EXPECT_EQ(ask("/v1/alias", kPage).status, 200U);
}

TEST_F(CollectorTest, OthersAreLetInWithWriteKeysOnly) {
  const auto started = Collector::start({.address = {"0.0.0.0", 0}}, sink);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorClass::kUsage);
}

TEST(CollectorOptions, ComeFromTheConfiguration) {
  config::Config config;
  config.collector.events = {{"Lead Submitted", "click"}};
  const auto options = collector_options(config);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->tracking.names.find("lead_submitted"), event::EventType::kClick);
  EXPECT_EQ(options->address.port, 9465);
  config.collector.events["x"] = "delete";
  EXPECT_THAT(collector_options(config).error().message, HasSubstr("collector.events"));
  config.collector.events.clear();
  config.collector.key_file = "key.pem";
  EXPECT_THAT(collector_options(config).error().message, HasSubstr("together"));
  config.collector.key_file.clear();
  config.collector.keys_file = "/no/such/file";
  EXPECT_THAT(collector_options(config).error().message, HasSubstr("collector.keys_file"));
}

}  // namespace
}  // namespace segue::collector
