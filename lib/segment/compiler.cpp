// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/compiler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/hash.h"

namespace segue::segment {
namespace {

using profile::Scope;

// Expansion may write an expression out at most this large.
constexpr size_t kMaxExpandedNodes = 4 * kMaxSyntaxNodes;

void relocate(Syntax& syntax, size_t begin, size_t end) {
  syntax.begin = begin;
  syntax.end = end;
  for (Syntax& child : syntax.children) relocate(child, begin, end);
}

// False when the expression becomes too large.
bool expand_into(const Syntax& syntax, const NamedTraits& traits, Syntax& out, size_t& nodes) {
  if (++nodes > kMaxExpandedNodes) return false;
  const auto trait = syntax.form == Form::kName ? traits.find(syntax.text) : traits.end();
  if (trait != traits.end()) {
    nodes += count_nodes(trait->second);
    if (nodes > kMaxExpandedNodes) return false;
    out = trait->second;
    relocate(out, syntax.begin, syntax.end);
    return true;
  }
  std::vector<Syntax> children(syntax.children.size());
  for (size_t i = 0; i < children.size(); ++i)
    if (!expand_into(syntax.children[i], traits, children[i], nodes)) return false;
  out.form = syntax.form;
  out.comparison = syntax.comparison;
  out.begin = syntax.begin;
  out.end = syntax.end;
  out.number = syntax.number;
  out.text = syntax.text;
  out.children = std::move(children);
  return true;
}

// The whole numbers n for which `n comparison number` holds are low..high, or (outside) all others.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  bool outside = false;
};
Range range_of(Comparison comparison, double number) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool whole = std::floor(number) == number;
  switch (comparison) {
    case Comparison::kGreaterEqual:
      return {std::ceil(number), kInfinity};
    case Comparison::kGreater:
      return {std::floor(number) + 1, kInfinity};
    case Comparison::kLess:
      return {0, std::ceil(number) - 1};
    case Comparison::kLessEqual:
      return {0, std::floor(number)};
    case Comparison::kEqual:
      return whole ? Range{number, number} : Range{1, 0};
    case Comparison::kNotEqual:
      return whole ? Range{number, number, true} : Range{1, 0, true};
  }
  return {};
}

}  // namespace

tl::expected<Syntax, TextError> expand(const Syntax& syntax, const NamedTraits& traits) {
  Syntax out;
  size_t nodes = 0;
  if (!expand_into(syntax, traits, out, nodes)) return tl::unexpected(TextError{syntax.begin, "this is too long once its traits are written out"});
  return out;
}

tl::expected<Condition, TextError> Compiler::compile(const Syntax& syntax, std::string_view text, const Setting& setting) {
  setting_ = setting;
  text_ = text;
  condition_ = Condition{};
  error_.reset();
  condition_.root = condition(syntax);
  if (setting.scope != Scope::kUser) condition_.inputs |= traced_types();
  condition_.inputs |= condition_.shared_inputs;
  if (error_) return tl::unexpected(*error_);
  if (compiled_.nodes.size() > kMaxNodes || compiled_.texts.size() > kMaxNodes)
    return tl::unexpected(TextError{0, "the conditions of this file are too many"});
  print(syntax, condition_.canonical);
  condition_.text = slice(Syntax{.begin = 0, .end = text.size()});
  return condition_;
}

std::optional<TextError> Compiler::check(const Syntax& syntax, const Setting& setting) {
  setting_ = setting;
  text_ = {};
  error_.reset();
  if (syntax.form >= Form::kCompare)
    condition(syntax);
  else if (value(syntax).type == Type::kCondition)
    condition(syntax);
  return error_;
}

void Compiler::place_windows() {
  profile::Plan& plan = compiled_.plan;
  for (profile::Window& window : plan.windows) {
    if (window.keep == 0) continue;
    uint16_t& slots = window.scope == Scope::kUser ? plan.recent_slots : plan.keyed_slots[interest_index(window.scope)];
    window.slot = slots;
    slots = static_cast<uint16_t>(slots + window.keep);
  }
}

