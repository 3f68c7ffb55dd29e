// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/profile_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/unit/codec/page_samples.h"

namespace segue::codec {
namespace {

using nlohmann::ordered_json;
using samples::kNow;

const std::vector<std::string> kStages = {"new", "potential", "buyer", "returning", "lapsed"};
const std::vector<std::string> kDefinitions = {"high-value", "cart-abandoner", "cat", "常客"};
const std::vector<std::string> kMoves = {"new-to-potential", "potential-to-buyer", "buyer-to-lapsed"};

std::string text_of(const profile::Profile& p, Time as_of = kNoTime) {
  std::string out;
  append_profile_json("u-\"1\"\n顾客", p, samples::make_plan(), {kStages, kDefinitions, kMoves}, as_of, out);
  return out;
}
ordered_json json_of(const profile::Profile& p, Time as_of = kNoTime) { return ordered_json::parse(text_of(p, as_of)); }

TEST(ProfileJson, IsOneLineWithEveryFieldInAFixedOrder) {
  const std::string text = text_of(samples::make_profile());
  EXPECT_EQ(text.find('\n'), std::string::npos);
  std::vector<std::string> keys;
  const auto json = ordered_json::parse(text);
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys,
            (std::vector<std::string>{
                "user_id",       "n",         "stage",        "stage_since",     "deadline", "erased_until",  "first_seen",        "last_seen",
                "last_purchase", "orders",    "spend_micros", "refunded_micros", "counts",   "last",          "category_affinity", "brand_affinity",
                "item_affinity", "vector",    "cart",         "traits",          "members",  "keyed_members", "left_segments",     "windows",
                "past_moves",    "event_ids", "landmark",     "page_hash"}));
}

TEST(ProfileJson, ShowsTheFieldsOfAProfile) {
  const auto json = json_of(samples::make_profile());
  EXPECT_EQ(json["user_id"], "u-\"1\"\n顾客");
  EXPECT_EQ(json["n"], 7);
  EXPECT_EQ(json["stage"], "returning");
  EXPECT_EQ(json["stage_since"], kNow + 5'000);
  EXPECT_EQ(json["spend_micros"], 129'900'000);
  EXPECT_EQ(json["counts"], ordered_json::parse(R"({"view":1000,"purchase":300,"delete":1})"));
  EXPECT_EQ(json["last"]["purchase"], kNow - 60'000);
  EXPECT_EQ(json["cart"][1]["item_id"], "货-8");
  EXPECT_EQ(json["traits"]["age"]["value"], 41.5);
  EXPECT_EQ(json["traits"]["consent"]["value"], true);
  EXPECT_EQ(json["traits"]["region"]["value"], "上海");
  EXPECT_EQ(json["members"], ordered_json::parse(R"(["high-value","常客"])"));
  EXPECT_EQ(json["keyed_members"][1], ordered_json::parse(R"({"name":"cat","key":"c-2"})"));
  EXPECT_EQ(json["left_segments"][0], (ordered_json{{"name", "high-value"}, {"at", kNow - 12'000}}));
  EXPECT_EQ(json["event_ids"], 3);
}

TEST(ProfileJson, ShowsInterestsWithTheirWindows) {
  const auto item = json_of(samples::make_profile())["item_affinity"][0];
  EXPECT_EQ(item["name"], "i-00042");
  EXPECT_EQ(item["views"], 300);
  EXPECT_FALSE(item.contains("clicks"));
  EXPECT_EQ(item["purchases"], 4'000'000'000);
  EXPECT_EQ(item["first_purchase"], kNow - 9'000'000'000);
  ASSERT_EQ(item["windows"].size(), 1U);
  EXPECT_EQ(item["windows"][0]["type"], "purchase");
  EXPECT_EQ(item["windows"][0]["times"], ordered_json::array({kNow - 60'000, kNow - 61'000}));
}

TEST(ProfileJson, ShowsWindowsAndPastMoves) {
  const auto json = json_of(samples::make_profile());
  ASSERT_EQ(json["windows"].size(), 4U);  // two of times, then two of tiles
  EXPECT_EQ(json["windows"][0]["times"].size(), 2U);
  const auto& tiles = json["windows"][2];
  EXPECT_EQ(tiles["tiles"][0]["start"], 150'000 * tiles["tile_ms"].get<int64_t>());
  EXPECT_EQ(tiles["tiles"][0]["sum_micros"], 12'345'678);
  EXPECT_EQ(json["past_moves"][0]["event_id"], "e-1");
  EXPECT_EQ(json["past_moves"][0]["compared"], ordered_json::parse("[3.0,86400000.0]"));
  EXPECT_EQ(json["past_moves"][1]["name"], "buyer-to-lapsed");
  EXPECT_EQ(json["past_moves"][1]["cause"], "timer");
}

TEST(ProfileJson, WeightsAreDecayedToTheTimeAsked) {
  const auto p = samples::make_profile();
  const double now = json_of(p)["category_affinity"][0]["weight"];
  EXPECT_NEAR(now, 1.25 * std::exp2(-400'000.0 / 604'800), 1e-14);
  const double later = json_of(p, samples::at(-604'800))["category_affinity"][0]["weight"];
  EXPECT_NEAR(later, now / 2, 1e-14);
  const auto json = json_of(p);
  ASSERT_EQ(json["vector"].size(), 64U);
  EXPECT_NEAR(json["vector"][3], -3 * std::exp2(-400'000.0 / 604'800), 1e-6);
}

TEST(ProfileJson, AbsentTimesAreLeftOut) {
  const auto json = json_of({});
  for (const char* absent : {"stage_since", "deadline", "first_seen", "last_seen", "last_purchase", "landmark"})
    EXPECT_FALSE(json.contains(absent)) << absent;
  EXPECT_EQ(json["stage"], "new");
  EXPECT_EQ(json["orders"], 0);
}

TEST(ProfileJson, NumbersThatJsonLacksAreNull) {
  auto p = samples::make_profile();
  p.past_moves[0].compared[0] = INFINITY;
  EXPECT_TRUE(json_of(p)["past_moves"][0]["compared"][0].is_null());
}

TEST(ProfileJson, PageHashTellsApartWhatThePrintedFieldsDoNot) {
  auto p = samples::make_profile();
  const std::string hash = json_of(p)["page_hash"];
  EXPECT_EQ(hash.size(), 16U);
  p.event_ids[0] ^= 1;
  EXPECT_NE(json_of(p)["page_hash"], hash);
  p.event_ids[0] ^= 1;
  p.interests[0][0].recent.assign(5, kNoTime);
  EXPECT_EQ(json_of(p)["page_hash"], hash);
}

}  // namespace
}  // namespace segue::codec
