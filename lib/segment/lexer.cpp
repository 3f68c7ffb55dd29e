// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace segue::segment {
namespace {

struct Alias {
  std::string_view from;
  std::string_view to;
};
// Signs outside ASCII that mean one inside.
constexpr std::array<Alias, 10> kAliases = {
    {{"（", "("}, {"）", ")"}, {"，", ","}, {"、", ","}, {"≥", ">="}, {"≤", "<="}, {"≠", "!="}, {"＝", "="}, {"＞", ">"}, {"＜", "<"}}};
constexpr std::array<Alias, 4> kQuotes = {{{"\"", "\""}, {"'", "'"}, {"“", "”"}, {"「", "」"}}};
constexpr std::string_view kWideSpace = "\u3000";

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr std::array<Unit, 6> kUnits = {{{"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr int64_t kLongestMs = int64_t{36'500} * 86'400'000;
// Beyond this a double no longer holds every whole number.
constexpr double kLargestNumber = 9e15;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_high(char c) { return (static_cast<uint8_t>(c) & 0x80) != 0; }

// Turns a condition's bytes into tokens, one at a time.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  tl::expected<Token, TextError> next() {
    skip_space();
    token_ = Token{};
    token_.begin = at_;
    if (at_ == text_.size()) return finish(TokenKind::kEnd);
    for (const Alias& quote : kQuotes)
      if (rest().starts_with(quote.from)) return quoted(quote);
    if (is_digit(text_[at_]) || (text_[at_] == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number_like();
    if (const auto symbol = find_symbol(); !symbol.empty()) return finish(TokenKind::kSymbol, std::string(symbol));
    if (is_letter(text_[at_]) || is_high(text_[at_])) return name();
    return fail_here(wrong_sign());
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  tl::unexpected<TextError> fail_here(std::string message) const { return tl::unexpected(TextError{token_.begin, std::move(message)}); }
  Token finish(TokenKind kind, std::string text = {}) {
    token_.kind = kind;
    token_.end = at_;
    token_.text = std::move(text);
    return token_;
  }
  void skip_space() {
    for (;;) {
      if (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
        ++at_;
      else if (rest().starts_with(kWideSpace))
        at_ += kWideSpace.size();
      else
        return;
    }
  }
  bool at_alias() const {
    return rest().starts_with(kWideSpace) ||
           std::any_of(kAliases.begin(), kAliases.end(), [&](const Alias& a) { return rest().starts_with(a.from); }) ||
           std::any_of(kQuotes.begin(), kQuotes.end(), [&](const Alias& q) { return rest().starts_with(q.from) || rest().starts_with(q.to); });
  }
  // Moves past an operator or bracket and gives its ASCII form; empty, without moving, at anything else.
  std::string_view find_symbol() {
    for (const Alias& alias : kAliases)
      if (rest().starts_with(alias.from)) return at_ += alias.from.size(), alias.to;
    for (const std::string_view symbol : {">=", "<=", "!=", "==", "<>"})
      if (rest().starts_with(symbol)) return at_ += 2, symbol == "==" ? "=" : symbol == "<>" ? "!=" : symbol;
    const size_t place = std::string_view("<>=()+-*/,").find(text_[at_]);
    if (place == std::string_view::npos) return {};
    ++at_;
    return text_.substr(at_ - 1, 1);
  }
  std::string wrong_sign() const {
    if (rest().starts_with("&")) return "found '&', expected 'and'";
    if (rest().starts_with("|")) return "found '|', expected 'or'";
    if (rest().starts_with("!")) return "found '!', expected 'not' or '!='";
    if (rest().starts_with("%")) return "found '%': write 40 % as 0.4";
    return "found '" + std::string(1, text_[at_]) + "', which has no meaning here";
  }
  tl::expected<Token, TextError> quoted(const Alias& quote) {
    at_ += quote.from.size();
    const size_t end = text_.find(quote.to, at_);
    if (end == std::string_view::npos) return fail_here("this text has no closing " + std::string(quote.to));
    std::string value(text_.substr(at_, end - at_));
    at_ = end + quote.to.size();
    return finish(TokenKind::kText, std::move(value));
  }
  tl::expected<Token, TextError> name() {
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.' || (is_high(text_[at_]) && !at_alias()))) ++at_;
    if (at_ == token_.begin) return fail_here("found a closing quote without an opening one");
    return finish(TokenKind::kName, std::string(text_.substr(token_.begin, at_ - token_.begin)));
  }
  tl::expected<Token, TextError> number_like() {
    size_t end = at_;
    while (end < text_.size() && (is_digit(text_[end]) || is_letter(text_[end]) || text_[end] == '.')) ++end;
    if (end == at_ + 4 && rest().size() > 5 && text_[end] == '-' && is_digit(text_[end + 1])) return date();
    const std::string_view word = text_.substr(at_, end - at_);
    double value = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value, std::chars_format::fixed);
    at_ = end;
    if (error == std::errc{} && stop == word.data() + word.size()) {
      if (!(std::abs(value) <= kLargestNumber)) return fail_here("the number " + std::string(word) + " is too large");
      token_.number = value;
      return finish(TokenKind::kNumber);
    }
    const auto duration = parse_duration(word);
    if (!duration) return fail_here(duration.error().message);
    token_.number = static_cast<double>(duration->count());
    return finish(TokenKind::kDuration);
  }
  tl::expected<Token, TextError> date() {
    size_t end = at_;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '-' || text_[end] == 'T' || text_[end] == ':')) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    int64_t local_ms = 0;
    if (!parse_date(word, local_ms)) return fail_here("found '" + std::string(word) + "', expected a date such as 2024-11-11 or 2024-11-11T20:00");
    at_ = end;
    token_.number = static_cast<double>(local_ms);
    return finish(TokenKind::kDate);
  }

  std::string_view text_;
  size_t at_ = 0;
  Token token_;
};

// Exactly `width` digits at `at`; -1 when they are not.
int digits(std::string_view text, size_t at, size_t width) {
  int value = 0;
  if (at + width > text.size()) return -1;
  for (size_t i = at; i < at + width; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

tl::expected<std::vector<Token>, TextError> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  Scanner scanner(text);
  do {
    auto token = scanner.next();
    if (!token) return tl::unexpected(std::move(token).error());
    tokens.push_back(std::move(*token));
  } while (tokens.back().kind != TokenKind::kEnd);
  return tokens;
}

tl::expected<Duration, TextError> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return tl::unexpected(
        TextError{0, "found '" + std::string(text) + "', expected a duration such as 30d: a whole number and ms, s, m (minutes), h, d or w"});
  };
  int64_t total = 0;
  if (text.empty()) return wrong();
  for (size_t at = 0; at < text.size();) {
    int64_t count = 0;
    const auto [stop, error] = std::from_chars(text.data() + at, text.data() + text.size(), count);
    if (error != std::errc{} || count < 0) return wrong();
    at = static_cast<size_t>(stop - text.data());
    size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == text.substr(at, end - at); });
    if (unit == kUnits.end()) return wrong();
    if (count > kLongestMs / unit->ms || total + count * unit->ms > kLongestMs)
      return tl::unexpected(TextError{0, "the duration " + std::string(text) + " is longer than 36500d"});
    total += count * unit->ms;
    at = end;
  }
  return Duration{total};
}

