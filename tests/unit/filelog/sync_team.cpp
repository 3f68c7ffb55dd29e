// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/sync_team.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <functional>

namespace segue::filelog {
namespace {

class FileWithSync final : public File {
 public:
  explicit FileWithSync(std::function<Result<>()> sync) : sync_(std::move(sync)) {}
  Result<> append(std::string_view) override { return {}; }
  Result<size_t> read_at(uint64_t, std::span<char>) const override { return size_t{0}; }
  Result<> sync() override { return sync_(); }
  Result<uint64_t> size() const override { return uint64_t{0}; }
  Result<> truncate(uint64_t) override { return {}; }

 private:
  const std::function<Result<>()> sync_;
};

std::vector<File*> pointers(std::deque<FileWithSync>& files) {
  std::vector<File*> pointers;
  for (FileWithSync& file : files) pointers.push_back(&file);
  return pointers;
}

TEST(SyncTeam, EveryFileIsSyncedOnceAndItsErrorStandsInItsPlace) {
  for (const size_t helpers : {0U, 1U, 7U}) {
    SyncTeam team(helpers);
    for (size_t count = 0; count < 20; ++count) {
      std::vector<int> syncs(count, 0);
      std::deque<FileWithSync> files;
      for (size_t i = 0; i < count; ++i) {
        files.emplace_back([&syncs, i]() -> Result<> {
          ++syncs[i];
          if (i % 3 == 1) return fail(ErrorClass::kRetry, std::to_string(i));
          return {};
        });
      }
      const auto results = team.sync(pointers(files));
      ASSERT_EQ(results.size(), count);
      for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(syncs[i], 1);
        ASSERT_EQ(results[i].has_value(), i % 3 != 1);
        if (!results[i]) {
          EXPECT_EQ(results[i].error().message, std::to_string(i));
        }
      }
    }
  }
}

// Each sync goes on when all have begun.
TEST(SyncTeam, FilesAreSyncedAtTheSameTime) {
  constexpr size_t kFiles = 4;
  std::mutex mutex;
  std::condition_variable changed;
  size_t begun = 0;
  std::deque<FileWithSync> files;
  for (size_t i = 0; i < kFiles; ++i) {
    files.emplace_back([&]() -> Result<> {
      std::unique_lock lock(mutex);
      ++begun;
      changed.notify_all();
      if (changed.wait_for(lock, std::chrono::seconds(30), [&] { return begun == kFiles; })) return {};
      return fail(ErrorClass::kStop, "the others did not begin");
    });
  }
  SyncTeam team(kFiles - 1);
  for (const auto& result : team.sync(pointers(files))) EXPECT_TRUE(result);
}

}  // namespace
}  // namespace segue::filelog
