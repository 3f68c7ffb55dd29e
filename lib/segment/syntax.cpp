// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/syntax.h"

#include <array>
#include <charconv>

namespace segue::segment {
namespace {

using Parsed = tl::expected<Syntax, TextError>;

Syntax make(Form form, size_t begin, size_t end, std::vector<Syntax> children = {}) {
  Syntax syntax;
  syntax.form = form;
  syntax.begin = begin;
  syntax.end = end;
  syntax.children = std::move(children);
  return syntax;
}

Syntax make_comparison(Comparison comparison, Syntax left, Syntax right) {
  const size_t begin = left.begin;
  const size_t end = right.end;
  std::vector<Syntax> sides;
  sides.push_back(std::move(left));
  sides.push_back(std::move(right));
  Syntax syntax = make(Form::kCompare, begin, end, std::move(sides));
  syntax.comparison = comparison;
  return syntax;
}

// Recursive descent, one function a level of precedence: or, and, not, comparison, sum, product, value (the grammar is in docs/definitions.md).
class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Parsed parse() {
    Parsed all = disjunction();
    if (all && peek().kind != TokenKind::kEnd) return wrong("'and', 'or' or the end of the condition");
    return all;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool at_name(std::string_view name) const { return peek().kind == TokenKind::kName && peek().text == name; }
  bool at_symbol(std::string_view symbol) const { return peek().kind == TokenKind::kSymbol && peek().text == symbol; }
  bool take_name(std::string_view name) { return at_name(name) && (++at_, true); }
  bool take_symbol(std::string_view symbol) { return at_symbol(symbol) && (++at_, true); }
  size_t last_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }

  static std::string show(const Token& token) {
    switch (token.kind) {
      case TokenKind::kEnd:
        return "the end of the condition";
      case TokenKind::kNumber:
        return "a number";
      case TokenKind::kDuration:
        return "a duration";
      case TokenKind::kDate:
        return "a date";
      case TokenKind::kText:
        return "the text \"" + token.text + "\"";
      default:
        return "'" + token.text + "'";
    }
  }
  tl::unexpected<TextError> wrong(const std::string& expected) const {
    return tl::unexpected(TextError{peek().begin, "found " + show(peek()) + ", expected " + expected});
  }
  // Every node passes here, so that no input makes a tree that is costly to walk.
  Parsed counted(Syntax syntax) {
    if (++nodes_ > kMaxSyntaxNodes) return tl::unexpected(TextError{syntax.begin, "this condition is too long"});
    return syntax;
  }

  Parsed chain(Form form, std::string_view word, Parsed (ExpressionParser::*part)()) {
    Parsed first = (this->*part)();
    if (!first || !at_name(word)) return first;
    std::vector<Syntax> parts;
    parts.push_back(std::move(*first));
    while (take_name(word)) {
      Parsed next = (this->*part)();
      if (!next) return next;
      parts.push_back(std::move(*next));
    }
    const size_t begin = parts.front().begin;
    const size_t end = parts.back().end;
    return counted(make(form, begin, end, std::move(parts)));
  }
  Parsed disjunction() { return chain(Form::kOr, "or", &ExpressionParser::conjunction); }
  Parsed conjunction() { return chain(Form::kAnd, "and", &ExpressionParser::negation); }

  Parsed negation() {
    if (!at_name("not")) return comparison();
    if (++depth_ > kMaxNesting) return tl::unexpected(TextError{peek().begin, "this condition nests too deep"});
    const size_t begin = take().begin;
    Parsed inner = negation();
    --depth_;
    if (!inner) return inner;
    return negated(std::move(*inner), begin);
  }
  Parsed negated(Syntax inner, size_t begin) {
    const size_t end = inner.end;
    std::vector<Syntax> children;
    children.push_back(std::move(inner));
    return counted(make(Form::kNot, begin, end, std::move(children)));
  }

