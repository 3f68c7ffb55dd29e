// SPDX-License-Identifier: Apache-2.0
#include "services/engine/state_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "lib/filelog/posix_file_system.h"
#include "tests/engine/scratch.h"

namespace segue::engine {
namespace {

using testing::HasSubstr;

class EngineDirectoryTest : public testing::Test {
 protected:
  EngineDirectoryTest() {
    context_.config.application = "shop";
    context_.config.state.directory = scratch_.path();
    context_.partitions = 3;
  }

  Scratch scratch_;
  filelog::PosixFileSystem files_;
  Context context_;
};

TEST_F(EngineDirectoryTest, WhatIsWrittenIsRead) {
  ASSERT_TRUE(describe_state_directory(files_, context_));
  const auto read = read_state_directory(files_, scratch_.path());
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->application, "shop");
  EXPECT_EQ((*read)->input, "events");
  EXPECT_EQ((*read)->partitions, 3u);
}

TEST_F(EngineDirectoryTest, TheSameApplicationMayComeBackWithMorePartitions) {
  ASSERT_TRUE(describe_state_directory(files_, context_));
  context_.partitions = 5;
  ASSERT_TRUE(describe_state_directory(files_, context_));
  EXPECT_EQ((*read_state_directory(files_, scratch_.path()))->partitions, 5u);
}

TEST_F(EngineDirectoryTest, AnotherApplicationOrTopicIsRefused) {
  ASSERT_TRUE(describe_state_directory(files_, context_));
  context_.config.application = "other";
  const auto refused = describe_state_directory(files_, context_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorClass::kUsage);
  EXPECT_THAT(refused.error().message, HasSubstr("application shop"));
  context_.config.application = "shop";
  context_.config.kafka.input = "clicks";
  EXPECT_FALSE(describe_state_directory(files_, context_));
}

TEST_F(EngineDirectoryTest, AReplaysDirectoryIsRefused) {
  std::ofstream(scratch_ / "replay.json") << "{}";
  const auto refused = describe_state_directory(files_, context_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("replay"));
}

TEST_F(EngineDirectoryTest, WhereThereIsNoneNothingIsRead) {
  const auto read = read_state_directory(files_, scratch_.path());
  ASSERT_TRUE(read);
  EXPECT_FALSE(*read);
}

TEST_F(EngineDirectoryTest, DamageIsTold) {
  for (const char* bytes : {"", "{", "[]", "{\"format\":1}", "{\"format\":2,\"application\":\"a\",\"input\":\"b\",\"partitions\":1}",
                            "{\"format\":1,\"application\":3,\"input\":\"b\",\"partitions\":1}"}) {
    std::ofstream(scratch_ / "engine.json", std::ios::trunc) << bytes;
    const auto read = read_state_directory(files_, scratch_.path());
    ASSERT_FALSE(read) << bytes;
    EXPECT_EQ(read.error().kind, ErrorClass::kData);
  }
}

}  // namespace
}  // namespace segue::engine
