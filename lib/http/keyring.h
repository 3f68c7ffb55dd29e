// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/tokens.h"

namespace segue::http {

// How a line of a file names a token. Empty lines and those that begin with # say nothing.
enum class TokenLines : uint8_t {
  kTokens,     // NAME SHA256 SCOPES, such as "shop 9f86… read,admin"
  kWriteKeys,  // NAME SHA256, of a collector; the scope is write
};

// At least one token, at most 1,000. kUsage names file and line, and shows no secret.
Result<TokenTable> parse_token_lines(std::string_view text, const std::string& file, TokenLines lines);

// The tokens in force, which a file can replace while requests come. Thread-safe.
class Keyring {
 public:
  // Of a file that can be read again.
  static Result<std::shared_ptr<Keyring>> open(std::string path, TokenLines lines);
  // Fixed ones.
  explicit Keyring(std::shared_ptr<const TokenTable> tokens) : tokens_(std::move(tokens)) {}

  // Never null.
  std::shared_ptr<const TokenTable> get() const;
  bool is_fixed() const { return path_.empty(); }
  // Reads the file again: the names of tokens that are not as they were. An error leaves the old ones in force.
  Result<std::vector<std::string>> reload();

 private:
  Keyring(std::string path, TokenLines lines) : path_(std::move(path)), lines_(lines) {}

  const std::string path_;
  const TokenLines lines_ = TokenLines::kTokens;
  mutable std::mutex mutex_;
  std::shared_ptr<const TokenTable> tokens_;  // guarded by mutex_
};

}  // namespace segue::http