  Parsed comparison() {
    Parsed left = sum();
    if (!left) return left;
    constexpr std::array<Comparison, 6> kAll = {Comparison::kEqual,     Comparison::kNotEqual, Comparison::kLess,
                                                Comparison::kLessEqual, Comparison::kGreater,  Comparison::kGreaterEqual};
    for (const Comparison comparison : kAll) {
      if (!take_symbol(symbol(comparison))) continue;
      Parsed right = sum();
      if (!right) return right;
      for (const Comparison another : kAll)
        if (at_symbol(symbol(another))) return wrong("'and', 'or' or the end: comparisons cannot be chained, use 'between'");
      return counted(make_comparison(comparison, std::move(*left), std::move(*right)));
    }
    if (at_name("at") || at_name("more") || at_name("less")) return ago(std::move(*left));
    if (take_name("is")) return known(std::move(*left));
    if (take_name("within")) return within(std::move(*left));
    if (take_name("contains")) return contains(std::move(*left));
    const bool negative = take_name("not");
    if (take_name("in")) return list(std::move(*left), negative);
    if (take_name("between")) return between(std::move(*left), negative);
    if (negative) return wrong("'in' or 'between' after 'not'");
    return left;
  }

  // X at least 30d ago: since(X) >= 30d.
  Parsed ago(Syntax subject) {
    const Token first = take();
    const std::string second = take().text;
    Comparison comparison = Comparison::kEqual;
    if (first.text == "at" && second == "least")
      comparison = Comparison::kGreaterEqual;
    else if (first.text == "at" && second == "most")
      comparison = Comparison::kLessEqual;
    else if (first.text == "more" && second == "than")
      comparison = Comparison::kGreater;
    else if (first.text == "less" && second == "than")
      comparison = Comparison::kLess;
    else
      return tl::unexpected(TextError{first.begin, "expected 'at least', 'at most', 'more than' or 'less than' with a duration and 'ago'"});
    Parsed duration = sum();
    if (!duration) return duration;
    if (!take_name("ago")) return wrong("'ago'");
    const size_t begin = subject.begin;
    const size_t end = subject.end;
    std::vector<Syntax> arguments;
    arguments.push_back(std::move(subject));
    Syntax since = make(Form::kCall, begin, end, std::move(arguments));
    since.text = "since";
    ++nodes_;
    Syntax result = make_comparison(comparison, std::move(since), std::move(*duration));
    result.end = last_end();
    return counted(std::move(result));
  }
  Parsed known(Syntax subject) {
    bool positive = !take_name("not");
    if (!at_name("known") && !at_name("unknown")) return wrong("'known' or 'unknown' after 'is'");
    const Token word = take();
    if (word.text == "unknown") positive = !positive;
    const size_t begin = subject.begin;
    std::vector<Syntax> children;
    children.push_back(std::move(subject));
    Syntax result = make(Form::kKnown, begin, word.end, std::move(children));
    result.text = positive ? "known" : "unknown";
    return counted(std::move(result));
  }
  Parsed within(Syntax subject) {
    if (!take_name("this") || (!at_name("week") && !at_name("month")))
      return wrong("'this week' or 'this month' after 'within' (for a time span write: at most 30d ago)");
    const Token word = take();
    const size_t begin = subject.begin;
    std::vector<Syntax> children;
    children.push_back(std::move(subject));
    Syntax result = make(Form::kWithin, begin, word.end, std::move(children));
    result.text = word.text;
    return counted(std::move(result));
  }
  Parsed contains(Syntax subject) {
    if (peek().kind != TokenKind::kText) return wrong("a text in quotes after 'contains'");
    Parsed text = primary();
    if (!text) return text;
    const size_t begin = subject.begin;
    const size_t end = text->end;
    std::vector<Syntax> children;
    children.push_back(std::move(subject));
    children.push_back(std::move(*text));
    return counted(make(Form::kContains, begin, end, std::move(children)));
  }
  Parsed list(Syntax subject, bool negative) {
    const size_t begin = subject.begin;
    if (!take_symbol("(")) return wrong("'(' and a list after 'in'");
    std::vector<Syntax> children;
    children.push_back(std::move(subject));
    do {
      Parsed item = sum();
      if (!item) return item;
      children.push_back(std::move(*item));
    } while (take_symbol(","));
    if (!take_symbol(")")) return wrong("',' or ')'");
    Parsed result = counted(make(Form::kIn, begin, last_end(), std::move(children)));
    if (result && negative) result->comparison = Comparison::kNotEqual;
    return result;
  }
  // Both ends belong to it.
  Parsed between(Syntax subject, bool negative) {
    const size_t begin = subject.begin;
    Parsed low = sum();
    if (!low) return low;
    if (!take_name("and")) return wrong("'and' and the upper end of 'between'");
    Parsed high = sum();
    if (!high) return high;
    nodes_ += count_nodes(subject) + 2;
    std::vector<Syntax> sides;
    sides.push_back(make_comparison(negative ? Comparison::kLess : Comparison::kGreaterEqual, subject, std::move(*low)));
    sides.push_back(make_comparison(negative ? Comparison::kGreater : Comparison::kLessEqual, std::move(subject), std::move(*high)));
    return counted(make(negative ? Form::kOr : Form::kAnd, begin, last_end(), std::move(sides)));
  }

