// SPDX-License-Identifier: Apache-2.0
#include "services/engine/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/engine/scratch.h"

namespace segue::engine {
namespace {

using testing::HasSubstr;

constexpr const char* kOne = "version: 1\nlifecycle:\n  stages: [new, buyer]\n  moves:\n    - {from: new, to: buyer, on: purchase}\n";
constexpr const char* kOther = "version: 1\nlifecycle:\n  stages: [fresh, buyer]\n  moves:\n    - {from: fresh, to: buyer, on: purchase}\n";

class ReloadTest : public testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }

  Scratch scratch_;
  const std::string path_ = scratch_ / "definitions.yaml";
};

TEST_F(ReloadTest, NewDefinitionsReplaceTheOldOnes) {
  write(kOne);
  WantedDefinitions definitions(*load_definitions(path_));
  write(kOther);
  EXPECT_TRUE(reload_definitions(path_, definitions));
  EXPECT_EQ(definitions.get()->stages().front(), "fresh");
}

TEST_F(ReloadTest, ABadFileLeavesTheOldOnesAndSaysSo) {
  write(kOne);
  WantedDefinitions definitions(*load_definitions(path_));
  const auto before = definitions.get();
  write("version: 1\nlifecycle: {stages: {}}\n");
  EXPECT_FALSE(reload_definitions(path_, definitions));
  EXPECT_EQ(definitions.get(), before);
  std::filesystem::remove(path_);
  EXPECT_FALSE(reload_definitions(path_, definitions));
  EXPECT_EQ(definitions.get(), before);
  write(kOne);
  EXPECT_TRUE(reload_definitions(path_, definitions));
}

TEST_F(ReloadTest, AMistakeIsTheUsersAndNamesItsPlace) {
  write("version: 1\nlifecycle: {stages: {}}\n");
  const auto loaded = load_definitions(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorClass::kUsage);
  EXPECT_THAT(loaded.error().message, HasSubstr("definitions.yaml:2:"));
}

TEST_F(ReloadTest, WithoutAFileThereAreThoseThatAreBuiltIn) {
  const auto loaded = load_definitions("");
  ASSERT_TRUE(loaded);
  EXPECT_FALSE((*loaded)->stages().empty());
}

}  // namespace
}  // namespace segue::engine
