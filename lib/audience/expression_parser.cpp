// SPDX-License-Identifier: Apache-2.0
// Expression::parse: a recursive descent, its depth bounded.
#include <algorithm>
#include <array>

#include "lib/audience/expression.h"
#include "lib/segment/lexer.h"
#include "lib/yaml/text.h"

namespace segue::audience {
namespace {

using segment::Definition;
using segment::DefinitionKind;

struct Token {
  enum class Kind : uint8_t { kEnd, kWord, kQuoted, kSymbol };
  Kind kind = Kind::kEnd;
  size_t begin = 0;  // byte offset
  std::string text;  // kSymbol: ( ) [ ] :
};

// What a Chinese keyboard writes.
constexpr std::array<std::pair<std::string_view, char>, 11> kFullWidth = {{{"（", '('},
                                                                           {"）", ')'},
                                                                           {"：", ':'},
                                                                           {"“", '"'},
                                                                           {"”", '"'},
                                                                           {"＂", '"'},
                                                                           {"［", '['},
                                                                           {"］", ']'},
                                                                           {"【", '['},
                                                                           {"】", ']'},
                                                                           {"\u3000", ' '}}};

// The ASCII form of the character at `at`, and its bytes.
std::pair<char, size_t> look_at(std::string_view text, size_t at) {
  for (const auto& [from, to] : kFullWidth)
    if (text.substr(at).starts_with(from)) return {to, from.size()};
  return {text[at], 1};
}

bool is_of_name(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./*%+#").find(c) != std::string_view::npos;
}

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, const segment::Definitions& definitions) : text_(text), definitions_(definitions) {}

  tl::expected<Expression, ExpressionError> parse() {
    if (text_.size() > kMaxExpressionBytes) return fail_at(0, "is longer than " + std::to_string(kMaxExpressionBytes) + " bytes");
    if (!yaml::is_clean_text(text_)) return fail_at(0, "is not UTF-8, or has control characters");
    next();
    auto root = either(0);
    if (!root) return tl::unexpected(root.error());
    if (!error_.message.empty()) return tl::unexpected(error_);
    if (token_.kind != Token::Kind::kEnd) return unexpected("and, or, or the end");
    expression_.definitions_ = definitions_.hash();
    return std::move(expression_);
  }

 private:
  using NodeKind = Expression::NodeKind;
  using Made = tl::expected<uint32_t, ExpressionError>;

  tl::unexpected<ExpressionError> fail_at(size_t begin, std::string message) const {
    return tl::unexpected(ExpressionError{characters(text_.substr(0, begin)) + 1, std::move(message)});
  }
  tl::unexpected<ExpressionError> unexpected(const std::string& wanted) const {
    if (!error_.message.empty()) return tl::unexpected(error_);
    const std::string found = token_.kind == Token::Kind::kEnd ? "the end" : "\"" + token_.text + "\"";
    return fail_at(token_.begin, "found " + found + ", expected " + wanted);
  }

  // ---- tokens

  void next() {
    while (at_ < text_.size()) {
      const auto [c, bytes] = look_at(text_, at_);
      if (c != ' ' && c != '\t' && c != '\n' && c != '\r') break;
      at_ += bytes;
    }
    token_ = {};
    token_.begin = at_;
    if (at_ == text_.size()) return;
    const auto [c, bytes] = look_at(text_, at_);
    if (c == '"') return read_quoted(bytes);
    if (bytes == 1 && is_of_name(c)) return read_word();
    token_.kind = Token::Kind::kSymbol;
    token_.text = c;
    at_ += bytes;
  }

  void read_word() {
    token_.kind = Token::Kind::kWord;
    for (; at_ < text_.size(); ++at_) {
      const auto [c, bytes] = look_at(text_, at_);
      if (bytes > 1 || !is_of_name(c)) break;
      token_.text += c;
    }
  }

  void read_quoted(size_t opening) {
    token_.kind = Token::Kind::kQuoted;
    for (at_ += opening; at_ < text_.size();) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        token_.text += text_[at_ + 1];
        at_ += 2;
        continue;
      }
      const auto [c, bytes] = look_at(text_, at_);
      if (c == '"') return void(at_ += bytes);
      token_.text += text_.substr(at_, bytes);
      at_ += bytes;
    }
    if (error_.message.empty()) error_ = {characters(text_.substr(0, token_.begin)) + 1, "a quote is opened here and never closed"};
    token_ = {.begin = text_.size()};
  }

  bool is_symbol(char c) const { return token_.kind == Token::Kind::kSymbol && token_.text[0] == c; }
  bool is_word(std::string_view word) const { return token_.kind == Token::Kind::kWord && lower(token_.text) == word; }

  // ---- grammar

  uint32_t put(Expression::Node node) {
    expression_.nodes_.push_back(std::move(node));
    return static_cast<uint32_t>(expression_.nodes_.size() - 1);
  }

  Made either(size_t depth) {
    Made left = both(depth);
    while (left && is_word("or")) {
      next();
      const Made right = both(depth);
      if (!right) return right;
      left = put({NodeKind::kOr, *left, *right, {}});
    }
    return left;
  }

  Made both(size_t depth) {
    Made left = single(depth);
    while (left && is_word("and")) {
      next();
      const Made right = single(depth);
      if (!right) return right;
      left = put({NodeKind::kAnd, *left, *right, {}});
    }
    return left;
  }

  Made single(size_t depth) {
    if (depth == kMaxExpressionDepth) return fail_at(token_.begin, "brackets and not are nested more than " + std::to_string(depth) + " deep");
    if (is_word("not")) {
      next();
      const Made negated = single(depth + 1);
      return negated ? Made(put({NodeKind::kNot, *negated, 0, {}})) : negated;
    }
    if (is_symbol('(')) {
      next();
      Made inner = either(depth + 1);
      if (!inner) return inner;
      if (!is_symbol(')')) return unexpected("and, or, or a closing bracket");
      next();
      return inner;
    }
    if (++names_ > kMaxExpressionNames) return fail_at(token_.begin, "has more than " + std::to_string(kMaxExpressionNames) + " names");
    if (is_word("all")) {
      next();
      return put({});
    }
    return name();
  }

  Made name() {
    constexpr const char* kWanted = "stage:, segment:, tag:, all, not or an opening bracket";
    const bool is_stage = is_word("stage"), is_segment = is_word("segment"), is_tag = is_word("tag");
    if (!is_stage && !is_segment && !is_tag) return unexpected(kWanted);
    next();
    if (!is_symbol(':')) return unexpected("a colon");
    next();
    const size_t begin = token_.begin;
    const auto text = text_of("a name");
    if (!text) return tl::unexpected(text.error());
    if (is_stage) return stage(*text, begin);
    return is_segment ? segment(*text, begin) : tag(*text, begin);
  }

  // Bare with colons within it (tag:cat:shoes), or quoted.
  tl::expected<std::string, ExpressionError> text_of(const char* wanted) {
    std::string text;
    for (;;) {
      if (token_.kind != Token::Kind::kWord && token_.kind != Token::Kind::kQuoted) return unexpected(wanted);
      const bool quoted = token_.kind == Token::Kind::kQuoted;
      const size_t end = at_;
      text += token_.text;
      next();
      if (quoted || !is_symbol(':') || token_.begin != end) return text;
      text += ':';
      next();
    }
  }

  // ---- names

  tl::unexpected<ExpressionError> unknown(const char* what, const std::string& name, size_t begin, std::vector<std::string_view> candidates) const {
    std::string message = std::string("there is no ") + what + " \"" + name + "\"";
    if (const auto near = segment::closest(name, candidates); !near.empty()) {
      message += ": did you mean \"" + std::string(near) + "\"?";
    } else if (!candidates.empty()) {
      constexpr size_t kNamed = 8;
      message += ": there are ";
      for (size_t i = 0; i < std::min(candidates.size(), kNamed); ++i) message += (i == 0 ? "" : ", ") + std::string(candidates[i]);
      if (candidates.size() > kNamed) message += " …";
    }
    return fail_at(begin, message);
  }

  Made stage(const std::string& name, size_t begin) {
    const auto& stages = definitions_.stages();
    const auto it = std::find(stages.begin(), stages.end(), name);
    if (it == stages.end()) return unknown("stage", name, begin, {stages.begin(), stages.end()});
    return put({NodeKind::kStage, static_cast<uint32_t>(it - stages.begin()), 0, {}});
  }

  Made segment(const std::string& name, size_t begin) {
    std::vector<std::string_view> names;
    for (uint32_t i = 0; i < definitions_.definitions().size(); ++i) {
      const Definition& definition = definitions_.definition(i);
      if (definition.kind != DefinitionKind::kSegment && definition.kind != DefinitionKind::kKeyedSegment) continue;
      names.push_back(definition.name);
      if (definition.name != name) continue;
      const bool keyed = definition.kind == DefinitionKind::kKeyedSegment;
      if (!is_symbol('[')) return put({keyed ? NodeKind::kAnyKey : NodeKind::kMembers, i, 0, {}});
      if (!keyed) return fail_at(token_.begin, "the segment \"" + name + "\" has no keys");
      return key_of(i);
    }
    return unknown("segment", name, begin, names);
  }

  Made key_of(uint32_t definition) {
    next();
    auto key = text_of("a key");
    if (!key) return tl::unexpected(key.error());
    if (!is_symbol(']')) return unexpected("a closing square bracket");
    next();
    return put({NodeKind::kKey, definition, 0, std::move(*key)});
  }

  // A plain tag, a pattern as a whole, or one tag of patterns. A text may be several: then any of them.
  Made tag(const std::string& name, size_t begin) {
    std::vector<std::string_view> names;
    std::vector<Expression::Node> found;
    for (uint32_t i = 0; i < definitions_.definitions().size(); ++i) {
      const Definition& definition = definitions_.definition(i);
      if (definition.kind != DefinitionKind::kTag && definition.kind != DefinitionKind::kTopTags) continue;
      names.push_back(definition.name);
      if (definition.kind == DefinitionKind::kTag) {
        if (definition.name == name) found.push_back({NodeKind::kMembers, i, 0, {}});
      } else if (definition.name == name) {
        found.push_back({NodeKind::kAnyKey, i, 0, {}});
      } else if (name.size() > definition.prefix.size() + definition.suffix.size() && name.starts_with(definition.prefix) &&
                 name.ends_with(definition.suffix)) {
        found.push_back({NodeKind::kKey, i, 0, name});
      }
    }
    if (found.empty()) return unknown("tag", name, begin, names);
    uint32_t all = put(std::move(found[0]));
    for (size_t i = 1; i < found.size(); ++i) {
      const uint32_t more = put(std::move(found[i]));
      all = put({NodeKind::kOr, all, more, {}});
    }
    return all;
  }

  const std::string_view text_;
  const segment::Definitions& definitions_;
  Expression expression_;
  ExpressionError error_;  // of the tokens
  Token token_;
  size_t at_ = 0;
  size_t names_ = 0;
};

tl::expected<Expression, ExpressionError> Expression::parse(std::string_view text, const segment::Definitions& definitions) {
  return ExpressionParser(text, definitions).parse();
}

}  // namespace segue::audience
