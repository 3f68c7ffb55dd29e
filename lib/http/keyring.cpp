// SPDX-License-Identifier: Apache-2.0
#include "lib/http/keyring.h"

#include <fstream>
#include <sstream>

namespace segue::http {
namespace {

constexpr size_t kMaxTokens = 1000;
constexpr size_t kMaxFileBytes = 1 << 20;

Result<TokenTable> read_token_file(const std::string& path, TokenLines lines) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return fail(ErrorClass::kUsage, path + ": cannot be read");
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) return fail(ErrorClass::kUsage, path + ": is larger than 1 MiB: is it the right file?");
  return parse_token_lines(text, path, lines);
}

}  // namespace

Result<TokenTable> parse_token_lines(std::string_view text, const std::string& file, TokenLines lines) {
  std::vector<TokenOptions> tokens;
  std::istringstream stream{std::string(text)};
  std::string line;
  for (size_t number = 1; std::getline(stream, line); ++number) {
    const auto wrong = [&](const std::string& what) { return fail(ErrorClass::kUsage, file + ":" + std::to_string(number) + ": " + what); };
    std::istringstream words(line);
    TokenOptions token;
    std::string more;
    if (!(words >> token.name) || token.name.front() == '#') continue;
    if (lines == TokenLines::kWriteKeys) {
      token.scopes = "write";
      if (!(words >> token.sha256) || words >> more) return wrong("expected a name and the SHA-256 of a write key");
    } else if (!(words >> token.sha256 >> token.scopes) || words >> more) {
      return wrong("expected NAME SHA256 SCOPES, such as \"shop 9f86… read,admin\"");
    }
    if (tokens.size() == kMaxTokens) return wrong("more than " + std::to_string(kMaxTokens) + " tokens");
    tokens.push_back(std::move(token));
  }
  if (tokens.empty()) return fail(ErrorClass::kUsage, file + ": has no " + (lines == TokenLines::kWriteKeys ? "write key" : "token"));
  auto table = TokenTable::make(tokens);
  if (!table) return fail(ErrorClass::kUsage, file + ": " + table.error().message);
  return table;
}

Result<std::shared_ptr<Keyring>> Keyring::open(std::string path, TokenLines lines) {
  std::shared_ptr<Keyring> ring(new Keyring(std::move(path), lines));
  auto table = read_token_file(ring->path_, lines);
  if (!table) return tl::unexpected<Error>(std::move(table.error()));
  ring->tokens_ = std::make_shared<const TokenTable>(std::move(*table));
  return ring;
}

std::shared_ptr<const TokenTable> Keyring::get() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

Result<std::vector<std::string>> Keyring::reload() {
  if (is_fixed()) return {};
  auto table = read_token_file(path_, lines_);
  if (!table) return tl::unexpected<Error>(std::move(table.error()));
  auto next = std::make_shared<const TokenTable>(std::move(*table));
  const auto before = get();
  {
    const std::lock_guard lock(mutex_);
    tokens_ = next;
  }
  return before->names_changed_in(*next);
}

}  // namespace segue::http
