// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/kafka_lib/broker_fixture.h"

namespace segue::kafka {
namespace {

constexpr size_t kTransitions = 3;  // of each commit, and one dead letter
constexpr int kKills = 25;
constexpr int kPipe = 200;  // the writer's end

class CommitKillTest : public BrokerTest {
 protected:
  static ClientOptions options_of(const std::string& name, const std::string& brokers) {
    ClientOptions options;
    options.brokers = brokers;
    options.application = name;
    options.topics = {name + ".events", name + ".transitions", name + ".dlq", name + ".journal"};
    return options;
  }

  // A process of this program that commits until it is killed, and writes a byte into the pipe after each commit.
  static pid_t start_writer(const std::string& name, int pipe_end) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    setenv("SEGUE_TEST_WRITER", name.c_str(), 1);
    dup2(pipe_end, kPipe);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl("/proc/self/exe", "writer", "--gtest_brief=1", "--gtest_also_run_disabled_tests", "--gtest_filter=*DISABLED_CommitsUntilItIsKilled",
          nullptr);
    _exit(127);
  }
};

// Not a test: what the killed process does.
TEST_F(CommitKillTest, DISABLED_CommitsUntilItIsKilled) {
  const char* name = std::getenv("SEGUE_TEST_WRITER");
  if (name == nullptr) return;
  const ClientOptions options = options_of(name, brokers_);
  CommitSource source;
  auto port = open_commits(options, {}, &source);
  for (;;) {
    pipeline::Commit commit = source.next(kTransitions);
    add_dead_letter(commit, "raw " + std::to_string(commit.record.sequence), "k", commit.record.sequence);
    if (!port->submit(commit) || !port->wait() || write(kPipe, "", 1) != 1) _exit(1);
  }
}

// What a read-committed reader sees is whole commits in their order, wherever the writers died.
TEST_F(CommitKillTest, AKilledWriterLeavesEachCommitWholeOrAbsent) {
  const ClientOptions options = make_topics(1);
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  size_t done = 0;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t writer = start_writer(options.application, ends[1]);
    close(ends[1]);
    char byte = 0;
    for (unsigned commits = static_cast<unsigned>(random() % 12); commits > 0; --commits)
      ASSERT_EQ(::read(ends[0], &byte, 1), 1) << "the writer ended by itself";
    usleep(static_cast<useconds_t>(random() % 6'000));  // somewhere within the next one
    kill(writer, SIGKILL);
    close(ends[0]);
    int status = 0;
    waitpid(writer, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
  }
  CommitSource last;
  { auto heir = open_commits(options, {}, &last); }  // ends the last one's open transaction
  const auto journal = sequences(read(options.topics.journal, 0), options.application + "-0");
  done = journal.size();
  ASSERT_GT(done, 20u) << "the writers were killed before they wrote";
  EXPECT_EQ(last.last().sequence, done);
  const auto transitions = read(options.topics.transitions, 0);
  ASSERT_EQ(transitions.size(), done * kTransitions);
  for (size_t i = 0; i < transitions.size(); ++i) {
    const std::string expected = "{\"line\":" + std::to_string(i / kTransitions + 1) + "." + std::to_string(i % kTransitions) + "}";
    ASSERT_EQ(transitions[i].value, expected);
  }
  const auto dead = read(options.topics.dead_letters, 0);
  ASSERT_EQ(dead.size(), done);
  for (size_t i = 0; i < done; ++i) ASSERT_EQ(dead[i].value, "raw " + std::to_string(i + 1));
  if (const char* figures = std::getenv("SEGUE_FIGURES"))
    std::ofstream(figures, std::ios::app) << "figure: " << kKills << " kill -9 of a writer in " << done
                                          << " Kafka commits: none torn, lost or twice\n";
}

}  // namespace
}  // namespace segue::kafka
