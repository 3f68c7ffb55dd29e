// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/page_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "lib/base/bytes.h"
#include "tests/unit/codec/page_samples.h"

namespace segue::codec {
namespace {

using profile::Plan;
using profile::Profile;
using samples::at;
using samples::difference_of;
using samples::make_plan;
using samples::make_profile;

std::string page_of(const Profile& p, const Plan& plan, uint32_t number = 42) {
  std::string page;
  encode_page(p, number, plan, page);
  return page;
}

Profile decoded(std::string_view page, const Plan& plan) {
  Profile p;
  const auto result = decode_page(page, plan, p);
  EXPECT_TRUE(result) << result.error().message;
  return p;
}

bool is_refused(std::string_view page) {
  Profile p;
  const auto result = decode_page(page, make_plan(), p);
  return !result && result.error().kind == ErrorClass::kData;
}

std::string header() { return page_of(Profile{}, make_plan()); }

std::string with_section(uint64_t tag, std::string_view content) {
  std::string page = header();
  ByteWriter w(page);
  w.varint(tag);
  w.bytes(content);
  return page;
}

TEST(PageCodec, FullProfileComesBackBitForBit) {
  const Plan plan = make_plan();
  const Profile p = make_profile();
  EXPECT_EQ(difference_of(decoded(page_of(p, plan), plan), p), "");
}

TEST(PageCodec, AverageProfileComesBackInLessThan800Bytes) {
  const Plan plan = make_plan();
  const Profile p = samples::make_average_profile();
  const std::string page = page_of(p, plan);
  EXPECT_EQ(difference_of(decoded(page, plan), p), "");
  EXPECT_LT(page.size(), 800U);
}

TEST(PageCodec, EmptyProfileIsAHeader) {
  const Plan plan = make_plan();
  const std::string page = page_of(Profile{}, plan);
  EXPECT_EQ(page.size(), 17U);
  EXPECT_EQ(difference_of(decoded(page, plan), Profile{}), "");
  EXPECT_EQ(difference_of(decoded(page_of(Profile{}, Plan{}), Plan{}), Profile{}), "");
}

TEST(PageCodec, HeaderIsReadWithoutTheRest) {
  const Plan plan = make_plan();
  const auto read = read_page_header(page_of(make_profile(), plan, 0xdeadbeef));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->user_number, 0xdeadbeefU);
  EXPECT_EQ(read->deadline, make_profile().deadline);
  EXPECT_EQ(read->stage_id, page_id(plan.stage_ids[3]));
  EXPECT_EQ(read_page_header(header())->deadline, kNever);
}

TEST(PageCodec, PageIsAppendedBehindWhatIsThere) {
  std::string out = "before";
  encode_page(make_profile(), 42, make_plan(), out);
  EXPECT_EQ(out, "before" + page_of(make_profile(), make_plan()));
}

TEST(PageCodec, UsedProfileForgetsWhatItHeld) {
  const Plan plan = make_plan();
  Profile p = make_profile();
  p.holds_until = {at(0)};
  ASSERT_TRUE(decode_page(header(), plan, p));
  EXPECT_EQ(difference_of(p, Profile{}), "");
  EXPECT_TRUE(p.holds_until.empty());
  ASSERT_TRUE(decode_page(page_of(samples::make_average_profile(), plan), plan, p));
  EXPECT_EQ(difference_of(p, samples::make_average_profile()), "");
}

TEST(PageCodec, SameProfileHasTheSameBytesWhateverItsMemory) {
  const Plan plan = make_plan();
  Profile roomy = make_profile();
  roomy.cart.reserve(1000);
  roomy.interests[1][0].recent.reserve(10);
  roomy.interests[0][0].recent.assign(5, kNoTime);
  roomy.deadline = make_profile().deadline;
  EXPECT_EQ(page_of(roomy, plan), page_of(make_profile(), plan));
  Profile quiet = make_profile();
  quiet.recent.assign(4, kNoTime);
  Profile silent = make_profile();
  silent.recent.clear();
  EXPECT_EQ(page_of(quiet, plan), page_of(silent, plan));
  EXPECT_TRUE(decoded(page_of(quiet, plan), plan).recent.empty());
}

TEST(PageCodec, RandomProfilesComeBackBitForBit) {
  const Plan plan = make_plan();
  Profile back;
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    const auto some = [&](size_t limit) { return static_cast<size_t>(random()) % limit; };
    Profile p = some(2) ? make_profile() : Profile{};
    const auto any_time = [&] { return some(5) == 0 ? kNoTime : time_from_ms(static_cast<int64_t>(random()) * static_cast<int64_t>(some(60'000))); };
    p.last_seen = any_time(), p.first_seen = any_time(), p.last_purchase = any_time(), p.stage_since = any_time();
    p.spend.micros = std::bit_cast<int64_t>((uint64_t{random()} << 32 | random()) >> some(64));
    p.outputs = (uint64_t{random()} << 32 | random()) >> some(64);
    for (size_t i = 0; i < event::kEventTypes; ++i) p.counts[i] = some(3) ? 0 : static_cast<uint32_t>(random()), p.last[i] = any_time();
    p.event_ids.assign(some(65), random());
    p.event_ids_next = p.event_ids.size() == 64 ? static_cast<uint8_t>(some(64)) : uint8_t{0};
    for (size_t i = 0; i < 3; ++i) {
      p.interests[i].resize(some(17));
      for (auto& interest : p.interests[i]) {
        interest = samples::make_interest(std::string(some(300), 'n'), std::bit_cast<double>(uint64_t{random()} << 30), any_time());
        for (uint32_t& count : interest.counts) count = some(2) ? 0 : static_cast<uint32_t>(random());
        interest.first_purchase = any_time(), interest.last_purchase = any_time();
        if (some(2)) interest.recent.assign(plan.keyed_slots[i], any_time());
      }
    }
    p.traits.resize(some(4));
    for (auto& trait : p.traits) trait = {std::string(some(40), 't'), std::string(some(16'384), 'v'), any_time()};
    const std::string page = page_of(p, plan, seed);
    ASSERT_TRUE(decode_page(page, plan, back)) << "seed " << seed;
    ASSERT_EQ(difference_of(back, p), "") << "seed " << seed;
    ASSERT_EQ(page_of(back, plan, seed), page) << "seed " << seed;
  }
}

TEST(PageCodec, LaterSectionIsPassedOver) {
  std::string page = page_of(make_profile(), make_plan());
  ByteWriter w(page);
  w.varint(200);
  w.bytes("what a later version knows");
  w.varint(256 + 7);  // must not be taken for 7
  w.bytes("");
  w.varint(uint64_t{1} << 40);
  w.bytes("");
  EXPECT_EQ(difference_of(decoded(page, make_plan()), make_profile()), "");
}

// ---- definitions change ----

TEST(PageCodec, IndicesFollowTheirNamesWhenDefinitionsAreReordered) {
  const Plan plan = make_plan();
  Plan other = plan;
  std::reverse(other.stage_ids.begin(), other.stage_ids.end());
  std::reverse(other.definition_ids.begin(), other.definition_ids.end());
  std::reverse(other.move_ids.begin(), other.move_ids.end());
  std::reverse(other.windows.begin(), other.windows.end());
  const std::string page = page_of(make_profile(), plan);
  const Profile p = decoded(page, other);
  EXPECT_EQ(p.stage, 1);  // returning
  EXPECT_TRUE(p.members[3] && p.members[0] && p.members.count() == 2);
  ASSERT_EQ(p.keyed_members.size(), 3U);
  EXPECT_EQ(p.keyed_members[0].key, "x");  // by definition
  EXPECT_EQ(p.keyed_members[1].key, "c-1");
  EXPECT_EQ(p.past_moves[1].move, 0);
  EXPECT_EQ(p.past_moves[1].to, 0);  // lapsed
  ASSERT_EQ(p.left_segments.size(), 2U);
  EXPECT_EQ(p.left_segments[0].definition, 2);
  EXPECT_EQ(p.left_segments[0].at, at(86'400));
  ASSERT_EQ(p.tiles.size(), 3U);
  EXPECT_EQ(p.tiles[0].index, -2);
  EXPECT_EQ(p.tiles[0].window, 0);
  // And back again.
  EXPECT_EQ(difference_of(decoded(page_of(p, other), plan), make_profile()), "");
}

TEST(PageCodec, NamesThatAreGoneAreDropped) {
  Plan without = make_plan();
  without.stage_ids.erase(without.stage_ids.begin() + 3);  // returning: the user's
  without.definition_ids = {without.definition_ids[1]};    // neither his member nor his keys
  without.move_ids.erase(without.move_ids.begin());
  const Profile p = decoded(page_of(make_profile(), make_plan()), without);
  EXPECT_EQ(p.stage, 0);
  EXPECT_TRUE(p.members.none());
  EXPECT_TRUE(p.keyed_members.empty());
  EXPECT_EQ(p.left_segments.size(), 1U);
  EXPECT_TRUE(p.past_moves.empty());  // one by its name, one by the stage it left
  EXPECT_EQ(p.orders, 300U);
}

TEST(PageCodec, WindowsThatAreGoneAreDroppedAndNewOnesAreEmpty) {
  Plan other = make_plan();
  other.windows = {{name_hash("new"), event::EventType::kView, profile::Scope::kUser, Duration{1}, 2, 0, Duration{0}},
                   {name_hash("carts 7d"), event::EventType::kCart, profile::Scope::kUser, Duration{1}, 1, 2, Duration{0}},
                   {name_hash("new of item"), event::EventType::kView, profile::Scope::kItem, Duration{1}, 1, 0, Duration{0}},
                   {name_hash("item purchases 90d"), event::EventType::kPurchase, profile::Scope::kItem, Duration{1}, 1, 1, Duration{0}}};
  other.recent_slots = 3;
  other.keyed_slots = {0, 0, 2};
  const Profile p = decoded(page_of(make_profile(), make_plan()), other);
  EXPECT_EQ(p.recent, (std::vector<Time>{kNoTime, kNoTime, at(86'400)}));
  EXPECT_TRUE(p.tiles.empty());
  EXPECT_TRUE(p.interests[0][1].recent.empty());
  EXPECT_EQ(p.interests[2][0].recent, (std::vector<Time>{kNoTime, at(60)}));
}

TEST(PageCodec, WindowTakesTheTimesThatItHasPlaceFor) {
  Plan wider = make_plan();
  wider.windows[0].keep = 10;
  wider.windows[3].slot = 10;
  wider.recent_slots = 11;
  const Profile p = decoded(page_of(make_profile(), make_plan()), wider);
  ASSERT_EQ(p.recent.size(), 11U);
  EXPECT_EQ(p.recent[1], at(5));
  EXPECT_EQ(p.recent[2], kNoTime);
  EXPECT_EQ(p.recent[10], at(86'400));
  Plan narrower = make_plan();
  narrower.windows[0].keep = 1;
  narrower.windows[3].slot = 1;
  narrower.recent_slots = 2;
  EXPECT_EQ(decoded(page_of(p, wider), narrower).recent, (std::vector<Time>{at(0), at(86'400)}));
}

TEST(PageCodec, WindowThatChangedItsKindStartsEmpty) {
  Plan other = make_plan();
  std::swap(other.windows[0].id, other.windows[1].id);
  const Profile p = decoded(page_of(make_profile(), make_plan()), other);
  EXPECT_EQ(p.recent, (std::vector<Time>{kNoTime, kNoTime, kNoTime, at(86'400)}));
  EXPECT_EQ(p.tiles.size(), 1U);
  Plan finer = make_plan();
  finer.windows[1].tile_width /= 2;
  EXPECT_EQ(decoded(page_of(make_profile(), make_plan()), finer).tiles.size(), 1U);
}

TEST(PageCodec, HeaviestInterestsAreTakenWhenFewerAreWanted) {
  const Plan plan = make_plan();
  Profile p = make_profile();
  p.interests[0].clear();
  for (int i = 0; i < 5; ++i) p.interests[0].push_back(samples::make_interest("c-" + std::to_string(i), i % 3, at(i)));  // 0 1 2 0 1
  Plan fewer = plan;
  fewer.interest_size = {3, 0, 16};
  const Profile back = decoded(page_of(p, plan), fewer);
  ASSERT_EQ(back.interests[0].size(), 3U);
  EXPECT_EQ(back.interests[0][0].name, "c-1");
  EXPECT_EQ(back.interests[0][1].name, "c-2");
  EXPECT_EQ(back.interests[0][2].name, "c-4");
  EXPECT_TRUE(back.interests[1].empty());
  EXPECT_EQ(back.interests[2].size(), 2U);
}

// ---- malformed pages ----

TEST(PageCodec, EveryCutPageIsRefusedOrEndsBetweenSections) {
  const std::string page = page_of(make_profile(), make_plan());
  size_t whole = 0;
  for (size_t size = 0; size < page.size(); ++size) whole += !is_refused(page.substr(0, size));
  EXPECT_EQ(whole, 15U);  // before each of the sections
}

TEST(PageCodec, FlippedBitsNeverGiveAnUnstablePage) {
  const Plan plan = make_plan();
  const std::string page = page_of(make_profile(), plan);
  Profile p;
  for (size_t bit = 0; bit < page.size() * 8; ++bit) {
    std::string flipped = page;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    if (!decode_page(flipped, plan, p)) continue;
    const std::string once = page_of(p, plan);
    ASSERT_EQ(page_of(decoded(once, plan), plan), once) << "bit " << bit;
  }
}

TEST(PageCodec, UnknownVersionIsRefusedByName) {
  std::string page = header();
  page[0] = 9;
  const auto read = read_page_header(page);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("version 9"), std::string::npos);
  EXPECT_TRUE(is_refused(page));
  EXPECT_TRUE(is_refused(""));
}

TEST(PageCodec, SectionsThatAreNotWhatTheyShouldBeAreRefused) {
  using namespace std::string_literals;
  EXPECT_TRUE(is_refused(with_section(0, "")));                                                   // tags start at 1
  EXPECT_TRUE(is_refused(with_section(1, "\x80\x10"s)));                                          // unknown flag of the summary
  EXPECT_TRUE(is_refused(with_section(1, "\x20\x05\x00"s)));                                      // a byte too many
  EXPECT_FALSE(is_refused(with_section(1, "\x20\x05"s)));                                         //
  EXPECT_TRUE(is_refused(with_section(1, "\x20\xff\xff\xff\xff\x10"s)));                          // orders above 32 bits
  EXPECT_TRUE(is_refused(with_section(1, "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s)));      // a time far out
  EXPECT_TRUE(is_refused(with_section(2, "\x80\x80\x08\x01\x00"s)));                              // an event type that does not exist
  EXPECT_TRUE(is_refused(with_section(3, std::string(255, '\0'))));                               // short vector
  EXPECT_TRUE(is_refused(with_section(3, std::string(252, '\0') + "\0\0\x80\x7f"s)));             // infinite
  EXPECT_TRUE(is_refused(with_section(4, std::string(1 + 65 * 8, '\0'))));                        // more ids than are remembered
  EXPECT_TRUE(is_refused(with_section(4, "\x01"s + std::string(8, '\0'))));                       // a ring that is not full
  EXPECT_TRUE(is_refused(with_section(7, "\xff\xff\xff\xff\x0f\x00"s)));                          // four billion entries
  EXPECT_TRUE(is_refused(with_section(7, "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf8\x7f"s)));  // weight is not a number
  EXPECT_TRUE(is_refused(with_section(10, "\x11"s + std::string(34, '\0'))));                     // 17 items in the cart
  EXPECT_TRUE(is_refused(with_section(11,
                                      "\x01\x01"
                                      "a\x00\x07"s)));                                                         // unknown kind of trait
  EXPECT_TRUE(is_refused(with_section(12, "\x01\x02\x03"s)));                                                  // half an id
  EXPECT_TRUE(is_refused(with_section(15, std::string(3, '\0'))));                                             // half an id
  EXPECT_TRUE(is_refused(with_section(14, "\x01" + std::string(12, '\0') + "\x03\x00\x00\x00"s)));             // unknown cause
  EXPECT_TRUE(is_refused(with_section(14, "\x01" + std::string(12, '\0') + "\x28" + std::string(50, '\0'))));  // five compared values
}

TEST(PageCodec, WeightsBelowZeroAndTooManyKeysAreRefused) {
  std::string entry("\x01\x00\x00", 3);  // one entry, no windows, an empty name
  ByteWriter w(entry);
  w.fixed(-1.0);
  w.fixed(uint8_t{0});
  EXPECT_TRUE(is_refused(with_section(7, entry)));
  for (const size_t keys : {profile::kMaxKeyed, profile::kMaxKeyed + 1}) {
    std::string content;
    ByteWriter k(content);
    k.fixed(page_id(make_plan().definition_ids[2]));
    k.varint(keys);
    content.append(keys, '\0');  // empty keys
    EXPECT_EQ(is_refused(with_section(13, content)), keys > profile::kMaxKeyed);
  }
}

TEST(PageCodec, LaterTimesOfARepeatedWindowReplaceTheEarlier) {
  std::string content;
  ByteWriter w(content);
  for (const uint64_t count : {3, 1}) {
    w.fixed(page_id(make_plan().windows[0].id));
    w.varint(count);
    w.svarint(-100);
    for (uint64_t i = 1; i < count; ++i) w.varint(1);
  }
  EXPECT_EQ(decoded(with_section(5, content), make_plan()).recent, (std::vector<Time>{time_from_ms(100), kNoTime, kNoTime, kNoTime}));
}

TEST(PageCodec, NegativeZeroInTheVectorIsKept) {
  Profile p;
  p.vector[63] = -0.0F;
  EXPECT_TRUE(std::signbit(decoded(page_of(p, make_plan()), make_plan()).vector[63]));
}

TEST(PageCodec, SectionsOutOfOrderAreRefused) {
  const std::string summary("\x20\x05", 2);
  std::string page = with_section(1, summary);
  ByteWriter w(page);
  w.varint(1);
  w.bytes(summary);
  EXPECT_TRUE(is_refused(page));
}

// ---- pages of earlier versions ----

constexpr std::string_view kFirstVersionsPage =
#include "tests/unit/codec/data/page_v1.hex"
    ;

std::string from_hex(std::string_view hex) {
  std::string page;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) page.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return page;
}

std::string to_hex(std::string_view page) {
  std::string hex;
  for (const char c : page) {
    hex.push_back("0123456789abcdef"[static_cast<uint8_t>(c) >> 4]);
    hex.push_back("0123456789abcdef"[c & 15]);
  }
  return hex;
}

// page_v1.hex is the page of make_profile() under make_plan() as the first version wrote it. It is never written again: when this fails, pages
// that users have on disk are read wrongly.
TEST(PageCodec, FirstVersionsPageIsReadFieldByField) {
  const std::string page = from_hex(kFirstVersionsPage);
  EXPECT_EQ(difference_of(decoded(page, make_plan()), make_profile()), "");
  EXPECT_EQ(read_page_header(page)->user_number, 42U);
  // What this version writes. A later version may write more; then only this line goes.
  EXPECT_EQ(to_hex(page_of(make_profile(), make_plan())), kFirstVersionsPage);
}

}  // namespace
}  // namespace segue::codec
