// SPDX-License-Identifier: Apache-2.0
// Every file of cases/ is a test: what it says must happen, happens, however the log is cut into batches and however small the cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/behaviour/case_file.h"
#include "tests/behaviour/case_run.h"

namespace segue::behaviour {
namespace {

using testing::ElementsAreArray;

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SEGUE_SOURCE_FOLDER "/tests/behaviour/cases"))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

// Every profile leaves the cache after each event and is read from its page before the next.
Manner with_cache(std::string name, size_t profiles) {
  Manner manner{.name = std::move(name)};
  manner.options.batch_events = 1;
  manner.options.cache_profiles = profiles;
  manner.options.commit_events = 1;
  manner.options.checkpoint_events = 1;
  return manner;
}

std::vector<Manner> manners() {
  Manner single{.name = "one event a batch"};
  single.options.batch_events = 1;
  Manner cut{.name = "one timer a batch"};
  cut.options.max_timers = 1;
  cut.options.commit_events = 1;
  Manner full{.name = "a checkpoint at every dirty profile", .chunk_bytes = 300};
  full.options.dirty_profiles = 1;
  Manner dying{.name = "dies after every commit", .chunk_bytes = 1, .dies = true};
  dying.options.commit_events = 1;
  dying.options.checkpoint_events = 3;
  dying.options.cache_profiles = 1;
  return {single, cut, with_cache("a cache of one profile", 1), with_cache("no cache", 0), full, dying};
}

std::vector<std::string> reasons(const std::string& dead_letters) {
  std::vector<std::string> reasons;
  std::istringstream in(dead_letters);
  for (std::string line; std::getline(in, line);) reasons.push_back(nlohmann::json::parse(line)["reason"]);
  return reasons;
}

// A user's outputs are numbered from 1 without gap, also over an erasure. Gives the lines of each user.
std::map<std::string, std::string> lines_by_user(const std::string& transitions) {
  std::map<std::string, std::string> lines;
  std::map<std::string, uint64_t> numbers;
  std::istringstream in(transitions);
  for (std::string line; std::getline(in, line);) {
    const auto output = nlohmann::json::parse(line);
    const std::string user = output["user_id"];
    EXPECT_EQ(output["n"], ++numbers[user]) << line;
    EXPECT_EQ(output["id"], user + "#" + std::to_string(numbers[user])) << line;
    lines[user] += line + "\n";
  }
  return lines;
}

class Behaviour : public testing::TestWithParam<std::string> {};

TEST_P(Behaviour, IsAsTheCaseSays) {
  const Case given = read_case("tests/behaviour/cases/" + GetParam() + ".yaml");
  SCOPED_TRACE(given.story);
  const Outcome whole = run(given.log, given.definitions, Manner{.name = "in one piece"});
  EXPECT_THAT(describe(whole.transitions, given.what), ElementsAreArray(given.happens));
  EXPECT_THAT(reasons(whole.dead_letters), ElementsAreArray(given.unusable));
  for (const auto& [name, count] : given.counts) EXPECT_EQ(whole.counts.at(name), count) << name;
  if (given.states_users) {
    EXPECT_EQ(whole.users, given.users);
  }
  const auto by_user = lines_by_user(whole.transitions);

  for (const Manner& manner : manners()) {
    SCOPED_TRACE(manner.name);
    const Outcome other = run(given.log, given.definitions, manner);
    EXPECT_EQ(other.transitions, whole.transitions);
    EXPECT_EQ(other.dead_letters, whole.dead_letters);
    EXPECT_EQ(other.pages, whole.pages);
    EXPECT_EQ(other.counts, whole.counts);
    EXPECT_EQ(other.users, whole.users);
    EXPECT_EQ(other.lives > 1, manner.dies);
  }
  const Outcome split = run(given.log, given.definitions, {.name = "three shards", .shards = 3});
  EXPECT_EQ(lines_by_user(split.transitions), by_user);
  EXPECT_EQ(split.dead_letters, whole.dead_letters);
  EXPECT_EQ(split.counts, whole.counts);
  EXPECT_EQ(split.users, whole.users);
}

INSTANTIATE_TEST_SUITE_P(Cases, Behaviour, testing::ValuesIn(case_names()), [](const auto& test) { return test.param; });

TEST(BehaviourManners, TheSmallCachesReadPagesAgain) {
  const Case given = read_case("tests/behaviour/cases/lapses_30_days_after_the_last_purchase.yaml");
  EXPECT_EQ(run(given.log, given.definitions, Manner{.name = "in one piece"}).loads, 3u);  // the state's description alone
  EXPECT_GT(run(given.log, given.definitions, with_cache("no cache", 0)).loads, 4u);
}

}  // namespace
}  // namespace segue::behaviour
