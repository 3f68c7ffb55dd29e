// SPDX-License-Identifier: Apache-2.0
#include "services/api/query_reader.h"

#include <algorithm>
#include <charconv>

#include "lib/codec/json_text.h"

namespace segue::api {

const std::string* QueryReader::find(std::string_view name) {
  known_.push_back(name);
  const std::string* found = nullptr;
  for (const auto& parameter : request_.parameters) {
    if (parameter.name != name) continue;
    if (found != nullptr) refuse(name, "given twice");
    found = &parameter.value;
  }
  return found;
}

void QueryReader::refuse(std::string_view name, std::string message) {
  mistakes_.push_back({.at = std::string(name), .message = "parameter " + std::string(name) + ": " + std::move(message)});
}

std::optional<std::string> QueryReader::text(std::string_view name, size_t most) {
  const std::string* value = find(name);
  if (value == nullptr) return {};
  if (!value->empty() && value->size() <= most && codec::is_utf8(*value)) return *value;
  refuse(name, "not a text of 1 to " + std::to_string(most) + " bytes of UTF-8");
  return {};
}

bool QueryReader::flag(std::string_view name) {
  const std::string* value = find(name);
  if (value == nullptr) return false;
  if (*value != "true" && *value != "false") refuse(name, "neither true nor false");
  return *value == "true";
}

uint64_t QueryReader::number(std::string_view name, uint64_t low, uint64_t high, uint64_t otherwise) {
  const std::string* value = find(name);
  if (value == nullptr) return otherwise;
  uint64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end && number >= low && number <= high) return number;
  refuse(name, "not a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return otherwise;
}

std::vector<size_t> QueryReader::choices(std::string_view name, const std::vector<std::string_view>& allowed) {
  const std::string* value = find(name);
  std::vector<size_t> indices;
  if (value == nullptr) return indices;
  size_t begin = 0;
  for (size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = value->find(',', begin);
    const std::string_view word = std::string_view(*value).substr(begin, end == std::string::npos ? end : end - begin);
    const auto found = std::find(allowed.begin(), allowed.end(), word);
    if (found == allowed.end()) return refuse(name, "not one of the names allowed here" + did_you_mean(word, allowed)), indices;
    const auto index = static_cast<size_t>(found - allowed.begin());
    if (std::find(indices.begin(), indices.end(), index) != indices.end()) return refuse(name, "a name is given twice"), indices;
    indices.push_back(index);
  }
  return indices;
}

std::optional<size_t> QueryReader::choice(std::string_view name, const std::vector<std::string_view>& allowed) {
  const std::string* value = find(name);
  if (value == nullptr) return {};
  const auto found = std::find(allowed.begin(), allowed.end(), *value);
  if (found != allowed.end()) return static_cast<size_t>(found - allowed.begin());
  refuse(name, "not one of the names allowed here" + did_you_mean(*value, allowed));
  return {};
}

const Mistakes& QueryReader::finish() {
  for (const auto& parameter : request_.parameters)
    if (std::find(known_.begin(), known_.end(), parameter.name) == known_.end())
      mistakes_.push_back({.message = "unknown query parameter" + did_you_mean(parameter.name, known_)});
  return mistakes_;
}

}  // namespace segue::api
