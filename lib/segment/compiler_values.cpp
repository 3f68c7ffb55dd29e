// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "lib/base/hash.h"
#include "lib/segment/compiler.h"

namespace segue::segment {
namespace {

using profile::Scope;

constexpr std::string_view kUserDot = "user.";
// Longer windows would need tiles of more than 28 days.
constexpr double kLongestWindowMs = 3650.0 * 86'400'000;

std::string_view without_user(std::string_view name) { return name.starts_with(kUserDot) ? name.substr(kUserDot.size()) : name; }

}  // namespace

Compiler::Typed Compiler::value(const Syntax& syntax) {
  switch (syntax.form) {
    case Form::kNumber:
      return {.type = Type::kNumber, .node = add_number(syntax.number), .constant = true};
    case Form::kDuration:
      return {.type = Type::kDuration, .node = add_number(syntax.number), .constant = true};
    case Form::kDate: {
      compiled_.uses_calendar = true;
      const Time t = compiled_.calendar.from_local(static_cast<int64_t>(syntax.number));
      return {.type = Type::kTime, .node = add_number(static_cast<double>(to_ms(t))), .constant = true};
    }
    case Form::kText:
      return {.type = Type::kText, .constant = true, .text = syntax.text};
    case Form::kName:
      return word_value(syntax);
    case Form::kCall:
      return call_value(syntax);
    case Form::kWindow:
      return wrong_value(syntax, "a window belongs into count(…) or sum(…), as in count(click, 7d before now)");
    case Form::kNegate:
    case Form::kAdd:
    case Form::kSubtract:
    case Form::kMultiply:
    case Form::kDivide:
      return arithmetic(syntax);
    default:
      return {.type = Type::kCondition, .node = condition(syntax)};
  }
}

const Word* Compiler::find_meaning(const Syntax& syntax) {
  if (keyed())
    if (const Word* word = find_word(syntax.text, About::kKey)) return word;
  if (const Word* word = find_word(syntax.text, About::kUser)) return word;
  if (const Word* word = find_word(syntax.text, About::kEvent)) return word;
  return keyed() ? nullptr : find_word(syntax.text, About::kKey);
}

Compiler::Typed Compiler::word_value(const Syntax& syntax) {
  if (syntax.text == "true" || syntax.text == "false") return {.type = Type::kCondition, .constant = true, .text = syntax.text};
  if (is_plain_trait(syntax.text)) return trait_value(syntax, syntax.text);
  const Word* word = find_meaning(syntax);
  if (word == nullptr) {
    const std::string_view near = closest(syntax.text, vocabulary());
    return wrong_value(syntax, "unknown word '" + syntax.text + "'" +
                                   (near.empty() ? "; what a user has stated is written trait(\"" + syntax.text + "\")"
                                                 : "; did you mean '" + std::string(near) + "'?"));
  }
  if (word->about == About::kEvent && !setting_.event)
    return wrong_value(syntax, "'" + syntax.text + "' needs an event: it is known only in moves with 'on'");
  if (word->about == About::kKey) {
    if (!keyed()) return wrong_value(syntax, "'" + syntax.text + "' speaks of a category, brand or item: it is known only in segments with 'for'");
    // Shares change with every key's weight, affinities by a hair when the landmark of all weights moves.
    const bool of_all = word->measure == Measure::kKeyShare || word->measure == Measure::kKeyAffinity;
    (of_all ? condition_.shared_inputs : condition_.inputs) |= traced_types();
  }
  need(word->inputs);
  condition_.uses_stage |= word->of_stage;
  compiled_.uses_calendar |= word->of_calendar;
  if (word->type == Type::kStage) return {.type = Type::kStage};
  if (word->type == Type::kText) return {.type = Type::kText, .source = word->source};
  if (word->type == Type::kCondition) {
    if (setting_.scope != Scope::kItem) return wrong_value(syntax, "'in_cart' is known only in segments with 'for: item'");
    return {.type = Type::kCondition, .node = add_leaf(syntax, nullptr, {.kind = NodeKind::kInCart})};
  }
  return {.type = word->type,
          .node = add({.kind = NodeKind::kMeasure, .measure = word->measure, .index = word->index}),
          .moves = word->measure == Measure::kNow};
}

Compiler::Typed Compiler::call_value(const Syntax& syntax) {
  const std::string_view name = without_user(syntax.text);
  if (name == "count" || name == "sum") return counted(syntax);
  if (name == "last") return last_of_type(syntax);
  if (name == "since") return since(syntax);
  if (name == "affinity" || name == "share") return interest(syntax);
  if (name == "days_until") return days_until(syntax);
  if (name == "trait") {
    if (syntax.children.size() != 1 || syntax.children[0].form != Form::kText || syntax.children[0].text.empty())
      return wrong_value(syntax, "expected one name in quotes, as in trait(\"city\")");
    return trait_value(syntax, syntax.children[0].text);
  }
  if (name == "in_segment" || name == "has_tag") return {.type = Type::kCondition, .node = member_condition(syntax)};
  const std::string_view near = closest(name, {"count", "sum", "last", "since", "affinity", "share", "trait", "days_until", "in_segment", "has_tag"});
  return wrong_value(syntax, "unknown function '" + syntax.text + "'" + (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"));
}

std::optional<event::EventType> Compiler::event_type(const Syntax& syntax) {
  const auto type = syntax.form == Form::kName ? event::find_event_type(syntax.text) : std::nullopt;
  if (type && *type != event::EventType::kDelete) return type;
  const std::vector<std::string_view> names(event::kEventTypeNames.begin(), event::kEventTypeNames.end() - 1);
  const std::string_view near = closest(syntax.text, names);
  wrong(syntax, "expected an event type such as click or purchase" + (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"));
  return std::nullopt;
}

bool Compiler::is_windowed(const Syntax& syntax) const {
  const std::string_view name = without_user(syntax.text);
  return syntax.form == Form::kCall && syntax.children.size() == 2 && (name == "count" || name == "sum");
}

std::optional<Compiler::WindowCall> Compiler::window_call(const Syntax& syntax) {
  WindowCall call;
  call.sum = without_user(syntax.text) == "sum";
  const bool of_key = keyed() && !syntax.text.starts_with(kUserDot);
  if (of_key && call.sum) return wrong(syntax, "sums are kept for the user as a whole: write user.sum(…)"), std::nullopt;
  const auto type = event_type(syntax.children[0]);
  if (!type) return std::nullopt;
  call.type = *type;
  const Syntax& window = syntax.children[1];
  if (window.form == Form::kDuration)
    return wrong(window, "a window says what it ends at: write '" + print_duration(Duration{static_cast<int64_t>(window.number)}) +
                             " before now' or '… before event'"),
           std::nullopt;
  if (window.form != Form::kWindow) return wrong(window, "expected a window such as 7d before now"), std::nullopt;
  call.at_event = window.text == "event";
  if (call.at_event && !setting_.event)
    return wrong(window, "'before event' needs an event: it is known only in moves with 'on'; write 'before now'"), std::nullopt;
  if (!(window.number >= 1) || window.number > kLongestWindowMs) return wrong(window, "a window is 1ms to 3650d long"), std::nullopt;
  call.length = Duration{static_cast<int64_t>(window.number)};
  call.scope = of_key ? setting_.scope : Scope::kUser;
  if (of_key && (traced_types() & bit(call.type)) == 0)
    return wrong(syntax.children[0], "an event of this type leaves no trace on a key: it has no weight under settings"), std::nullopt;
  (of_key ? condition_.inputs : condition_.shared_inputs) |= bit(call.type);
  return call;
}

uint16_t Compiler::reach_window(const Syntax& syntax, const WindowCall& call, uint16_t keep) {
  auto& windows = compiled_.plan.windows;
  for (size_t i = 0; i < windows.size(); ++i) {
    profile::Window& window = windows[i];
    const bool same = window.type == call.type && window.scope == call.scope && window.length == call.length;
    if (!same || (window.keep > 0) != (keep > 0)) continue;
    window.keep = std::max(window.keep, keep);
    return static_cast<uint16_t>(i);
  }
  if (windows.size() == kMaxWindows)
    return wrong(syntax, "a file may have " + std::to_string(kMaxWindows) + " different windows at most"), uint16_t{0};
  constexpr std::array<std::string_view, 4> kScopes = {"user", "category", "brand", "item"};
  profile::Window window{.type = call.type, .scope = call.scope, .length = call.length, .keep = keep};
  if (keep == 0) window.tile_width = profile::tile_width_for(call.length);
  window.id = name_hash(std::string(event::name(call.type)) + ' ' + std::string(kScopes[static_cast<size_t>(call.scope)]) + ' ' +
                        std::to_string(call.length.count()) + (keep > 0 ? " times" : " tiles"));
  windows.push_back(window);
  return static_cast<uint16_t>(windows.size() - 1);
}

Compiler::Typed Compiler::counted(const Syntax& syntax) {
  if (is_windowed(syntax)) {
    const auto call = window_call(syntax);
    if (!call) return {};
    if (call->scope != Scope::kUser) return wrong_value(syntax, "in a keyed segment a windowed count can only be compared with a number");
    const uint16_t window = reach_window(syntax, *call, 0);
    return {.node = add({.kind = NodeKind::kMeasure,
                         .measure = call->sum ? Measure::kWindowSum : Measure::kWindowCount,
                         .at_event = call->at_event,
                         .index = window})};
  }
  if (without_user(syntax.text) == "sum" || syntax.children.size() != 1)
    return wrong_value(syntax, "expected an event type and a window, as in " + syntax.text + "(purchase, 30d before now)");
  const auto type = event_type(syntax.children[0]);
  if (!type) return {};
  if (!keyed() || syntax.text.starts_with(kUserDot)) {
    need(bit(*type));
    return {.node = add({.kind = NodeKind::kMeasure, .measure = Measure::kCount, .index = static_cast<uint16_t>(event::index(*type))})};
  }
  const int place = profile::interest_count(*type);
  if (place < 0) return wrong_value(syntax, "of a key only views, clicks, carts and purchases are counted");
  condition_.inputs |= traced_types();
  return {.node = add({.kind = NodeKind::kMeasure, .measure = Measure::kKeyCount, .index = static_cast<uint16_t>(place)})};
}

Compiler::Typed Compiler::last_of_type(const Syntax& syntax) {
  if (syntax.children.size() != 1) return wrong_value(syntax, "expected one event type, as in last(click)");
  if (keyed() && !syntax.text.starts_with(kUserDot))
    return wrong_value(syntax, "of a key last_seen and last_purchase are known; write user.last(…) for the user's");
  const auto type = event_type(syntax.children[0]);
  if (!type) return {};
  need(bit(*type));
  return {.type = Type::kTime,
          .node = add({.kind = NodeKind::kMeasure, .measure = Measure::kLast, .index = static_cast<uint16_t>(event::index(*type))})};
}

Compiler::Typed Compiler::since(const Syntax& syntax) {
  if (syntax.children.size() != 1) return wrong_value(syntax, "expected one time, as in since(last_purchase)");
  const Typed time = value(syntax.children[0]);
  if (error_) return {};
  if (time.type != Type::kTime)
    return wrong_value(syntax.children[0], "found " + std::string(describe(time.type)) + ", expected a time such as last_purchase");
  const uint32_t now = add({.kind = NodeKind::kMeasure, .measure = Measure::kNow});
  return {.type = Type::kDuration, .node = add({.kind = NodeKind::kSubtract, .left = now, .right = time.node}), .moves = true};
}

Compiler::Typed Compiler::interest(const Syntax& syntax) {
  const bool share = without_user(syntax.text) == "share";
  const bool right = syntax.children.size() == 2 && syntax.children[0].form == Form::kName && syntax.children[1].form == Form::kText;
  const auto scope = right ? find_scope(syntax.children[0].text) : std::nullopt;
  if (!scope) return wrong_value(syntax, "expected category, brand or item and a name in quotes, as in " + syntax.text + "(category, \"shoes\")");
  need(traced_types());
  return {.type = share ? Type::kNumber : Type::kAffinity,
          .node = add({.kind = NodeKind::kMeasure,
                       .measure = share ? Measure::kShare : Measure::kAffinity,
                       .source = static_cast<uint8_t>(*scope),
                       .hash = name_hash(syntax.children[1].text)})};
}

Compiler::Typed Compiler::trait_value(const Syntax&, std::string name) { return {.type = Type::kTrait, .text = std::move(name)}; }

Compiler::Typed Compiler::days_until(const Syntax& syntax) {
  const Typed day = syntax.children.size() == 1 ? value(syntax.children[0]) : Typed{};
  if (day.type != Type::kTrait) return wrong_value(syntax, "expected a trait that holds a date, as in days_until(birthday)");
  need(bit(event::EventType::kIdentify));
  compiled_.uses_calendar = true;
  return {.node = add({.kind = NodeKind::kMeasure, .measure = Measure::kDaysUntil, .index = static_cast<uint16_t>(add_text(day.text))})};
}

Compiler::Typed Compiler::arithmetic(const Syntax& syntax) {
  const auto side = [&](const Syntax& part) {
    Typed typed = value(part);
    if (typed.type != Type::kTrait) return typed;
    need(bit(event::EventType::kIdentify));
    return Typed{.node = add({.kind = NodeKind::kMeasure, .measure = Measure::kTraitNumber, .index = static_cast<uint16_t>(add_text(typed.text))})};
  };
  const bool negates = syntax.form == Form::kNegate;
  const Typed left = negates ? Typed{.node = add_number(-1), .constant = true} : side(syntax.children[0]);
  const Typed right = side(syntax.children[negates ? 0 : 1]);
  if (error_) return {};
  if (negates || syntax.form == Form::kMultiply || syntax.form == Form::kDivide) return product(syntax, left, right);
  const bool adds = syntax.form == Form::kAdd;
  const Type a = left.type;
  const Type b = right.type;
  std::optional<Type> type;
  if (a == b && (a == Type::kNumber || a == Type::kDuration)) type = a;
  if (a == Type::kTime && b == Type::kDuration) type = Type::kTime;
  if (adds && a == Type::kDuration && b == Type::kTime) type = Type::kTime;
  if (!adds && a == Type::kTime && b == Type::kTime) type = Type::kDuration;
  if (!type)
    return wrong_value(syntax, "cannot " + std::string(adds ? "add " : "subtract ") + std::string(describe(adds ? a : b)) +
                                   (adds ? " and " : " from ") + std::string(describe(adds ? b : a)));
  if (left.constant && right.constant) {
    const double x = compiled_.nodes[left.node].number;
    const double y = compiled_.nodes[right.node].number;
    return {.type = *type, .node = add_number(adds ? x + y : x - y), .constant = true};
  }
  const NodeKind kind = adds ? NodeKind::kAdd : NodeKind::kSubtract;
  return {.type = *type, .node = add({.kind = kind, .left = left.node, .right = right.node}), .moves = left.moves || right.moves};
}

Compiler::Typed Compiler::product(const Syntax& syntax, const Typed& left, const Typed& right) {
  const bool divides = syntax.form == Form::kDivide;
  const Type a = left.type;
  const Type b = right.type;
  std::optional<Type> type;
  if (a == Type::kNumber && b == Type::kNumber) type = Type::kNumber;
  if (a == Type::kDuration && b == Type::kNumber) type = Type::kDuration;
  if (!divides && a == Type::kNumber && b == Type::kDuration) type = Type::kDuration;
  if (divides && a == Type::kDuration && b == Type::kDuration) type = Type::kNumber;
  if (!type)
    return wrong_value(syntax, "cannot " + std::string(divides ? "divide " : "multiply ") + std::string(describe(a)) + (divides ? " by " : " and ") +
                                   std::string(describe(b)));
  if (right.moves && (divides || left.moves))
    return wrong_value(syntax, "of values that change with time only one may be multiplied, and none divided by");
  if (left.constant && right.constant && !(divides && compiled_.nodes[right.node].number == 0)) {
    const double x = compiled_.nodes[left.node].number;
    const double y = compiled_.nodes[right.node].number;
    return {.type = *type, .node = add_number(divides ? x / y : x * y), .constant = true};
  }
  const NodeKind kind = divides ? NodeKind::kDivide : NodeKind::kMultiply;
  return {.type = *type, .node = add({.kind = kind, .left = left.node, .right = right.node}), .moves = left.moves || right.moves};
}

// ---- building

uint32_t Compiler::add(Node node) {
  compiled_.nodes.push_back(node);
  return static_cast<uint32_t>(compiled_.nodes.size() - 1);
}

uint32_t Compiler::add_number(double number) { return add({.kind = NodeKind::kNumber, .number = number}); }

uint32_t Compiler::add_leaf(const Syntax& syntax, const Syntax* left, Node node, ComparedUnit unit) {
  const uint32_t index = add(node);
  compiled_.leaves[index] = {slice(syntax), slice(left == nullptr ? syntax : *left), unit};
  return index;
}

uint32_t Compiler::add_text(std::string text) {
  compiled_.texts.push_back(std::move(text));
  return static_cast<uint32_t>(compiled_.texts.size() - 1);
}

// Events that can touch an interest table.
uint32_t Compiler::traced_types() const {
  uint32_t types = 0;
  for (size_t i = 0; i < event::kEventTypes; ++i)
    if (compiled_.plan.weights[i] != 0) types |= 1U << i;
  return types;
}

// The text as written, on one line.
std::string Compiler::slice(const Syntax& syntax) const {
  std::string out;
  for (const char c : text_.substr(std::min(syntax.begin, text_.size()), syntax.end - syntax.begin)) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

uint32_t Compiler::wrong(const Syntax& syntax, std::string message) {
  if (!error_) error_ = TextError{syntax.begin, std::move(message)};
  return 0;
}

}  // namespace segue::segment
