// SPDX-License-Identifier: Apache-2.0
#include "services/api/problem.h"

#include <algorithm>

#include "lib/codec/json_writer.h"
#include "lib/config/key_table.h"
#include "lib/telemetry/log.h"

namespace segue::api {
namespace {

// Long enough for a partition to move on, short enough that a person waits for it.
constexpr std::string_view kRetryAfterSeconds = "2";

}  // namespace

http::Response mistakes_problem(unsigned status, const Mistakes& mistakes) {
  std::string body;
  codec::JsonWriter json(body);
  const Mistake& first = mistakes.front();
  json.begin_object();
  json.name("type"), json.string("about:blank");
  json.name("title"), json.string(http::reason_phrase(status));
  json.name("status"), json.unsigned_integer(status);
  json.name("detail"), json.string(first.at.empty() || first.at.front() != '/' ? first.message : first.at + ": " + first.message);
  json.name("errors"), json.begin_array();
  for (size_t i = 0; i < std::min(mistakes.size(), kMaxMistakes); ++i) {
    json.begin_object();
    if (!mistakes[i].at.empty()) json.name("at"), json.string(mistakes[i].at);
    if (mistakes[i].line > 0) json.name("line"), json.integer(mistakes[i].line);
    if (mistakes[i].column > 0) json.name("column"), json.integer(mistakes[i].column);
    json.name("message"), json.string(mistakes[i].message);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return {.status = status, .content_type = "application/problem+json", .body = std::move(body)};
}

http::Response away_problem(std::string_view detail) {
  http::Response response = http::problem(503, detail);
  response.headers.push_back({"Retry-After", std::string(kRetryAfterSeconds)});
  return response;
}

http::Response definitions_change() { return away_problem("new definitions are coming into force"); }

http::Response error_problem(const Error& error) {
  if (error.kind == ErrorClass::kRetry) return away_problem("this cannot be read at the moment");
  telemetry::log::error("the API cannot answer", {{"reason", error.message}});
  return http::problem(500, "this cannot be read; the log of the server says why");
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names) {
  const auto near = config::nearest(word, names);
  return near.empty() ? std::string() : " (is it \"" + std::string(near) + "\"?)";
}

http::Response json_answer(std::string body, unsigned status) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

}  // namespace segue::api
