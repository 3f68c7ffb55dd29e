// SPDX-License-Identifier: Apache-2.0
#include "lib/http/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace segue::http {
namespace {

using testing::HasSubstr;

// Of "abc".
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::string fault(const std::vector<TokenOptions>& options) {
  const auto table = TokenTable::make(options);
  return table ? "" : table.error().message;
}

TEST(TokenTable, FindsATokenByItsHash) {
  const auto table = TokenTable::make(std::vector<TokenOptions>{{.name = "a", .sha256 = kAbc, .scopes = "read, erase"}});
  ASSERT_TRUE(table) << table.error().message;
  const auto* token = table->find("abc");
  ASSERT_NE(token, nullptr);
  EXPECT_EQ(token->name, "a");
  EXPECT_TRUE(token->has(Scope::kRead));
  EXPECT_TRUE(token->has(Scope::kErase));
  EXPECT_FALSE(token->has(Scope::kAdmin));
  EXPECT_EQ(table->find("abd"), nullptr);
  EXPECT_EQ(table->find(""), nullptr);
  EXPECT_EQ(table->find(kAbc), nullptr);
}

TEST(TokenTable, ReadsATokenFromAFile) {
  const std::string path = testing::TempDir() + "segue_token";
  std::ofstream(path) << "0123456789abcdef\r\nmore\n";
  const auto table = TokenTable::make(std::vector<TokenOptions>{{.name = "a", .file = path, .scopes = "read"}});
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_NE(table->find("0123456789abcdef"), nullptr);
  std::ofstream(path) << "short\n";
  EXPECT_THAT(fault({{.name = "a", .file = path, .scopes = "read"}}), HasSubstr("less than 16"));
  std::filesystem::remove(path);
  EXPECT_THAT(fault({{.name = "a", .file = path, .scopes = "read"}}), HasSubstr("cannot be read"));
}

TEST(TokenTable, SaysWhatIsWrong) {
  EXPECT_THAT(fault({{.sha256 = kAbc, .scopes = "read"}}), HasSubstr("no name"));
  EXPECT_THAT(fault({{.name = "a", .sha256 = "abc", .scopes = "read"}}), HasSubstr("64 hexadecimal"));
  EXPECT_THAT(fault({{.name = "a", .sha256 = kAbc, .scopes = "root"}}), HasSubstr("\"root\" is no scope"));
  EXPECT_THAT(fault({{.name = "a", .sha256 = kAbc}}), HasSubstr("no scope"));
  EXPECT_THAT(fault({{.name = "a", .sha256 = kAbc, .file = "x", .scopes = "read"}}), HasSubstr("both"));
  EXPECT_THAT(fault({{.name = "a", .sha256 = kAbc, .scopes = "read"}, {.name = "b", .sha256 = kAbc, .scopes = "read"}}), HasSubstr("the same as"));
}

TEST(Authorization, TakesBearerTokensAndBasicUsers) {
  EXPECT_EQ(bearer_token("Bearer abc"), "abc");
  EXPECT_EQ(bearer_token("bearer  abc"), "abc");
  for (const char* other : {"", "Bearer", "Bearer ", "Bearerabc", "Basic abc"}) EXPECT_EQ(bearer_token(other), std::nullopt) << other;
  EXPECT_EQ(basic_user("Basic dXNlcjpwYXNz"), "user");
  EXPECT_EQ(basic_user("Basic a2V5Og=="), "key");
  EXPECT_EQ(basic_user("Basic a2V5"), "key");
  for (const char* other : {"", "Basic a2V", "Basic !!!!", "Bearer a2V5"}) EXPECT_EQ(basic_user(other), std::nullopt) << other;
}

}  // namespace
}  // namespace segue::http
