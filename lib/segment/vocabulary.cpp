// SPDX-License-Identifier: Apache-2.0
#include "lib/segment/vocabulary.h"

#include <algorithm>
#include <array>

namespace segue::segment {
namespace {

using event::EventType;

constexpr uint32_t kCartTypes = bit(EventType::kCart) | bit(EventType::kCartRemove) | bit(EventType::kPurchase);

constexpr std::array kWords = {
    Word{"orders", About::kUser, Type::kNumber, Measure::kOrders, 0, bit(EventType::kPurchase)},
    Word{"spend", About::kUser, Type::kNumber, Measure::kSpend, 0, bit(EventType::kPurchase)},
    Word{"refunded", About::kUser, Type::kNumber, Measure::kRefunded, 0, bit(EventType::kRefund)},
    Word{"purchases", About::kUser, Type::kNumber, Measure::kCount, event::index(EventType::kPurchase), bit(EventType::kPurchase)},
    Word{"first_seen", About::kUser, Type::kTime, Measure::kFirstSeen, 0, kEveryType},
    Word{"last_seen", About::kUser, Type::kTime, Measure::kLastSeen, 0, kEveryType},
    Word{"last_purchase", About::kUser, Type::kTime, Measure::kLastPurchase, 0, bit(EventType::kPurchase)},
    Word{"cart_size", About::kUser, Type::kNumber, Measure::kCartSize, 0, kCartTypes},
    Word{"cart_oldest", About::kUser, Type::kTime, Measure::kCartOldest, 0, kCartTypes},
    Word{"stage", About::kUser, Type::kStage, Measure::kOrders, 0, 0, TextSource::kTrait, true},
    Word{"stage_since", About::kUser, Type::kTime, Measure::kStageSince, 0, 0, TextSource::kTrait, true},
    Word{"now", About::kUser, Type::kTime, Measure::kNow},
    Word{"weekday", About::kUser, Type::kNumber, Measure::kWeekday, 0, 0, TextSource::kTrait, false, true},
    Word{"month", About::kUser, Type::kNumber, Measure::kMonth, 0, 0, TextSource::kTrait, false, true},
    Word{"day_of_month", About::kUser, Type::kNumber, Measure::kDayOfMonth, 0, 0, TextSource::kTrait, false, true},
    // The key's table changes with every event that leaves a trace: its inputs are added by the compiler.
    Word{"key", About::kKey, Type::kText, Measure::kOrders, 0, 0, TextSource::kKey},
    Word{"views", About::kKey, Type::kNumber, Measure::kKeyCount, profile::interest_count(EventType::kView)},
    Word{"clicks", About::kKey, Type::kNumber, Measure::kKeyCount, profile::interest_count(EventType::kClick)},
    Word{"carts", About::kKey, Type::kNumber, Measure::kKeyCount, profile::interest_count(EventType::kCart)},
    Word{"purchases", About::kKey, Type::kNumber, Measure::kKeyCount, profile::interest_count(EventType::kPurchase)},
    Word{"last_seen", About::kKey, Type::kTime, Measure::kKeyLastSeen},
    Word{"first_purchase", About::kKey, Type::kTime, Measure::kKeyFirstPurchase},
    Word{"last_purchase", About::kKey, Type::kTime, Measure::kKeyLastPurchase},
    Word{"affinity", About::kKey, Type::kAffinity, Measure::kKeyAffinity},
    Word{"share", About::kKey, Type::kNumber, Measure::kKeyShare},
    Word{"cycle", About::kKey, Type::kDuration, Measure::kKeyCycle},
    Word{"in_cart", About::kKey, Type::kCondition, Measure::kOrders, 0, kCartTypes},
    Word{"event.price", About::kEvent, Type::kNumber, Measure::kEventPrice},
    Word{"event.total", About::kEvent, Type::kNumber, Measure::kEventTotal},
    Word{"event.quantity", About::kEvent, Type::kNumber, Measure::kEventQuantity},
    Word{"event.rating", About::kEvent, Type::kNumber, Measure::kEventRating},
    Word{"event.item", About::kEvent, Type::kText, Measure::kOrders, 0, 0, TextSource::kItem},
    Word{"event.category", About::kEvent, Type::kText, Measure::kOrders, 0, 0, TextSource::kCategory},
    Word{"event.brand", About::kEvent, Type::kText, Measure::kOrders, 0, 0, TextSource::kBrand},
    Word{"event.channel", About::kEvent, Type::kText, Measure::kOrders, 0, 0, TextSource::kChannel},
    Word{"event.query", About::kEvent, Type::kText, Measure::kOrders, 0, 0, TextSource::kQuery},
    Word{"event.coupon", About::kEvent, Type::kText, Measure::kOrders, 0, 0, TextSource::kCoupon},
    Word{"event.campaign", About::kEvent, Type::kText, Measure::kOrders, 0, 0, TextSource::kCampaign},
};

constexpr std::array<std::string_view, 6> kPlainTraits = {"age", "gender", "region", "occupation", "birthday", "consent"};
constexpr std::array<std::string_view, 9> kFunctions = {"count", "sum", "last", "since", "affinity", "share", "trait", "days_until", "in_segment"};
constexpr std::array<std::string_view, 22> kKeywords = {"has_tag", "and",    "or",   "not",  "in",   "between", "is",       "known",
                                                        "unknown", "within", "this", "week", "true", "false",   "contains", "ago",
                                                        "before",  "event",  "at",   "more", "less", "user"};

}  // namespace

std::string_view describe(Type type) {
  constexpr std::array<std::string_view, 8> kNames = {"a condition", "a number", "a duration",  "a time",
                                                      "a text",      "a trait",  "an affinity", "the stage"};
  return kNames[static_cast<size_t>(type)];
}

const Word* find_word(std::string_view name, About about) {
  constexpr std::string_view kUserPrefix = "user.";
  if (name.starts_with(kUserPrefix)) {
    if (about != About::kUser) return nullptr;
    name.remove_prefix(kUserPrefix.size());
  }
  const auto found = std::find_if(kWords.begin(), kWords.end(), [&](const Word& word) { return word.about == about && word.name == name; });
  return found == kWords.end() ? nullptr : &*found;
}

bool is_plain_trait(std::string_view name) { return std::find(kPlainTraits.begin(), kPlainTraits.end(), name) != kPlainTraits.end(); }

std::optional<profile::Scope> find_scope(std::string_view name) {
  if (name == "category") return profile::Scope::kCategory;
  if (name == "brand") return profile::Scope::kBrand;
  if (name == "item") return profile::Scope::kItem;
  return std::nullopt;
}

const std::vector<std::string_view>& vocabulary() {
  static const std::vector<std::string_view> kAll = [] {
    std::vector<std::string_view> all;
    for (const Word& word : kWords) all.push_back(word.name);
    all.insert(all.end(), kPlainTraits.begin(), kPlainTraits.end());
    all.insert(all.end(), kFunctions.begin(), kFunctions.end());
    all.insert(all.end(), kKeywords.begin(), kKeywords.end());
    for (const std::string_view type : event::kEventTypeNames) all.push_back(type);
    for (const std::string_view scope : {"category", "brand", "item"}) all.push_back(scope);
    return all;
  }();
  return kAll;
}

}  // namespace segue::segment
