// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace segue::http {

// What a token may do. One does not imply another.
enum class Scope : uint8_t { kNone = 0, kRead = 1, kWrite = 2, kAdmin = 4, kErase = 8 };
using Scopes = uint8_t;  // a set of Scope

// "read", "write", "admin", "erase"; kNone is "none".
std::string_view scope_name(Scope scope);
// "read,write": kUsage names the word that is no scope.
Result<Scopes> parse_scopes(std::string_view text);

using Sha256 = std::array<uint8_t, 32>;
Sha256 sha256(std::string_view bytes);
// 64 hexadecimal digits.
Result<Sha256> parse_sha256(std::string_view hex);

// A token as it is configured: its name, for logs, and the SHA-256 of it; the token itself is known to its holder alone.
struct TokenOptions {
  std::string name;
  std::string sha256;  // hexadecimal; or empty, then
  std::string file;    // has the token itself, in its first line
  std::string scopes;  // "read,write"
};

// Bearer tokens, or other secrets that a client shows: write keys. Not changed after it was made, so any thread may read.
class TokenTable {
 public:
  struct Token {
    std::string name;
    Sha256 sha256;
    Scopes scopes = 0;

    bool operator==(const Token&) const = default;
    bool has(Scope scope) const { return (scopes & static_cast<Scopes>(scope)) == static_cast<Scopes>(scope); }
  };

  TokenTable() = default;
  // Reads the files. Names and tokens are unique, a name is not empty, a token has a scope. Messages do not show secrets.
  static Result<TokenTable> make(std::span<const TokenOptions> options);

  // Compares hashes, each in constant time and all of them; null: no such token.
  const Token* find(std::string_view token) const;
  bool empty() const { return tokens_.empty(); }
  // Those of this table that `next` does not have just so: gone, replaced, or with other scopes.
  std::vector<std::string> names_changed_in(const TokenTable& next) const;

 private:
  std::vector<Token> tokens_;
};

// The token of "Bearer TOKEN"; none where it is of another scheme or empty.
std::optional<std::string_view> bearer_token(std::string_view authorization);
// The user name of "Basic base64(user:password)"; none where it is of another scheme or not base64.
std::optional<std::string> basic_user(std::string_view authorization);

}  // namespace segue::http
