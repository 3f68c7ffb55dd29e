// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/message.h"

namespace segue::api {

// One thing that is wrong with a request, and where.
struct Mistake {
  std::string at;  // a JSON pointer into the body, or a parameter's name; empty: the whole of it
  int line = 0;    // from 1; 0: not known
  int column = 0;
  std::string message;
};
using Mistakes = std::vector<Mistake>;
// The most that an answer names.
inline constexpr size_t kMaxMistakes = 20;

// 400 or 422 with its `errors` (docs/api.md). Requires that there is one.
http::Response mistakes_problem(unsigned status, const Mistakes& mistakes);
// 503 with Retry-After.
http::Response away_problem(std::string_view detail);
// The same while shards, or instances, have other definitions than whoever asks.
http::Response definitions_change();
// What an error of the engine's libraries is to a client: 503 for what may pass, else 500. The message goes to the log, not into the answer.
http::Response error_problem(const Error& error);
// `names` has no user ids; the answer names the one that is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names);

http::Response json_answer(std::string body, unsigned status = 200);

}  // namespace segue::api
