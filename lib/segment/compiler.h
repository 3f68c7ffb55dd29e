// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/segment/program.h"
#include "lib/segment/syntax.h"
#include "lib/segment/vocabulary.h"

namespace segue::segment {

// What a condition may speak of.
struct Setting {
  profile::Scope scope = profile::Scope::kUser;  // of the keyed segment
  bool event = false;                            // a move on events: event.*, windows before event
  bool memberships = false;                      // in_segment and has_tag: not within the lifecycle, which is evaluated first
};

// The most nodes of all conditions of a file together.
inline constexpr size_t kMaxNodes = 20'000;
// The most windows of one file: bounds what a profile keeps for them.
inline constexpr size_t kMaxWindows = 256;

// Named expressions of the file, written out.
using NamedTraits = std::map<std::string, Syntax, std::less<>>;

// Replaces every name that is a trait of the file by its expression; positions become those of the name.
tl::expected<Syntax, TextError> expand(const Syntax& syntax, const NamedTraits& traits);

// Checks the types of conditions and compiles them into a Compiled, whose settings, stages and earlier definitions are in place already.
class Compiler {
 public:
  explicit Compiler(Compiled& compiled) : compiled_(compiled) {}

  // `text` is what the syntax was parsed from, before expansion.
  tl::expected<Condition, TextError> compile(const Syntax& syntax, std::string_view text, const Setting& setting);
  // The same for an expression of any type: nothing comes of it but its mistakes.
  std::optional<TextError> check(const Syntax& syntax, const Setting& setting);
  // Gives the windows their places, after the last condition.
  void place_windows();

 private:
  // An expression whose type is known. Values have a node; texts and traits are only looked at by what they are compared with.
  struct Typed {
    Type type = Type::kNumber;
    uint32_t node = 0;
    bool constant = false;  // of the text: node is a kNumber, or `text` stands for itself
    bool moves = false;     // changes with time: at most one side of a product may
    TextSource source = TextSource::kTrait;
    std::string text;  // a text constant, or the name of a trait
  };

  uint32_t condition(const Syntax& syntax);
  uint32_t joined(const Syntax& syntax);
  uint32_t word_condition(const Syntax& syntax);
  uint32_t call_condition(const Syntax& syntax);
  uint32_t member_condition(const Syntax& syntax);
  uint32_t comparison(const Syntax& syntax, Comparison comparison, const Syntax& left, const Syntax& right);
  uint32_t typed_comparison(const Syntax& syntax, Comparison comparison, const Typed& left, const Typed& right);
  uint32_t text_comparison(const Syntax& syntax, Comparison comparison, const Typed& left, const Typed& right);
  uint32_t trait_comparison(const Syntax& syntax, Comparison comparison, const Typed& trait, const Typed& other);
  uint32_t stage_condition(const Syntax& syntax, const std::vector<const Syntax*>& stages);
  uint32_t window_comparison(const Syntax& syntax, const Syntax& call, Comparison comparison, double number);
  uint32_t list(const Syntax& syntax);
  uint32_t contains(const Syntax& syntax);
  uint32_t known(const Syntax& syntax);
  uint32_t falls_in(const Syntax& syntax);

  Typed value(const Syntax& syntax);
  Typed word_value(const Syntax& syntax);
  Typed call_value(const Syntax& syntax);
  Typed counted(const Syntax& syntax);
  Typed last_of_type(const Syntax& syntax);
  Typed since(const Syntax& syntax);
  Typed interest(const Syntax& syntax);
  Typed arithmetic(const Syntax& syntax);
  Typed product(const Syntax& syntax, const Typed& left, const Typed& right);
  Typed trait_value(const Syntax& syntax, std::string name);
  Typed days_until(const Syntax& syntax);

  // A windowed count or sum as written, checked.
  struct WindowCall {
    event::EventType type = event::EventType::kView;
    profile::Scope scope = profile::Scope::kUser;
    Duration length{0};
    bool sum = false;
    bool at_event = false;
  };
  std::optional<WindowCall> window_call(const Syntax& syntax);
  bool is_windowed(const Syntax& syntax) const;
  uint16_t reach_window(const Syntax& syntax, const WindowCall& call, uint16_t keep);
  const Word* find_meaning(const Syntax& syntax);
  std::optional<event::EventType> event_type(const Syntax& syntax);

  uint32_t add(Node node);
  uint32_t add_number(double number);
  uint32_t add_leaf(const Syntax& syntax, const Syntax* left, Node node, ComparedUnit unit = ComparedUnit::kNumber);
  uint32_t add_text(std::string text);
  uint32_t traced_types() const;
  // Events of these types can change the condition, whatever the key.
  void need(uint32_t types) { condition_.shared_inputs |= types; }
  bool keyed() const { return setting_.scope != profile::Scope::kUser; }
  std::string slice(const Syntax& syntax) const;
  // Remembers the first mistake; what is returned is never used.
  uint32_t wrong(const Syntax& syntax, std::string message);
  Typed wrong_value(const Syntax& syntax, std::string message) { return {.node = wrong(syntax, std::move(message))}; }

  Compiled& compiled_;
  Setting setting_;
  std::string_view text_;
  Condition condition_;
  std::optional<TextError> error_;
};

}  // namespace segue::segment
