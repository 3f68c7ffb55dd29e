// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include "bench/pipeline/kafka_client.h"
#include "bench/pipeline/kafka_commands.h"

namespace segue::bench {
namespace {

// What was sent and what came back, by the event's number.
struct Course {
  explicit Course(size_t events) : due(events), seen(events, 0) {}

  std::vector<std::atomic<double>> due;  // when the event was to be sent; written by the sender before it sends
  std::vector<uint8_t> seen;             // outputs of an event that causes one for certain; the reader's
  std::vector<double> latencies;         // seconds; the reader's
  std::atomic<uint64_t> missing{0};      // sent for certain, and not seen yet
  uint64_t repeated = 0;                 // outputs seen again
  double worst_lag = 0;                  // by which the sender was late
};

bool is_certain(const LatencyOptions& options, uint64_t number) { return number * options.share % 100 < options.share; }

// A cart by a user who was never seen makes a potential buyer of him; a view moves nobody.
void make_event(const LatencyOptions& options, uint64_t number, double at, std::string& user, std::string& json) {
  char text[400];
  const auto item = static_cast<unsigned>(number * 2654435761u % 50'000);
  if (is_certain(options, number)) {
    user = "fresh-" + options.run + "-" + std::to_string(number);
  } else {
    std::snprintf(text, sizeof text, "u-%07u", static_cast<unsigned>(number * 40503u % options.users));
    user = text;
  }
  const int size =
      std::snprintf(text, sizeof text,
                    "{\"event_id\":\"%s-%09llu\",\"type\":\"%s\",\"user_id\":\"%s\",\"ts\":%lld,\"item_id\":\"i-%05u\",\"category\":\"c-%u\","
                    "\"brand\":\"b-%u\",\"price\":129.9,\"quantity\":1,\"session_id\":\"s-99\",\"channel\":\"app\"}",
                    options.run.c_str(), static_cast<unsigned long long>(number), is_certain(options, number) ? "cart" : "view", user.c_str(),
                    static_cast<long long>(at * 1e3), item, item % 200, item % 1000);
  json.assign(text, static_cast<size_t>(size));
}

void send_all(const LatencyOptions& options, Course& course) {
  Producer producer(options.brokers, options.input, {{"linger.ms", options.linger}});
  std::string user, json;
  const double begin = now_seconds() + 0.1;
  for (uint64_t number = 0; number < course.due.size(); ++number) {
    const double due = begin + static_cast<double>(number) / options.rate;
    for (double ahead = due - now_seconds(); ahead > 0; ahead = due - now_seconds()) {
      producer.poll();
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(ahead, 1e-3)));
    }
    course.worst_lag = std::max(course.worst_lag, now_seconds() - due);
    course.due[number] = due;
    if (is_certain(options, number)) ++course.missing;
    make_event(options, number, due, user, json);
    producer.send(user, json);
  }
  producer.flush();
}

void take_output(const LatencyOptions& options, Course& course, const rd_kafka_message_t& message, FILE* trace) {
  const double now = now_seconds();
  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  const std::string_view id = text_field(value, "event_id");
  if (id.size() <= options.run.size() + 1 || id.substr(0, options.run.size()) != options.run) return;
  uint64_t number = 0;
  std::from_chars(id.data() + options.run.size() + 1, id.data() + id.size(), number);
  if (number >= course.due.size() || !is_certain(options, number)) return;
  if (course.seen[number] != 0) {
    ++course.repeated;
    return;
  }
  course.seen[number] = 1;
  --course.missing;
  const double due = course.due[number];
  if (static_cast<double>(number) >= options.warm * options.rate) course.latencies.push_back(now - due);
  if (trace != nullptr) std::fprintf(trace, "%.6f %.6f %d\n", due, now, static_cast<int>(message.partition)), std::fflush(trace);
}

void read_outputs(const LatencyOptions& options, Course& course, rd_kafka_t* client, const std::atomic<bool>& stop) {
  FILE* trace = options.trace.empty() ? nullptr : std::fopen(options.trace.c_str(), "w");
  while (!stop) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client, 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take_output(options, course, *message, trace);
    rd_kafka_message_destroy(message);
  }
  if (trace != nullptr) std::fclose(trace);
}

void report(const LatencyOptions& options, Course& course, uint64_t transactions) {
  std::vector<double>& sorted = course.latencies;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) {
    if (sorted.empty()) return 0.0;
    return 1e3 * sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
  };
  std::printf(
      "{\"rate\":%.0f,\"sent\":%zu,\"counted\":%zu,\"missing\":%llu,\"repeated\":%llu,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,"
      "\"p999_ms\":%.2f,\"max_ms\":%.2f,\"sender_worst_lag_ms\":%.2f,\"transactions\":%llu}\n",
      options.rate, course.due.size(), sorted.size(), static_cast<unsigned long long>(course.missing.load()),
      static_cast<unsigned long long>(course.repeated), at(0.5), at(0.9), at(0.99), at(0.999), at(1), course.worst_lag * 1e3,
      static_cast<unsigned long long>(transactions));
}

void send_and_read(const LatencyOptions& options, Course& course) {
  std::vector<Ends> ends;
  const Client client = make_reader(options.brokers, options.output, {{"isolation.level", "read_committed"}}, true, ends);
  std::atomic<bool> stop{false};
  std::thread reader([&] { read_outputs(options, course, client.get(), stop); });
  send_all(options, course);
  for (const double deadline = now_seconds() + options.settle; course.missing != 0 && now_seconds() < deadline;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // What is seen twice would come now.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  stop = true;
  reader.join();
}

}  // namespace

bool causes_output(std::string_view event) { return text_field(event, "type") == "cart"; }

void measure_latency(const LatencyOptions& options) {
  Course course(static_cast<size_t>(options.rate * options.seconds));
  send_and_read(options, course);
  report(options, course, 0);
}

void measure_transactions(const LatencyOptions& options) {
  Course course(static_cast<size_t>(options.rate * options.seconds));
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  TransactLoop loop;
  loop.brokers = options.brokers, loop.input = options.input, loop.output = options.output, loop.id = "transact-" + options.run;
  loop.ready = [&] {
    const std::lock_guard lock(mutex);
    ready = true;
    changed.notify_all();
  };
  loop.stop = [&] { return stop.load(); };
  std::thread thread([&] { run_transact_loop(loop); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ready; });
  }
  send_and_read(options, course);
  stop = true;
  thread.join();
  report(options, course, loop.transactions);
}

}  // namespace segue::bench
