// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/api/problem.h"

namespace segue::api {

// Reads the query of a request, and collects what is wrong with it. A parameter that is given twice is wrong.
class QueryReader {
 public:
  explicit QueryReader(const http::Request& request) : request_(request) {}

  // UTF-8 of 1 to `most` bytes.
  std::optional<std::string> text(std::string_view name, size_t most);
  // "true" or "false".
  bool flag(std::string_view name);
  uint64_t number(std::string_view name, uint64_t low, uint64_t high, uint64_t otherwise);
  // One or more of a list, separated by commas, as indices into it. Empty where it is not given.
  std::vector<size_t> choices(std::string_view name, const std::vector<std::string_view>& allowed);
  std::optional<size_t> choice(std::string_view name, const std::vector<std::string_view>& allowed);

  // Last: also tells the parameters that nobody asked for.
  const Mistakes& finish();

 private:
  const std::string* find(std::string_view name);
  void refuse(std::string_view name, std::string message);

  const http::Request& request_;
  std::vector<std::string_view> known_;
  Mistakes mistakes_;
};

}  // namespace segue::api