  Parsed sum() { return left_to_right("+", Form::kAdd, "-", Form::kSubtract, &ExpressionParser::product); }
  Parsed product() { return left_to_right("*", Form::kMultiply, "/", Form::kDivide, &ExpressionParser::value); }
  Parsed left_to_right(std::string_view one, Form one_form, std::string_view other, Form other_form, Parsed (ExpressionParser::*part)()) {
    Parsed left = (this->*part)();
    while (left && (at_symbol(one) || at_symbol(other))) {
      const Form form = take().text == one ? one_form : other_form;
      Parsed right = (this->*part)();
      if (!right) return right;
      const size_t begin = left->begin;
      const size_t end = right->end;
      std::vector<Syntax> sides;
      sides.push_back(std::move(*left));
      sides.push_back(std::move(*right));
      left = counted(make(form, begin, end, std::move(sides)));
    }
    return left;
  }
  Parsed value() {
    if (++depth_ > kMaxNesting) return tl::unexpected(TextError{peek().begin, "this condition nests too deep"});
    Parsed result = at_symbol("-") ? negative() : primary();
    --depth_;
    return result;
  }
  Parsed negative() {
    const size_t begin = take().begin;
    Parsed inner = value();
    if (!inner) return inner;
    const size_t end = inner->end;
    std::vector<Syntax> children;
    children.push_back(std::move(*inner));
    return counted(make(Form::kNegate, begin, end, std::move(children)));
  }

  Parsed primary() {
    if (take_symbol("(")) {
      Parsed inner = disjunction();
      if (inner && !take_symbol(")")) return wrong("')'");
      return inner;
    }
    const Token token = peek();
    Form form = Form::kNumber;
    switch (token.kind) {
      case TokenKind::kNumber:
        break;
      case TokenKind::kDuration:
        form = Form::kDuration;
        break;
      case TokenKind::kDate:
        form = Form::kDate;
        break;
      case TokenKind::kText:
        form = Form::kText;
        break;
      case TokenKind::kName:
        form = Form::kName;
        break;
      default:
        return wrong("a value: a word such as orders, a number, a duration or a text in quotes");
    }
    for (const std::string_view word : {"and", "or", "in", "between", "is", "before", "ago", "within", "contains"})
      if (form == Form::kName && token.text == word) return wrong("a value before it");
    ++at_;
    Syntax syntax = make(form, token.begin, token.end);
    syntax.text = token.text;
    syntax.number = token.number;
    if (form == Form::kDuration && take_name("before")) return window(std::move(syntax));
    if (form == Form::kName && take_symbol("(")) return call(std::move(syntax));
    return counted(std::move(syntax));
  }
  Parsed window(Syntax syntax) {
    if (!at_name("now") && !at_name("event")) return wrong("'now' or 'event' after 'before'");
    const Token word = take();
    syntax.form = Form::kWindow;
    syntax.text = word.text;
    syntax.end = word.end;
    return counted(std::move(syntax));
  }
  Parsed call(Syntax syntax) {
    syntax.form = Form::kCall;
    if (!at_symbol(")")) do {
        Parsed argument = disjunction();
        if (!argument) return argument;
        syntax.children.push_back(std::move(*argument));
      } while (take_symbol(","));
    if (!take_symbol(")")) return wrong("',' or ')'");
    syntax.end = last_end();
    return counted(std::move(syntax));
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t nodes_ = 0;
  size_t depth_ = 0;
};

void print_number(double number, std::string& out) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.append(buffer.data(), error == std::errc{} ? static_cast<size_t>(end - buffer.data()) : 0);
}

void print_list(std::string_view head, const std::vector<Syntax>& children, std::string& out) {
  out += '(';
  out += head;
  for (const Syntax& child : children) {
    out += ' ';
    print(child, out);
  }
  out += ')';
}

}  // namespace

