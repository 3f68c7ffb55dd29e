// SPDX-License-Identifier: Apache-2.0
// Any bytes are a request body with mistakes that have words, or one without; a cursor that is taken is written as it was read; a line of a
// dead-letter file is shown as JSON, or not at all.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lib/base/assert.h"
#include "services/api/csv.h"
#include "services/api/cursor.h"
#include "services/api/dead_letters.h"
#include "services/api/request_body.h"

namespace {

using namespace segue;

void check_body(std::string_view text) {
  api::BodyReader body(text);
  const auto ids = body.texts("user_ids", 1, 3, 16, true, true);
  const auto expression = body.text("expression", 32, true);
  const auto limit = body.number("limit", 1, 1000);
  body.boolean("explain");
  body.choices("include", {"tags", "traits"}, 1);
  const auto& mistakes = body.finish();
  for (const auto& mistake : mistakes) SEGUE_ASSERT(!mistake.message.empty());
  if (!mistakes.empty()) {
    const auto answer = api::mistakes_problem(400, mistakes);
    SEGUE_ASSERT(nlohmann::json::accept(answer.body));
    return;
  }
  SEGUE_ASSERT(ids && !ids->empty() && ids->size() <= 3 && expression && expression->size() <= 32);
  SEGUE_ASSERT(!limit || (*limit >= 1 && *limit <= 1000));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_body(text);
  if (const auto cursor = api::parse_audience_cursor(text)) SEGUE_ASSERT(api::parse_audience_cursor(api::to_text(*cursor)) == cursor);
  if (const auto cursor = api::parse_feed_cursor(text)) SEGUE_ASSERT(api::parse_feed_cursor(api::to_text(*cursor)) == cursor);
  if (const auto cursor = api::parse_feed_cursor(text, "0a1b2c3d")) {
    SEGUE_ASSERT(api::parse_feed_cursor(api::to_text(*cursor, "0a1b2c3d"), "0a1b2c3d") == cursor);
    SEGUE_ASSERT(api::is_feed_cursor(text));
  }
  std::string shown;
  if (api::append_shown(text, shown)) SEGUE_ASSERT(nlohmann::json::accept(shown));
  std::string cell;
  api::append_csv_text(text, cell);
  SEGUE_ASSERT(cell.empty() || std::string_view("=+-@\t\r").find(cell.front()) == std::string_view::npos);
  return 0;
}
