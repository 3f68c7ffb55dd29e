// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/segment/lexer.h"

namespace segue::segment {

enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
std::string_view symbol(Comparison comparison);
// What holds exactly when `comparison` does not, for two known values.
Comparison opposite(Comparison comparison);
// a < b is b > a.
Comparison mirrored(Comparison comparison);

enum class Form : uint8_t {
  kNumber,    // number
  kDuration,  // number: ms
  kDate,      // number: ms of local time
  kText,      // text
  kName,      // text
  kWindow,    // number: ms; text: "now" or "event"
  kCall,      // text: the function; children: arguments
  kNegate,    // children: 1
  kAdd,       // children: 2, and so on for the next three
  kSubtract,
  kMultiply,
  kDivide,
  kCompare,   // comparison; children: 2
  kIn,        // children: the value, then the list; comparison: kEqual, or kNotEqual for `not in`
  kContains,  // children: the value, then a text
  kKnown,     // children: the value; text: "known" or "unknown"
  kWithin,    // children: the value; text: "week" or "month"
  kNot,       // children: 1
  kAnd,       // children: 2 or more
  kOr,
};

// A parsed expression. `between`, `at least … ago` and their like are already written out as comparisons.
struct Syntax {
  Form form = Form::kNumber;
  Comparison comparison = Comparison::kEqual;
  size_t begin = 0;  // byte offsets into the text it was parsed from
  size_t end = 0;
  double number = 0;
  std::string text;
  std::vector<Syntax> children;
};

// Limits that keep evaluation bounded: nodes of one expression, and how deep brackets may nest.
inline constexpr size_t kMaxSyntaxNodes = 512;
inline constexpr size_t kMaxNesting = 40;

tl::expected<Syntax, TextError> parse_expression(std::string_view text);

// One form for all ways to write the same: the text that definitions are hashed by.
void print(const Syntax& syntax, std::string& out);

size_t count_nodes(const Syntax& syntax);

}  // namespace segue::segment
