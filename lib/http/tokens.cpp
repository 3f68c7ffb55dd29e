// SPDX-License-Identifier: Apache-2.0
#include "lib/http/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <fstream>

#include "lib/http/message.h"

namespace segue::http {
namespace {

constexpr std::pair<Scope, std::string_view> kScopes[] = {
    {Scope::kRead, "read"}, {Scope::kWrite, "write"}, {Scope::kAdmin, "admin"}, {Scope::kErase, "erase"}};
// Shorter ones can be guessed.
constexpr size_t kLeastTokenBytes = 16;

Result<Sha256> hash_of(const TokenOptions& options) {
  if (options.file.empty()) return parse_sha256(options.sha256);
  if (!options.sha256.empty()) return fail(ErrorClass::kUsage, "has both sha256 and file");
  std::ifstream file(options.file);
  std::string token;
  if (!std::getline(file, token)) return fail(ErrorClass::kUsage, "file " + options.file + " cannot be read or is empty");
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.size() < kLeastTokenBytes) {
    return fail(ErrorClass::kUsage, "file " + options.file + " has a token of less than " + std::to_string(kLeastTokenBytes) + " characters");
  }
  return sha256(token);
}

std::optional<std::string_view> credentials(std::string_view authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return std::nullopt;
  if (!equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
  authorization.remove_prefix(scheme.size());
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  if (authorization.empty()) return std::nullopt;
  return authorization;
}

}  // namespace

std::string_view scope_name(Scope scope) {
  for (const auto& [value, name] : kScopes)
    if (value == scope) return name;
  return "none";
}

Result<Scopes> parse_scopes(std::string_view text) {
  Scopes scopes = 0;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    const auto found = std::find_if(std::begin(kScopes), std::end(kScopes), [&](const auto& scope) { return scope.second == word; });
    if (found == std::end(kScopes)) {
      return fail(ErrorClass::kUsage, "\"" + std::string(word) + "\" is no scope; there are read, write, admin and erase");
    }
    scopes = static_cast<Scopes>(scopes | static_cast<Scopes>(found->first));
  }
  return scopes;
}

Sha256 sha256(std::string_view bytes) {
  Sha256 hash;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  return hash;
}

Result<Sha256> parse_sha256(std::string_view hex) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  Sha256 hash;
  bool right = hex.size() == 2 * hash.size();
  for (size_t i = 0; right && i < hash.size(); ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    right = high >= 0 && low >= 0;
    hash[i] = static_cast<uint8_t>(high * 16 + low);
  }
  if (!right) return fail(ErrorClass::kUsage, "a SHA-256 has 64 hexadecimal digits, as `sha256sum` prints them");
  return hash;
}

Result<TokenTable> TokenTable::make(std::span<const TokenOptions> options) {
  TokenTable table;
  for (const TokenOptions& one : options) {
    const auto wrong = [&](const std::string& what) { return fail(ErrorClass::kUsage, "token \"" + one.name + "\": " + what); };
    if (one.name.empty()) return fail(ErrorClass::kUsage, "a token has no name");
    const auto hash = hash_of(one);
    if (!hash) return wrong(hash.error().message);
    const auto scopes = parse_scopes(one.scopes);
    if (!scopes) return wrong(scopes.error().message);
    if (*scopes == 0) return wrong("has no scope");
    for (const Token& other : table.tokens_) {
      if (other.name == one.name) return wrong("is there twice");
      if (other.sha256 == *hash) return wrong("is the same as \"" + other.name + "\"");
    }
    table.tokens_.push_back({one.name, *hash, *scopes});
  }
  return table;
}

const TokenTable::Token* TokenTable::find(std::string_view token) const {
  const Sha256 hash = sha256(token);
  const Token* found = nullptr;
  for (const Token& one : tokens_)
    if (CRYPTO_memcmp(one.sha256.data(), hash.data(), hash.size()) == 0) found = &one;
  return found;
}

std::vector<std::string> TokenTable::names_changed_in(const TokenTable& next) const {
  std::vector<std::string> names;
  for (const Token& token : tokens_)
    if (std::find(next.tokens_.begin(), next.tokens_.end(), token) == next.tokens_.end()) names.push_back(token.name);
  return names;
}

std::optional<std::string_view> bearer_token(std::string_view authorization) { return credentials(authorization, "Bearer"); }

std::optional<std::string> basic_user(std::string_view authorization) {
  const auto encoded = credentials(authorization, "Basic");
  if (!encoded || encoded->size() % 4 != 0 || encoded->size() > 4096) return std::nullopt;
  std::string bytes(encoded->size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(encoded->data()),
                                     static_cast<int>(encoded->size()));
  if (length < 0) return std::nullopt;
  bytes.resize(static_cast<size_t>(length));
  // The padding's bytes are NUL here; a name has none.
  return bytes.substr(0, std::min(bytes.find(':'), bytes.find('\0')));
}

}  // namespace segue::http