// ---- conditions

uint32_t Compiler::condition(const Syntax& syntax) {
  switch (syntax.form) {
    case Form::kAnd:
    case Form::kOr:
      return joined(syntax);
    case Form::kNot:
      return add({.kind = NodeKind::kNot, .left = condition(syntax.children[0])});
    case Form::kCompare:
      return comparison(syntax, syntax.comparison, syntax.children[0], syntax.children[1]);
    case Form::kIn:
      return list(syntax);
    case Form::kContains:
      return contains(syntax);
    case Form::kKnown:
      return known(syntax);
    case Form::kWithin:
      return falls_in(syntax);
    case Form::kName:
      return word_condition(syntax);
    case Form::kCall:
      return call_condition(syntax);
    default: {
      const Typed found = value(syntax);
      return wrong(syntax, "found " + std::string(describe(found.type)) + ", expected a condition such as orders >= 2");
    }
  }
}

uint32_t Compiler::joined(const Syntax& syntax) {
  const NodeKind kind = syntax.form == Form::kAnd ? NodeKind::kAnd : NodeKind::kOr;
  uint32_t left = condition(syntax.children[0]);
  for (size_t i = 1; i < syntax.children.size(); ++i) {
    const uint32_t right = condition(syntax.children[i]);
    left = add({.kind = kind, .left = left, .right = right});
  }
  return left;
}

uint32_t Compiler::word_condition(const Syntax& syntax) {
  if (syntax.text == "true" || syntax.text == "false") return add_leaf(syntax, nullptr, {.kind = NodeKind::kAlways, .flag = syntax.text == "true"});
  const Typed found = word_value(syntax);
  if (found.type == Type::kTrait) {
    need(bit(event::EventType::kIdentify));
    return add_leaf(syntax, nullptr, {.kind = NodeKind::kTraitIs, .flag = true, .index = static_cast<uint16_t>(add_text(found.text))});
  }
  if (found.type == Type::kCondition) return found.node;
  return wrong(syntax, "found " + std::string(describe(found.type)) + ", expected a condition such as " + syntax.text + " >= 2");
}

uint32_t Compiler::call_condition(const Syntax& syntax) {
  if (syntax.text == "in_segment" || syntax.text == "has_tag") return member_condition(syntax);
  const Typed found = call_value(syntax);
  if (found.type != Type::kTrait)
    return wrong(syntax, "found " + std::string(describe(found.type)) + ", expected a condition: compare it, as in >= 2");
  need(bit(event::EventType::kIdentify));
  return add_leaf(syntax, nullptr, {.kind = NodeKind::kTraitIs, .flag = true, .index = static_cast<uint16_t>(add_text(found.text))});
}

