// SPDX-License-Identifier: Apache-2.0
#include "services/tools/generate/generate.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <numeric>

#include "lib/base/money.h"

namespace segue::generate {
namespace {

constexpr Duration kDuplicateWithin{60'000};
// Lines that a duplicate waits at most, so that few wait at a time however dense the log is.
constexpr uint64_t kMostDuplicateReach = 100'000;
// A category of the Chinese share is called by one of these and its number.
constexpr std::array<std::string_view, 16> kChineseNames = {"女装", "男装", "跑鞋",     "手机", "电脑", "家电", "美妆", "母婴",
                                                            "食品", "图书", "运动户外", "箱包", "珠宝", "家居", "玩具", "宠物用品"};

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): spreads a number over 64 bits.
constexpr uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

__extension__ using Wide = unsigned __int128;

// A step that visits all of 0 … n-1 before it comes back, and leads far away each time.
uint64_t coprime_step(uint64_t n) {
  uint64_t step = n * 618 / 1000 + 1;
  while (std::gcd(step, n) != 1) ++step;
  return step;
}

uint64_t share_of_32_bits(double share) { return static_cast<uint64_t>(share * 0x1p32); }

void append_number(std::string& out, uint64_t value, size_t width = 1) {
  char digits[20];
  const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const auto size = static_cast<size_t>(end - digits);
  if (size < width) out.append(width - size, '0');
  out.append(digits, size);
}

Result<> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(ErrorClass::kRetry, std::string("writing the log: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

}  // namespace

Result<> check(const GenerateOptions& options) {
  const auto is_share = [](double share) { return share >= 0 && share <= 1; };
  if (options.users == 0 || options.items == 0 || options.categories == 0 || options.brands == 0)
    return fail(ErrorClass::kUsage, "users, items, categories and brands must be at least 1");
  if (options.span < Duration{1} || options.disorder < Duration{0}) return fail(ErrorClass::kUsage, "the span must be at least 1 ms, the disorder 0");
  if (options.start - options.disorder < Time{} || options.span > kLatestTime - options.start)
    return fail(ErrorClass::kUsage, "every time must lie between 1970 and 9999");
  if (!is_share(options.duplicates) || !is_share(options.malformed) || !is_share(options.chinese))
    return fail(ErrorClass::kUsage, "shares must lie between 0 and 1");
  return {};
}

Generator::Generator(const GenerateOptions& options)
    : options_(options),
      state_(mix(options.seed)),
      users_(options.users),
      items_(options.items),
      user_step_(coprime_step(options.users)),
      item_step_(coprime_step(options.items)),
      duplicate_below_(share_of_32_bits(options.duplicates)),
      malformed_below_(share_of_32_bits(options.malformed)) {
  const auto span = static_cast<uint64_t>(options.span.count());
  const auto lines = static_cast<uint64_t>(Wide{static_cast<uint64_t>(kDuplicateWithin.count())} * options.events / span);
  duplicate_reach_ = std::clamp<uint64_t>(lines, 1, kMostDuplicateReach);
  make_catalogue();
}

uint64_t Generator::random() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
uint64_t Generator::below(uint64_t n) { return static_cast<uint64_t>(Wide{random()} * n >> 64); }

void Generator::make_catalogue() {
  catalogue_.resize(options_.items);
  prices_.resize(options_.items);
  for (uint64_t item = 0; item < options_.items; ++item) {
    std::string& line = catalogue_[item];
    const uint64_t category = mix(item * 3 + 1) % options_.categories;
    line.append("\"item_id\":\"i-");
    append_number(line, item, 5);
    line.append("\",\"category\":\"");
    if ((mix(~category) >> 32) < share_of_32_bits(options_.chinese)) {
      line.append(kChineseNames[category % kChineseNames.size()]).append("-");
    } else {
      line.append("c-");
    }
    append_number(line, category);
    line.append("\",\"brand\":\"b-");
    append_number(line, mix(item * 3 + 2) % options_.brands);
    line.append("\",\"price\":");
    // 1.00 to 299.99.
    append_money(prices_[item], Money{static_cast<int64_t>(100 + mix(item * 3 + 3) % 29'900) * 10'000});
  }
}

bool Generator::append_line(std::string& out) {
  if (line_ >= options_.events) return false;
  if (!duplicates_.empty() && duplicates_.front().line <= line_) {
    out.append(duplicates_.front().bytes);
    duplicates_.pop_front();
  } else {
    const uint64_t chance = random();
    const bool malformed = chance >> 32 < malformed_below_;
    const size_t begin = out.size();
    append_event(out, malformed ? static_cast<Fault>(1 + below(5)) : Fault::kNone);
    ++event_;
    if (!malformed && (chance & 0xffffffff) < duplicate_below_) schedule_duplicate(std::string_view(out).substr(begin));
  }
  ++line_;
  return true;
}

void Generator::append_event(std::string& out, Fault fault) {
  const size_t begin = out.size();
  const auto span = static_cast<uint64_t>(options_.span.count());
  uint64_t ts = static_cast<uint64_t>(to_ms(options_.start)) + static_cast<uint64_t>(Wide{line_} * span / options_.events);
  const uint64_t bits = random();  // several small choices from one draw
  if (bits % 5 == 0) ts -= below(static_cast<uint64_t>(options_.disorder.count()) + 1);
  const uint64_t percent = (bits >> 8 & 0xffffff) * 100 >> 24;
  const std::string_view type = percent < 62 ? "view" : percent < 84 ? "click" : percent < 88 ? "search" : percent < 96 ? "cart" : "purchase";
  const bool is_search = percent >= 84 && percent < 88;

  out.append("{\"event_id\":\"e-");
  append_number(out, event_, 12);
  out.append(fault == Fault::kUnknownType ? "\",\"type\":\"un" : "\",\"type\":\"").append(type);
  const uint64_t user = users_.draw(random()) * user_step_ % options_.users;
  if (fault != Fault::kNoUser) {
    out.append("\",\"user_id\":\"u-");
    append_number(out, user, 7);
  }
  out.append(fault == Fault::kTextTs ? "\",\"ts\":\"x" : "\",\"ts\":");
  append_number(out, ts);
  out.append(fault == Fault::kTextTs ? "\"," : ",");
  const uint64_t item = items_.draw(random()) * item_step_ % options_.items;
  if (is_search) {
    out.append("\"query\":\"shoes size ");
    append_number(out, item % 50);
    out.append(fault == Fault::kNegativePrice ? "\",\"price\":-1," : "\",");
  } else {
    out.append(catalogue_[item]).append(fault == Fault::kNegativePrice ? "-" : "").append(prices_[item]);
    // One in ten is two pieces.
    out.append((bits >> 32 & 0xffff) * 10 >> 16 == 0 ? ",\"quantity\":2," : ",\"quantity\":1,");
  }
  out.append("\"session_id\":\"s-");
  append_number(out, below(1'000'000));
  out.append((bits >> 48) % 3 == 0 ? "\",\"channel\":\"web\"}" : "\",\"channel\":\"app\"}");
  // A beginning that is too short is not JSON, wherever the cut is; one byte stays at least.
  if (fault == Fault::kCutShort) out.resize(begin + 1 + below(out.size() - begin - 1));
  out.push_back('\n');
}

void Generator::schedule_duplicate(std::string_view bytes) {
  uint64_t line = line_ + 1 + below(duplicate_reach_);
  // None overtakes an earlier one: the queue stays in order, and nobody waits longer than the reach.
  if (!duplicates_.empty()) line = std::max(line, duplicates_.back().line);
  duplicates_.push_back({line, std::string(bytes)});
}

Result<> write_log(const GenerateOptions& options, int fd) {
  SEGUE_TRY(check(options));
  constexpr size_t kBufferBytes = 1 << 20;
  Generator generator(options);
  std::string buffer;
  buffer.reserve(kBufferBytes + 4096);
  while (generator.append_line(buffer)) {
    if (buffer.size() < kBufferBytes) continue;
    SEGUE_TRY(write_all(fd, buffer));
    buffer.clear();
  }
  return write_all(fd, buffer);
}

}  // namespace segue::generate
