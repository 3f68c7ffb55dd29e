// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "lib/base/arena.h"
#include "lib/codec/json_text.h"
#include "lib/codec/tracking_call.h"
#include "lib/event/event.h"

namespace segue::codec {

// Reads the values of a tracking call leniently: a number may be text, an id a number; what is of no use is absent and counted. Requires that
// JsonText::is_valid() has proved the text.
class TrackingFields {
 public:
  TrackingFields(const JsonText& text, Arena& arena, uint64_t& ignored) : text_(text), arena_(arena), ignored_(ignored) {}

  // Text or the digits of a whole number, of any length; empty for anything else.
  std::string_view id(uint32_t token);
  // The same up to `limit` bytes; beyond, and for anything else but null, empty and counted.
  std::string_view text(uint32_t token, size_t limit);
  std::string_view name(uint32_t token) { return text(token, event::kMaxNameBytes); }
  // ISO 8601, or whole milliseconds since 1970; empty for anything else.
  std::optional<Time> time(uint32_t token) const;

  // Sets what the event's type takes from "properties" at `token`; 0: there are none.
  std::optional<SkipReason> read_properties(uint32_t token, event::Event& event);
  // Flattens the object at `token`.
  void read_traits(uint32_t token, event::Event& event);

 private:
  struct Line;
  struct TraitList;

  bool is_absent(uint32_t token) const { return token == 0 || text_.is_null(token); }
  std::string_view first_name(std::initializer_list<uint32_t> tokens);
  // A number, or text that is one; false for anything else.
  bool number(uint32_t token, double& out) const;
  bool price(uint32_t token, Money& out);
  bool quantity(uint32_t token, int64_t& out);
  std::optional<SkipReason> read_line(const Line& from, bool counts_money, event::Item& line);
  std::optional<SkipReason> read_products(uint32_t token, event::Event& event);
  std::optional<SkipReason> read_money(std::initializer_list<uint32_t> tokens, event::Event& event);
  void flatten(uint32_t token, std::string_view prefix, unsigned depth, TraitList& list);

  const JsonText& text_;
  Arena& arena_;
  uint64_t& ignored_;
};

}  // namespace segue::codec
