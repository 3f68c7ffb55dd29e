// SPDX-License-Identifier: Apache-2.0
// How long one partition's commits take: bench_kafka_commit BROKERS TOPIC_PREFIX [COMMITS] [OUTPUTS] [with_group]
// Needs topics PREFIX.events, .transitions, .dlq and .journal. Prints submit-to-settled times of commits back to back.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "lib/kafka/group_consumer.h"
#include "lib/kafka/partition_commits.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

template <class T>
T need(Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str()), std::exit(1);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void fill(pipeline::Commit& commit, uint64_t sequence, size_t outputs) {
  commit.record.sequence = sequence;
  commit.record.previous = {sequence - 1, sequence - 1};
  commit.record.next = {sequence, sequence};
  for (size_t i = 0; i < outputs; ++i) {
    pipeline::Outputs& to = commit.outputs;
    to.user_ids += "u-0000001";
    to.transition_lines += R"({"id":"u-0000001#1","user_id":"u-0000001","n":1,"type":"move","name":"new-to-potential","from":"new","to":"potential"})"
                           "\n";
    to.transitions.push_back({to.transition_lines.size(), to.user_ids.size(), sequence, time_from_ms(1'700'000'000'000), "move"});
  }
}

void run(const kafka::ClientOptions& client, size_t commits, size_t outputs, bool with_group) {
  std::unique_ptr<kafka::GroupConsumer> member;
  kafka::PartitionCommitsOptions options;
  if (with_group) {
    member = need(kafka::GroupConsumer::open(client));
    while (!member->poll(std::chrono::milliseconds(100)).assigned) {
    }
    options.membership = member->membership();
  }
  const auto port = need(kafka::PartitionCommits::open(client, options));
  need(port->for_each_since(0, 0, [](const codec::JournalRecord&, uint64_t) { return Result<>{}; }));
  std::vector<double> ms;
  pipeline::Commit commit;
  for (uint64_t sequence = 1; sequence <= commits; ++sequence) {
    fill(commit, sequence, outputs);
    const auto begin = Clock::now();
    need(port->submit(commit));
    need(port->wait());
    ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(ms.begin(), ms.end());
  const kafka::CommitStatus status = port->status();
  std::printf("%zu commits of %zu outputs%s: p50 %.2f ms, p90 %.2f, p99 %.2f, max %.1f; %llu aborted, %llu recycled, %llu without offsets\n",
              ms.size(), outputs, with_group ? " with offsets" : "", ms[ms.size() / 2], ms[ms.size() * 9 / 10], ms[ms.size() * 99 / 100], ms.back(),
              static_cast<unsigned long long>(status.aborted), static_cast<unsigned long long>(status.recycled),
              static_cast<unsigned long long>(status.without_offsets));
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: bench_kafka_commit BROKERS TOPIC_PREFIX [COMMITS] [OUTPUTS] [with_group]\n"), 2;
  segue::kafka::ClientOptions client;
  const std::string prefix = argv[2];
  client.brokers = argv[1];
  client.application = prefix;
  client.instance = "bench";
  client.topics = {prefix + ".events", prefix + ".transitions", prefix + ".dlq", prefix + ".journal"};
  segue::run(client, argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1000, argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 1,
             argc > 5 && std::strcmp(argv[5], "with_group") == 0);
}
