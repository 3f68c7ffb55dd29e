// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/api/problem.h"

namespace segue::api {

inline constexpr size_t kMaxBodyBytes = size_t{1} << 20;
inline constexpr size_t kMaxBodyDepth = 16;

// 415 for a body that does not say that it is JSON: also what keeps a page of another site from sending one. A route's gate.
std::optional<http::Response> refuse_unless_json(const http::Request& request);

// Reads the members of a request's JSON object, and collects what is wrong with them: another type, out of range, unknown, given twice.
class BodyReader {
 public:
  // Takes RFC 8259 JSON: an object, at most kMaxBodyDepth deep, no name twice in one object.
  explicit BodyReader(std::string_view body);

  // 1 to `most` bytes; empty with a mistake where the member is not so.
  std::optional<std::string> text(std::string_view name, size_t most, bool required);
  std::optional<bool> boolean(std::string_view name);
  std::optional<uint64_t> number(std::string_view name, uint64_t low, uint64_t high);
  // `count` of them, each finite as a float.
  std::optional<std::vector<float>> floats(std::string_view name, size_t count);
  // Each of 1 to `most_bytes` bytes; none twice where `distinct`.
  std::optional<std::vector<std::string>> texts(std::string_view name, size_t least, size_t most, size_t most_bytes, bool required, bool distinct);
  // Texts out of a list, as indices into it.
  std::optional<std::vector<size_t>> choices(std::string_view name, const std::vector<std::string_view>& allowed, size_t least);

  void refuse(std::string at, std::string message) { mistakes_.push_back({.at = std::move(at), .message = std::move(message)}); }
  // Last: also tells the members that nobody asked for.
  const Mistakes& finish();

 private:
  const nlohmann::json* find(std::string_view name, bool required);

  nlohmann::json body_;
  std::vector<std::string_view> known_;
  Mistakes mistakes_;
};

}  // namespace segue::api
