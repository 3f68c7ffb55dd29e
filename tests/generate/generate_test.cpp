// SPDX-License-Identifier: Apache-2.0
#include "services/tools/generate/generate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <unordered_map>

#include "lib/base/hash.h"
#include "lib/codec/event_decoder.h"

namespace segue::generate {
namespace {

std::string log(const GenerateOptions& options) {
  std::string out;
  Generator generator(options);
  while (generator.append_line(out)) {
  }
  return out;
}

// Calls `visit` with each line and what the decoder makes of it.
template <class Visit>
void for_each_line(std::string text, const Visit& visit) {
  const size_t size = text.size();
  text.append(codec::EventDecoder::kPadding, '\0');
  codec::EventDecoder decoder;
  Arena arena;
  for (size_t begin = 0; begin < size;) {
    const size_t end = text.find('\n', begin);
    const std::string_view line(text.data() + begin, end - begin);
    visit(line, decoder.decode(line, kNoTime, arena));
    begin = end + 1;
  }
}

TEST(GenerateTest, one_seed_gives_one_log_on_every_machine) {
  GenerateOptions options;
  options.events = 20'000, options.users = 1'000, options.chinese = 0.5;
  const std::string first = log(options);
  EXPECT_EQ(first, log(options));
  // Recorded once. It changes only when the generator is meant to change.
  EXPECT_EQ(hash128_hex(first), "6484300cdedca3dc695121ca048a9971");
  options.seed = 2;
  EXPECT_NE(first, log(options));
}

TEST(GenerateTest, the_mix_is_that_of_the_reference_job) {
  GenerateOptions options;
  options.events = 200'000, options.users = 10'000, options.span = std::chrono::days{2};
  std::map<std::string_view, double> types;
  std::map<event::RejectReason, double> reasons;
  std::unordered_map<std::string, int64_t> line_of_event;
  uint64_t lines = 0, good = 0, duplicates = 0, late = 0;
  Time largest = kNoTime;
  for_each_line(log(options), [&](std::string_view, const codec::DecodeResult& result) {
    ++lines;
    if (!result) return void(++reasons[result.error()]);
    ++good, ++types[name(result->type)];
    EXPECT_GE(result->ts, largest == kNoTime ? kNoTime : largest - std::chrono::seconds{90});
    if (!line_of_event.emplace(result->event_id, lines).second) return void(++duplicates);
    late += largest != kNoTime && result->ts < largest;
    largest = std::max(largest, result->ts);
  });
  EXPECT_EQ(lines, options.events);
  const auto share = [&](double count) { return count / static_cast<double>(lines); };
  EXPECT_NEAR(share(types["view"]), 0.62, 0.01);
  EXPECT_NEAR(share(types["click"]), 0.22, 0.01);
  EXPECT_NEAR(share(types["search"]), 0.04, 0.005);
  EXPECT_NEAR(share(types["cart"]), 0.08, 0.005);
  EXPECT_NEAR(share(types["purchase"]), 0.04, 0.005);
  EXPECT_NEAR(share(static_cast<double>(duplicates)), 0.005, 0.001);
  EXPECT_NEAR(share(static_cast<double>(lines - good)), 0.002, 0.0005);
  EXPECT_GT(late, 0u);
  using event::RejectReason;
  const std::set<RejectReason> kinds = {RejectReason::kInvalidJson, RejectReason::kMissingUserId, RejectReason::kInvalidPrice,
                                        RejectReason::kInvalidTs, RejectReason::kUnknownType};
  for (const RejectReason reason : kinds) EXPECT_NEAR(reasons[reason] / static_cast<double>(lines - good), 0.2, 0.08) << name(reason);
  EXPECT_EQ(reasons.size(), kinds.size());
  // It covers its span.
  EXPECT_GT(largest, options.start + options.span - std::chrono::hours{1});
}

TEST(GenerateTest, duplicates_come_within_a_minute_of_event_time) {
  GenerateOptions options;
  options.events = 100'000, options.users = 100, options.span = std::chrono::hours{2}, options.disorder = Duration{0}, options.malformed = 0;
  std::set<std::string> seen;
  Time now = kNoTime;
  Duration longest{0};
  for_each_line(log(options), [&](std::string_view, const codec::DecodeResult& result) {
    ASSERT_TRUE(result.has_value());
    if (!seen.emplace(result->event_id).second) longest = std::max(longest, now - result->ts);
    now = std::max(now, result->ts);
  });
  EXPECT_GT(longest, std::chrono::seconds{30});
  EXPECT_LE(longest, std::chrono::seconds{61});
}

TEST(GenerateTest, chinese_categories_are_utf8_and_about_as_many_as_asked) {
  GenerateOptions options;
  options.events = 20'000, options.users = 100, options.chinese = 0.5, options.malformed = 0;
  std::map<std::string, int> categories;
  for_each_line(log(options), [&](std::string_view line, const codec::DecodeResult& result) {
    ASSERT_TRUE(result.has_value()) << line;
    if (!result->item.category.empty()) ++categories[std::string(result->item.category)];
  });
  const auto chinese = std::count_if(categories.begin(), categories.end(), [](const auto& c) { return !c.first.starts_with("c-"); });
  EXPECT_EQ(categories.size(), 200u);
  EXPECT_NEAR(static_cast<double>(chinese), 100, 25);
}

TEST(ZipfTest, ranks_are_drawn_by_the_law) {
  constexpr uint32_t kRanks = 1'000;
  constexpr int kDraws = 2'000'000;
  const Zipf zipf(kRanks);
  std::vector<int> drawn(kRanks);
  uint64_t state = 1;
  for (int i = 0; i < kDraws; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    ++drawn[zipf.draw(state ^ state >> 29)];
  }
  double sum = 0;
  for (uint32_t k = 1; k <= kRanks; ++k) sum += std::pow(k, -1.05);
  for (const uint32_t k : {1u, 2u, 3u, 10u, 100u, 500u, 1000u}) {
    const double expected = kDraws * std::pow(k, -1.05) / sum;
    EXPECT_NEAR(drawn[k - 1], expected, 6 * std::sqrt(expected)) << "rank " << k;
  }
  EXPECT_EQ(Zipf(1).draw(~uint64_t{0}), 0u);
}

TEST(GenerateTest, options_that_make_no_log_are_refused) {
  GenerateOptions options;
  EXPECT_TRUE(check(options).has_value());
  options.users = 0;
  EXPECT_EQ(check(options).error().kind, ErrorClass::kUsage);
  options = {}, options.duplicates = 1.5;
  EXPECT_FALSE(check(options).has_value());
  options = {}, options.span = Duration{0};
  EXPECT_FALSE(check(options).has_value());
  options = {}, options.start = time_from_ms(0);
  EXPECT_FALSE(check(options).has_value());
}

TEST(GenerateTest, write_log_writes_what_the_generator_makes_and_tells_when_it_cannot) {
  GenerateOptions options;
  options.events = 20'000, options.users = 100;
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ASSERT_TRUE(write_log(options, fileno(file)).has_value());
  std::string bytes(static_cast<size_t>(lseek(fileno(file), 0, SEEK_END)), '\0');
  ASSERT_EQ(pread(fileno(file), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(bytes, log(options));
  std::fclose(file);
  EXPECT_FALSE(write_log(options, -1).has_value());
}

}  // namespace
}  // namespace segue::generate
