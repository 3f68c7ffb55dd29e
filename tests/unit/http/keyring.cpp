// SPDX-License-Identifier: Apache-2.0
#include "lib/http/keyring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace segue::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Of "abc".
const std::string kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string kOther(64, 'a');

std::string fault(const std::string& text, TokenLines lines) {
  const auto table = parse_token_lines(text, "tokens", lines);
  return table ? "" : table.error().message;
}

TEST(TokenLines, NameATokenEach) {
  const auto table = parse_token_lines("# tokens\n\n  shop " + kAbc + " read,erase\nother " + kOther + " admin\r\n", "tokens", TokenLines::kTokens);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_TRUE(table->find("abc")->has(Scope::kErase));
  const auto keys = parse_token_lines("shop " + kAbc + "\n", "keys", TokenLines::kWriteKeys);
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_TRUE(keys->find("abc")->has(Scope::kWrite));
}

TEST(TokenLines, AreRefusedWithTheirPlace) {
  EXPECT_THAT(fault("\nshop " + kAbc + "\n", TokenLines::kTokens), HasSubstr("tokens:2: expected NAME SHA256 SCOPES"));
  EXPECT_THAT(fault("shop " + kAbc + " read more\n", TokenLines::kTokens), HasSubstr("tokens:1: "));
  EXPECT_THAT(fault("shop " + kAbc + " write\n", TokenLines::kWriteKeys), HasSubstr("tokens:1: expected a name and the SHA-256"));
  EXPECT_THAT(fault("shop abc\n", TokenLines::kWriteKeys), HasSubstr("tokens: token \"shop\": "));
  EXPECT_THAT(fault("a " + kAbc + "\na " + kOther + "\n", TokenLines::kWriteKeys), HasSubstr("twice"));
  EXPECT_THAT(fault("# none\n", TokenLines::kTokens), HasSubstr("has no token"));
  EXPECT_THAT(fault("", TokenLines::kWriteKeys), HasSubstr("has no write key"));
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "a" + std::to_string(i) + " " + std::to_string(i) + " read\n";
  EXPECT_THAT(fault(many, TokenLines::kTokens), HasSubstr("tokens:1001: more than 1000"));
}

class KeyringTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }

  const std::string path_ = testing::TempDir() + "segue_keyring_" + std::to_string(getpid());
};

TEST_F(KeyringTest, ReadsItsFileAgainAndTellsWhatChanged) {
  write("gone " + kOther + " read\nwider " + kAbc + " read\n");
  const auto ring = Keyring::open(path_, TokenLines::kTokens);
  ASSERT_TRUE(ring) << ring.error().message;
  EXPECT_THAT((*ring)->reload().value(), IsEmpty());
  write("wider " + kAbc + " read,admin\nnew " + std::string(64, 'b') + " read\n");
  EXPECT_THAT((*ring)->reload().value(), ElementsAre("gone", "wider"));
  EXPECT_TRUE((*ring)->get()->find("abc")->has(Scope::kAdmin));
}

TEST_F(KeyringTest, ABadFileLeavesTheOldTokens) {
  write("shop " + kAbc + " read\n");
  const auto ring = Keyring::open(path_, TokenLines::kTokens);
  ASSERT_TRUE(ring) << ring.error().message;
  for (const std::string& text : {std::string(), "shop " + kAbc + "\n", std::string((1 << 20) + 1, '\n')}) {
    write(text);
    EXPECT_FALSE((*ring)->reload());
    EXPECT_NE((*ring)->get()->find("abc"), nullptr);
  }
  std::filesystem::remove(path_);
  EXPECT_THAT((*ring)->reload().error().message, HasSubstr("cannot be read"));
  EXPECT_FALSE(Keyring::open(path_, TokenLines::kTokens));
}

TEST(FixedKeyring, HasNothingToRead) {
  Keyring ring(std::make_shared<const TokenTable>());
  EXPECT_TRUE(ring.is_fixed());
  EXPECT_THAT(ring.reload().value(), IsEmpty());
}

}  // namespace
}  // namespace segue::http