uint32_t Compiler::member_condition(const Syntax& syntax) {
  const bool segment = syntax.text == "in_segment";
  if (!setting_.memberships)
    return wrong(syntax,
                 "the lifecycle is evaluated before segments and tags and cannot ask for them: name the condition under traits and use it in both");
  if (syntax.children.size() != 1 || syntax.children[0].form != Form::kText)
    return wrong(syntax, "expected one name in quotes, as in " + syntax.text + "(\"loyal\")");
  const std::string& name = syntax.children[0].text;
  std::vector<std::string_view> names;
  for (size_t i = 0; i < compiled_.definitions.size(); ++i) {
    const Definition& definition = compiled_.definitions[i];
    if (definition.kind != (segment ? DefinitionKind::kSegment : DefinitionKind::kTag)) continue;
    names.push_back(definition.name);
    if (definition.name != name) continue;
    need(definition.when.inputs);
    condition_.uses_stage |= definition.when.uses_stage;
    return add_leaf(syntax, nullptr, {.kind = NodeKind::kMember, .index = static_cast<uint16_t>(i)});
  }
  const std::string_view near = closest(name, names);
  return wrong(syntax.children[0], "there is no " + std::string(segment ? "segment" : "tag") + " \"" + name + "\" without a key above this one" +
                                       (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
}

uint32_t Compiler::comparison(const Syntax& syntax, Comparison comparison, const Syntax& left, const Syntax& right) {
  if (left.form == Form::kName && find_meaning(left) != nullptr && find_meaning(left)->type == Type::kStage) {
    if (comparison != Comparison::kEqual && comparison != Comparison::kNotEqual) return wrong(syntax, "the stage can be compared with = and != only");
    const uint32_t is = stage_condition(syntax, {&right});
    return comparison == Comparison::kEqual ? is : add({.kind = NodeKind::kNot, .left = is});
  }
  if (is_windowed(left)) {
    const Typed number = value(right);
    if (number.constant && number.type == Type::kNumber) return window_comparison(syntax, left, comparison, compiled_.nodes[number.node].number);
    return typed_comparison(syntax, comparison, value(left), number);
  }
  if (is_windowed(right)) {
    const Typed number = value(left);
    if (number.constant && number.type == Type::kNumber)
      return window_comparison(syntax, right, mirrored(comparison), compiled_.nodes[number.node].number);
    return typed_comparison(syntax, comparison, number, value(right));
  }
  const Typed first = value(left);
  return typed_comparison(syntax, comparison, first, value(right));
}

uint32_t Compiler::typed_comparison(const Syntax& syntax, Comparison comparison, const Typed& left, const Typed& right) {
  if (error_) return 0;
  if (left.type == Type::kTrait) return trait_comparison(syntax, comparison, left, right);
  if (right.type == Type::kTrait) return trait_comparison(syntax, mirrored(comparison), right, left);
  if (left.type == Type::kText && right.type == Type::kText) return text_comparison(syntax, comparison, left, right);
  const bool affinity = left.type == Type::kAffinity || right.type == Type::kAffinity;
  const bool equality = comparison == Comparison::kEqual || comparison == Comparison::kNotEqual;
  if (affinity && equality) return wrong(syntax, "an affinity falls all the time: compare it with >, >=, < or <=");
  const auto as_number = [](Type type) { return type == Type::kAffinity ? Type::kNumber : type; };
  const Type type = as_number(left.type);
  if (type != as_number(right.type) || (type != Type::kNumber && type != Type::kDuration && type != Type::kTime)) {
    std::string message = "cannot compare " + std::string(describe(left.type)) + " with " + std::string(describe(right.type));
    if (left.type == Type::kDuration && right.type == Type::kNumber) message += ": write the duration with its unit, such as 30d";
    if (left.type == Type::kTime && right.type == Type::kDuration) message += ": write since(…), or 'at least 30d ago'";
    return wrong(syntax, message);
  }
  if (affinity && (left.moves || right.moves)) return wrong(syntax, "an affinity can be compared with a number or another affinity only");
  const ComparedUnit unit = type == Type::kDuration ? ComparedUnit::kDuration : type == Type::kTime ? ComparedUnit::kTime : ComparedUnit::kNumber;
  return add_leaf(syntax, &syntax.children[0], {.kind = NodeKind::kCompare, .comparison = comparison, .left = left.node, .right = right.node}, unit);
}

uint32_t Compiler::text_comparison(const Syntax& syntax, Comparison comparison, const Typed& left, const Typed& right) {
  if (left.constant == right.constant) return wrong(syntax, "expected a value on one side and a text in quotes on the other");
  if (comparison != Comparison::kEqual && comparison != Comparison::kNotEqual) return wrong(syntax, "texts can be compared with = and != only");
  const Typed& source = left.constant ? right : left;
  const uint32_t text = add_text((left.constant ? left : right).text);
  return add_leaf(syntax, &syntax.children[0],
                  {.kind = NodeKind::kTextIn,
                   .flag = comparison == Comparison::kNotEqual,
                   .source = static_cast<uint8_t>(source.source),
                   .left = text,
                   .right = text + 1});
}

uint32_t Compiler::trait_comparison(const Syntax& syntax, Comparison comparison, const Typed& trait, const Typed& other) {
  need(bit(event::EventType::kIdentify));
  const bool equality = comparison == Comparison::kEqual || comparison == Comparison::kNotEqual;
  const auto name = static_cast<uint16_t>(add_text(trait.text));
  if (other.type == Type::kNumber) {
    const uint32_t left = add({.kind = NodeKind::kMeasure, .measure = Measure::kTraitNumber, .index = name});
    return add_leaf(syntax, &syntax.children[0], {.kind = NodeKind::kCompare, .comparison = comparison, .left = left, .right = other.node});
  }
  if (!other.constant || !equality)
    return wrong(syntax, "a trait can be compared with a number, or by = and != with a text in quotes, true or false");
  if (other.type == Type::kCondition)
    return add_leaf(syntax, &syntax.children[0],
                    {.kind = NodeKind::kTraitIs, .flag = (other.text == "true") == (comparison == Comparison::kEqual), .index = name});
  if (other.type != Type::kText) return wrong(syntax, "a trait can be compared with a number, or by = and != with a text in quotes, true or false");
  const uint32_t text = add_text(other.text);
  return add_leaf(syntax, &syntax.children[0],
                  {.kind = NodeKind::kTextIn,
                   .flag = comparison == Comparison::kNotEqual,
                   .source = static_cast<uint8_t>(TextSource::kTrait),
                   .index = name,
                   .left = text,
                   .right = text + 1});
}

uint32_t Compiler::stage_condition(const Syntax& syntax, const std::vector<const Syntax*>& stages) {
  condition_.uses_stage = true;
  Node node{.kind = NodeKind::kStageIn};
  const std::vector<std::string_view> names(compiled_.stages.begin(), compiled_.stages.end());
  for (const Syntax* stage : stages) {
    if (stage->form != Form::kName && stage->form != Form::kText) return wrong(*stage, "expected the name of a stage");
    const auto found = std::find(compiled_.stages.begin(), compiled_.stages.end(), stage->text);
    if (found == compiled_.stages.end()) {
      const std::string_view near = closest(stage->text, names);
      return wrong(*stage, "there is no stage '" + stage->text + "'" + (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"));
    }
    node.hash |= uint64_t{1} << (found - compiled_.stages.begin());
  }
  return add_leaf(syntax, nullptr, node);
}

uint32_t Compiler::window_comparison(const Syntax& syntax, const Syntax& call, Comparison comparison, double number) {
  const auto window = window_call(call);
  if (!window) return 0;
  const Range range = range_of(comparison, number);
  // One more than the last number that matters, so that "exactly 2" can tell 2 from 3.
  const double keep = std::max({1.0, range.low, std::isinf(range.high) ? 0.0 : range.high + 1});
  Node node{.flag = window->sum, .at_event = window->at_event};
  if (!window->sum && keep <= profile::kMaxKeep) {
    node.kind = NodeKind::kCountInRange;
    node.flag = range.outside;
    node.low = range.high < 0 ? 1 : static_cast<uint32_t>(std::max(0.0, range.low));
    node.high = std::isinf(range.high) ? std::numeric_limits<uint32_t>::max() : static_cast<uint32_t>(std::max(0.0, range.high));
    node.index = reach_window(call, *window, static_cast<uint16_t>(keep));
  } else {
    if (window->scope != Scope::kUser)
      return wrong(syntax,
                   "in a keyed segment a windowed count can be compared with numbers up to " + std::to_string(profile::kMaxKeep - 1) + " only");
    node.kind = NodeKind::kTiledCompare;
    node.comparison = comparison;
    node.number = number;
    node.index = reach_window(call, *window, 0);
  }
  return add_leaf(syntax, &call, node);
}

uint32_t Compiler::list(const Syntax& syntax) {
  const Syntax& subject = syntax.children[0];
  const bool negative = syntax.comparison == Comparison::kNotEqual;
  std::vector<const Syntax*> items;
  bool texts = true;
  for (size_t i = 1; i < syntax.children.size(); ++i) items.push_back(&syntax.children[i]), texts &= syntax.children[i].form == Form::kText;
  if (subject.form == Form::kName && find_meaning(subject) != nullptr && find_meaning(subject)->type == Type::kStage) {
    const uint32_t is = stage_condition(syntax, items);
    return negative ? add({.kind = NodeKind::kNot, .left = is}) : is;
  }
  if (texts) {
    const Typed found = value(subject);
    if (error_) return 0;
    if (found.constant || (found.type != Type::kText && found.type != Type::kTrait))
      return wrong(subject, "found " + std::string(describe(found.type)) + ", expected a text before 'in' and a list of texts");
    Node node{.kind = NodeKind::kTextIn, .flag = negative, .source = static_cast<uint8_t>(found.source)};
    if (found.type == Type::kTrait) need(bit(event::EventType::kIdentify)), node.index = static_cast<uint16_t>(add_text(found.text));
    node.left = static_cast<uint32_t>(compiled_.texts.size());
    for (const Syntax* item : items) compiled_.texts.push_back(item->text);
    node.right = static_cast<uint32_t>(compiled_.texts.size());
    return add_leaf(syntax, &subject, node);
  }
  uint32_t all = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const uint32_t one = comparison(syntax, syntax.comparison, subject, *items[i]);
    all = i == 0 ? one : add({.kind = negative ? NodeKind::kAnd : NodeKind::kOr, .left = all, .right = one});
  }
  return all;
}

uint32_t Compiler::contains(const Syntax& syntax) {
  const Typed found = value(syntax.children[0]);
  if (error_) return 0;
  if (found.constant || (found.type != Type::kText && found.type != Type::kTrait))
    return wrong(syntax, "found " + std::string(describe(found.type)) + ", expected a text before 'contains'");
  Node node{.kind = NodeKind::kTextContains, .source = static_cast<uint8_t>(found.source)};
  if (found.type == Type::kTrait) need(bit(event::EventType::kIdentify)), node.index = static_cast<uint16_t>(add_text(found.text));
  node.left = add_text(syntax.children[1].text);
  return add_leaf(syntax, &syntax.children[0], node);
}

uint32_t Compiler::known(const Syntax& syntax) {
  const Typed found = value(syntax.children[0]);
  if (error_) return 0;
  Node node{.kind = NodeKind::kKnown, .source = static_cast<uint8_t>(found.source), .left = found.node};
  if (found.constant || found.type == Type::kStage || found.type == Type::kCondition) return wrong(syntax, "this is always known");
  if (found.type == Type::kText) node.kind = NodeKind::kTextKnown;
  if (found.type == Type::kTrait) {
    need(bit(event::EventType::kIdentify));
    node.kind = NodeKind::kTraitKnown;
    node.index = static_cast<uint16_t>(add_text(found.text));
  }
  const uint32_t is = add_leaf(syntax, nullptr, node);
  return syntax.text == "known" ? is : add({.kind = NodeKind::kNot, .left = is});
}

uint32_t Compiler::falls_in(const Syntax& syntax) {
  const Typed found = value(syntax.children[0]);
  if (error_) return 0;
  if (found.type != Type::kTrait)
    return wrong(syntax, "found " + std::string(describe(found.type)) + ", expected a trait that holds a date, such as birthday");
  need(bit(event::EventType::kIdentify));
  compiled_.uses_calendar = true;
  return add_leaf(syntax, nullptr, {.kind = NodeKind::kFallsIn, .flag = syntax.text == "week", .index = static_cast<uint16_t>(add_text(found.text))});
}

}  // namespace segue::segment