std::string print_duration(Duration duration) {
  for (const Unit& unit : kUnits)
    if (unit.name != "w" && duration.count() % unit.ms == 0) return std::to_string(duration.count() / unit.ms) + std::string(unit.name);
  return std::to_string(duration.count()) + "ms";
}

bool parse_date(std::string_view text, int64_t& local_ms) {
  if ((text.size() != 10 && text.size() != 16) || text[4] != '-' || text[7] != '-') return false;
  const std::chrono::year_month_day day{std::chrono::year{digits(text, 0, 4)}, std::chrono::month{static_cast<unsigned>(digits(text, 5, 2))},
                                        std::chrono::day{static_cast<unsigned>(digits(text, 8, 2))}};
  if (digits(text, 0, 4) < 0 || digits(text, 5, 2) < 0 || digits(text, 8, 2) < 0 || !day.ok()) return false;
  local_ms = std::chrono::sys_days{day}.time_since_epoch().count() * 86'400'000LL;
  if (text.size() == 10) return true;
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  if (text[10] != 'T' || text[13] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  local_ms += (hour * 60 + minute) * 60'000LL;
  return true;
}

std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  // A third of the word may be wrong; very long words are not worth the square.
  size_t allowed = word.size() > 64 ? 0 : std::max<size_t>(1, word.size() / 3);
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 64) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance > allowed || (distance == allowed && !best.empty())) continue;
    best = candidate;
    allowed = distance;
  }
  return best;
}

}  // namespace segue::segment