std::string_view symbol(Comparison comparison) {
  constexpr std::array<std::string_view, 6> kSymbols = {"=", "!=", "<", "<=", ">", ">="};
  return kSymbols[static_cast<size_t>(comparison)];
}

Comparison opposite(Comparison comparison) {
  constexpr std::array<Comparison, 6> kOpposites = {Comparison::kNotEqual, Comparison::kEqual,     Comparison::kGreaterEqual,
                                                    Comparison::kGreater,  Comparison::kLessEqual, Comparison::kLess};
  return kOpposites[static_cast<size_t>(comparison)];
}

Comparison mirrored(Comparison comparison) {
  constexpr std::array<Comparison, 6> kMirrored = {Comparison::kEqual,        Comparison::kNotEqual, Comparison::kGreater,
                                                   Comparison::kGreaterEqual, Comparison::kLess,     Comparison::kLessEqual};
  return kMirrored[static_cast<size_t>(comparison)];
}

size_t count_nodes(const Syntax& syntax) {
  size_t nodes = 1;
  for (const Syntax& child : syntax.children) nodes += count_nodes(child);
  return nodes;
}

tl::expected<Syntax, TextError> parse_expression(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return tl::unexpected(std::move(tokens).error());
  return ExpressionParser(std::move(*tokens)).parse();
}

void print(const Syntax& syntax, std::string& out) {
  constexpr std::array<std::string_view, 4> kArithmetic = {"+", "-", "*", "/"};
  switch (syntax.form) {
    case Form::kNumber:
      return print_number(syntax.number, out);
    case Form::kDuration:
      print_number(syntax.number, out), out += "ms";
      return;
    case Form::kDate:
      out += "local", print_number(syntax.number, out), out += "ms";
      return;
    case Form::kText:
      out += std::to_string(syntax.text.size()), out += '"', out += syntax.text, out += '"';
      return;
    case Form::kName:
      out += syntax.text;
      return;
    case Form::kWindow:
      print_number(syntax.number, out), out += "ms-before-", out += syntax.text;
      return;
    case Form::kCall:
      return print_list(syntax.text, syntax.children, out);
    case Form::kNegate:
      return print_list("negate", syntax.children, out);
    case Form::kAdd:
    case Form::kSubtract:
    case Form::kMultiply:
    case Form::kDivide:
      return print_list(kArithmetic[static_cast<size_t>(syntax.form) - static_cast<size_t>(Form::kAdd)], syntax.children, out);
    case Form::kCompare:
      return print_list(symbol(syntax.comparison), syntax.children, out);
    case Form::kIn:
      return print_list(syntax.comparison == Comparison::kEqual ? "in" : "not-in", syntax.children, out);
    case Form::kContains:
      return print_list("contains", syntax.children, out);
    case Form::kKnown:
    case Form::kWithin:
      return print_list(syntax.text, syntax.children, out);
    case Form::kNot:
      return print_list("not", syntax.children, out);
    case Form::kAnd:
      return print_list("and", syntax.children, out);
    case Form::kOr:
      return print_list("or", syntax.children, out);
  }
}

}  // namespace segue::segment
