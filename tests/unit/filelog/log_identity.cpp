// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/log_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/filelog/memory_file_system.h"
#include "tests/unit/filelog/compress.h"

namespace segue::filelog {
namespace {

using testing::HasSubstr;

// Binds out/ to a log of two files, changes something, and binds again.
class LogIdentityTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.make_directories("out"));
    files_.put("in/a", "a1\na2\n");
    files_.put("in/b", gzip("b1\n"));
    ASSERT_TRUE(bind_log(files_, "out", {"in/a", "in/b"}));
  }
  std::string refusal(const std::vector<std::string>& paths) {
    const auto bound = bind_log(files_, "out", paths);
    return bound ? "accepted" : bound.error().message;
  }

  MemoryFileSystem files_;
};

TEST_F(LogIdentityTest, SameLogIsAcceptedAgainAndAlsoElsewhere) {
  EXPECT_EQ(refusal({"in/a", "in/b"}), "accepted");
  files_.put("moved/a", "a1\na2\n");
  files_.put("moved/b", gzip("b1\n"));
  EXPECT_EQ(refusal({"moved/a", "moved/b"}), "accepted");
}

TEST_F(LogIdentityTest, LogThatGrewAtItsEndIsAcceptedAndNoted) {
  files_.put("in/b", gzip("b1\n") + gzip("b2\n"));
  EXPECT_EQ(refusal({"in/a", "in/b"}), "accepted");
  files_.put("in/c", "c1\n");
  EXPECT_EQ(refusal({"in/a", "in/b", "in/c"}), "accepted");
  EXPECT_THAT(refusal({"in/a", "in/b"}), HasSubstr("it had 3 files, now 2"));
  files_.put("in/b", gzip("b1\n"));
  EXPECT_THAT(refusal({"in/a", "in/b", "in/c"}), HasSubstr("in/b had"));
}

TEST_F(LogIdentityTest, FileInTheMiddleMayNotGrow) {
  files_.put("in/a", "a1\na2\na3\n");
  EXPECT_THAT(refusal({"in/a", "in/b"}), HasSubstr("in/a had 6 bytes, now 9"));
}

TEST_F(LogIdentityTest, OtherOrderNameOrContentIsRefused) {
  EXPECT_THAT(refusal({"in/b", "in/a"}), HasSubstr("file 1 was named a, now b"));
  files_.put("in/a", "a1\na3\n");
  EXPECT_THAT(refusal({"in/a", "in/b"}), HasSubstr("in/a begins differently"));
}

TEST_F(LogIdentityTest, FileThatBecameShorterIsRefused) {
  files_.put("in/b", gzip(""));
  EXPECT_THAT(refusal({"in/a", "in/b"}), HasSubstr("in/b had"));
}

TEST_F(LogIdentityTest, DamagedNoteIsNamed) {
  for (const char* text :
       {"", "segue-log 2\n", "segue-log 1\n6 6 zz a\n", "segue-log 1\n6 6 0000000000000000 a", "segue-log 1\n6 6 0000000000000000 \n"}) {
    files_.put("out/LOG", text);
    EXPECT_THAT(refusal({"in/a", "in/b"}), HasSubstr("out/LOG")) << text;
  }
}

TEST_F(LogIdentityTest, OnlyTheHeadIsCompared) {
  const std::string head(kHeadBytes, 'x');
  files_.put("in/a", head + "tail\n");
  files_.put("in/b", gzip("b1\n"));
  const LogIdentity identity = identify_log(files_, {"in/a", "in/b"}).value();
  EXPECT_EQ(identity[0].head_bytes, kHeadBytes);
  EXPECT_EQ(identity[1].head_bytes, 3U);
  files_.put("in/a", head + "liat\n");
  EXPECT_TRUE(check_same_log(files_, identity, {"in/a", "in/b"}));
  files_.put("in/a", "y" + head.substr(1) + "tail\n");
  EXPECT_FALSE(check_same_log(files_, identity, {"in/a", "in/b"}));
}

TEST_F(LogIdentityTest, TextIsParsedBack) {
  const LogIdentity identity = {{12, 6, 0xfedcba9876543210ULL, "a name with blanks.ndjson"}, {0, 0, 1, "事件"}};
  EXPECT_EQ(parse_log_identity(to_text(identity)).value(), identity);
}

}  // namespace
}  // namespace segue::filelog
