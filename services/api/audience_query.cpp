// SPDX-License-Identifier: Apache-2.0
#include "services/api/audience_query.h"

#include <algorithm>

#include "lib/base/hash.h"

namespace segue::api {
namespace {

// Bare where that is surely right, so that people need not think about it.
void append_name(std::string_view name, std::string& out) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (!name.empty() && std::all_of(name.begin(), name.end(), is_plain)) {
    out += name;
    return;
  }
  out += '"';
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

std::shared_ptr<const AudienceQuery> AudienceQuery::make(const std::vector<std::string>& texts, const segment::Definitions& definitions,
                                                         const std::vector<std::string>& at, Mistakes& mistakes) {
  auto query = std::make_shared<AudienceQuery>();
  query->texts_ = texts;
  query->definitions_ = definitions.hash();
  for (size_t i = 0; i < texts.size(); ++i) {
    auto expression = audience::Expression::parse(texts[i], definitions);
    if (expression) query->expressions_.push_back(std::move(*expression));
    if (!expression) mistakes.push_back({.at = at[i], .column = static_cast<int>(expression.error().column), .message = expression.error().message});
  }
  return query;
}

uint64_t AudienceQuery::fingerprint() const {
  uint64_t hash = hash64(definitions_);
  for (const auto& text : texts_) hash = hash64(text, hash);
  return hash;
}

std::string set_expression(std::string_view kind, std::string_view name, std::string_view key) {
  std::string out = std::string(kind) + ":";
  append_name(name, out);
  if (key.empty()) return out;
  out += '[';
  append_name(key, out);
  return out + "]";
}

}  // namespace segue::api
