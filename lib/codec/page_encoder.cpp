// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <span>

#include "lib/base/assert.h"
#include "lib/base/bytes.h"
#include "lib/codec/page_codec.h"
#include "lib/codec/page_format.h"

namespace segue::codec {
namespace {

using namespace page_format;
using profile::Interest;
using profile::Plan;
using profile::Profile;
using profile::Scope;
using profile::Window;

constexpr size_t kMaxVarint = 10;

// Writes through a pointer into room that ensure() made: appending to the string would check its capacity and store its size for every word.
class PageWriter {
 public:
  explicit PageWriter(std::string& out) : out_(out), at_(out.data() + out.size()), end_(at_) { grow(0); }

  // Room for what follows until the next ensure(). `bytes` is an upper bound.
  void ensure(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) grow(bytes);
  }
  template <FixedWord Word>
  void fixed(Word word) {
    std::memcpy(at_, &word, sizeof word);
    at_ += sizeof word;
  }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at_++ = static_cast<char>(value | 0x80);
    *at_++ = static_cast<char>(value);
  }
  void svarint(int64_t value) { varint(zigzag(value)); }
  void time(int64_t reference, Time t) { svarint(difference(reference, to_ms(t))); }
  void optional_time(int64_t reference, Time t) { varint(t == kNoTime ? 0 : 1 + zigzag(difference(reference, to_ms(t)))); }
  // Makes its own room, and room for a fixed entry of at most kEntryRoom bytes after it.
  void text(std::string_view value) {
    ensure(kMaxVarint + value.size() + kEntryRoom);
    varint(value.size());
    // Names are short: two overlapping moves where a call would cost more.
    if (value.size() > 16) {
      std::memcpy(at_, value.data(), value.size());
    } else if (!value.empty()) {
      copy_short(value);
    }
    at_ += value.size();
  }

  void begin(Section section) {
    ensure(2 + kEntryRoom);
    *at_++ = static_cast<char>(section);
    ++at_;  // the length, where it takes one byte
    payload_ = static_cast<size_t>(at_ - out_.data());
  }
  void end() {
    const size_t length = static_cast<size_t>(at_ - out_.data()) - payload_;
    if (length < 0x80) {
      out_[payload_ - 1] = static_cast<char>(length);
      return;
    }
    size_t extra = 0;
    for (size_t rest = length >> 7; rest > 0; rest >>= 7) ++extra;
    ensure(extra);
    char* payload = out_.data() + payload_;
    std::memmove(payload + extra, payload, length);
    at_ = payload - 1;
    varint(length);
    at_ += length;
  }
  void finish() { out_.resize(static_cast<size_t>(at_ - out_.data())); }

  static constexpr size_t kEntryRoom = 256;

 private:
  void copy_short(std::string_view value) {
    const size_t size = value.size();
    if (size >= 8) {
      std::memcpy(at_, value.data(), 8);
      std::memcpy(at_ + size - 8, value.data() + size - 8, 8);
    } else if (size >= 4) {
      std::memcpy(at_, value.data(), 4);
      std::memcpy(at_ + size - 4, value.data() + size - 4, 4);
    } else {
      at_[0] = value[0];
      at_[size / 2] = value[size / 2];
      at_[size - 1] = value[size - 1];
    }
  }
  [[gnu::noinline]] void grow(size_t bytes) {
    const auto used = static_cast<size_t>(at_ - out_.data());
    // 768 bytes hold an average user's page.
    out_.resize(used + bytes + std::max<size_t>(768, bytes));
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }

  std::string& out_;
  char* at_;
  char* end_;
  size_t payload_ = 0;
};

// Times descend, and those not used (kNoTime) come last.
size_t used_times(const Time* times, size_t keep) {
  size_t used = 0;
  while (used < keep && times[used] != kNoTime) ++used;
  return used;
}

void write_times(PageWriter& w, int64_t reference, const Time* times, size_t count) {
  w.ensure(kMaxVarint * (count + 1));
  w.varint(count);
  if (count == 0) return;
  w.time(reference, times[0]);
  for (size_t i = 1; i < count; ++i) {
    SEGUE_ASSERT(times[i] <= times[i - 1]);
    w.varint(static_cast<uint64_t>(difference(to_ms(times[i - 1]), to_ms(times[i]))));
  }
}

void write_summary(PageWriter& w, const Profile& p, int64_t base) {
  uint32_t flags = 0;
  const auto flag = [&](bool set, uint32_t bit) { flags |= set ? bit : 0; };
  flag(p.last_seen != kNoTime, kLastSeen);
  flag(p.first_seen != kNoTime, kFirstSeen);
  flag(p.last_purchase != kNoTime, kLastPurchase);
  flag(p.stage_since != kNoTime, kStageSince);
  flag(p.landmark != kNoTime, kLandmark);
  flag(p.orders != 0, kOrders);
  flag(p.last_order != 0, kLastOrder);
  flag(p.spend.micros != 0, kSpend);
  flag(p.refunded.micros != 0, kRefunded);
  flag(p.outputs != 0, kOutputs);
  flag(p.erased_until != kNoTime, kErasedUntil);
  if (flags == 0) return;
  w.begin(Section::kSummary);
  w.varint(flags);
  if (flags & kLastSeen) w.svarint(base);
  if (flags & kFirstSeen) w.time(base, p.first_seen);
  if (flags & kLastPurchase) w.time(base, p.last_purchase);
  if (flags & kStageSince) w.time(base, p.stage_since);
  if (flags & kLandmark) w.time(base, p.landmark);
  if (flags & kOrders) w.varint(p.orders);
  if (flags & kLastOrder) w.fixed(p.last_order);
  if (flags & kSpend) w.svarint(p.spend.micros);
  if (flags & kRefunded) w.svarint(p.refunded.micros);
  if (flags & kOutputs) w.varint(p.outputs);
  if (flags & kErasedUntil) w.time(base, p.erased_until);
  w.end();
}

void write_counts(PageWriter& w, const Profile& p, int64_t base) {
  uint64_t mask = 0;
  for (size_t i = 0; i < event::kEventTypes; ++i) mask |= static_cast<uint64_t>(p.counts[i] != 0 || p.last[i] != kNoTime) << i;
  if (mask == 0) return;
  w.begin(Section::kCounts);
  w.ensure((2 * event::kEventTypes + 1) * kMaxVarint);
  w.varint(mask);
  for (size_t i = 0; i < event::kEventTypes; ++i) {
    if ((mask >> i & 1) == 0) continue;
    w.varint(p.counts[i]);
    w.optional_time(base, p.last[i]);
  }
  w.end();
}

void write_vector(PageWriter& w, const Profile& p) {
  // Bits, not values: a negative zero is kept too.
  std::array<uint32_t, profile::kVectorSize> bits;
  std::memcpy(bits.data(), p.vector.data(), sizeof bits);
  uint32_t any = 0;
  for (const uint32_t word : bits) any |= word;
  if (any == 0) return;
  w.begin(Section::kVector);
  w.ensure(sizeof bits + 2);
  w.fixed(bits);
  w.end();
}

void write_event_ids(PageWriter& w, const Profile& p) {
  if (p.event_ids.empty()) return;
  w.begin(Section::kEventIds);
  w.ensure(1 + p.event_ids.size() * sizeof(uint64_t) + 2);
  w.fixed(p.event_ids_next);
  for (const uint64_t id : p.event_ids) w.fixed(id);
  w.end();
}

void write_recent(PageWriter& w, const Profile& p, const Plan& plan, int64_t base) {
  if (std::all_of(p.recent.begin(), p.recent.end(), [](Time t) { return t == kNoTime; })) return;
  SEGUE_ASSERT(p.recent.size() == plan.recent_slots);
  w.begin(Section::kRecent);
  for (const Window& window : plan.windows) {
    if (window.scope != Scope::kUser || window.keep == 0) continue;
    const Time* times = &p.recent[window.slot];
    const size_t count = used_times(times, window.keep);
    if (count == 0) continue;
    w.ensure(sizeof(uint32_t));
    w.fixed(page_id(window.id));
    write_times(w, base, times, count);
  }
  w.end();
}

void write_tiles(PageWriter& w, const Profile& p, const Plan& plan) {
  if (p.tiles.empty()) return;
  w.begin(Section::kTiles);
  for (auto first = p.tiles.begin(); first != p.tiles.end();) {
    const auto last = std::find_if(first, p.tiles.end(), [&](const profile::Tile& t) { return t.window != first->window; });
    SEGUE_ASSERT(first->window < plan.windows.size());
    const Window& window = plan.windows[first->window];
    w.ensure(sizeof(uint32_t) + 2 * kMaxVarint);
    w.fixed(page_id(window.id));
    w.varint(static_cast<uint64_t>(window.tile_width.count()));
    w.varint(static_cast<uint64_t>(last - first));
    for (auto tile = first; tile != last; ++tile) {
      w.ensure(3 * kMaxVarint);
      if (tile == first) w.svarint(tile->index);
      if (tile != first) w.varint(static_cast<uint64_t>(difference(tile->index, std::prev(tile)->index)));
      w.varint(tile->count);
      w.svarint(tile->sum.micros);
    }
    first = last;
  }
  w.end();
}

bool has_times(const Interest& interest) {
  return std::any_of(interest.recent.begin(), interest.recent.end(), [](Time t) { return t != kNoTime; });
}

void write_entry_windows(PageWriter& w, const Interest& interest, Scope scope, const Plan& plan, int64_t reference) {
  SEGUE_ASSERT(interest.recent.size() == plan.keyed_slots[interest_index(scope)]);
  for (const Window& window : plan.windows) {
    if (window.scope != scope) continue;
    const Time* times = &interest.recent[window.slot];
    write_times(w, reference, times, used_times(times, window.keep));
  }
}

void write_interest(PageWriter& w, const Interest& interest, Scope scope, const Plan& plan, int64_t& reference) {
  w.text(interest.name);
  w.fixed(interest.weight);
  const auto& counts = interest.counts;
  auto flags = static_cast<unsigned>((counts[0] != 0) | (counts[1] != 0) << 1 | (counts[2] != 0) << 2 | (counts[3] != 0) << 3);
  if (interest.last_seen != kNoTime) flags |= kEntryLastSeen;
  if (interest.first_purchase != kNoTime) flags |= kEntryFirstPurchase;
  if (interest.last_purchase != kNoTime) flags |= kEntryLastPurchase;
  if (has_times(interest)) flags |= kEntryTimes;
  w.fixed(static_cast<uint8_t>(flags));
  if (flags & kEntryLastSeen) {
    w.time(reference, interest.last_seen);
    reference = to_ms(interest.last_seen);
  }
  for (const uint32_t count : counts)
    if (count != 0) w.varint(count);
  if (flags & kEntryFirstPurchase) w.time(reference, interest.first_purchase);
  if (flags & kEntryLastPurchase) w.time(reference, interest.last_purchase);
  if (flags & kEntryTimes) write_entry_windows(w, interest, scope, plan, reference);
}

void write_interests(PageWriter& w, const Profile& p, const Plan& plan, size_t index, int64_t base) {
  const auto& table = p.interests[index];
  if (table.empty()) return;
  const auto scope = static_cast<Scope>(index + 1);
  w.begin(interests_section(index));
  w.varint(table.size());
  const auto of_scope = [&](const Window& window) { return window.scope == scope; };
  const bool any_times = plan.keyed_slots[index] > 0 && std::any_of(table.begin(), table.end(), has_times);
  const auto windows = any_times ? static_cast<size_t>(std::count_if(plan.windows.begin(), plan.windows.end(), of_scope)) : 0;
  w.ensure(kMaxVarint + windows * sizeof(uint32_t));
  w.varint(windows);
  if (any_times)
    for (const Window& window : plan.windows)
      if (of_scope(window)) w.fixed(page_id(window.id));
  int64_t reference = base;
  for (const Interest& interest : table) write_interest(w, interest, scope, plan, reference);
  w.end();
}

void write_cart(PageWriter& w, const Profile& p, int64_t base) {
  if (p.cart.empty()) return;
  w.begin(Section::kCart);
  w.varint(p.cart.size());
  for (const auto& line : p.cart) {
    w.text(line.item_id);
    w.optional_time(base, line.added);
  }
  w.end();
}

void write_traits(PageWriter& w, const Profile& p, int64_t base) {
  if (p.traits.empty()) return;
  w.begin(Section::kTraits);
  w.varint(p.traits.size());
  for (const auto& trait : p.traits) {
    w.text(trait.name);
    w.optional_time(base, trait.stated);
    if (const auto* truth = std::get_if<bool>(&trait.value)) w.fixed(*truth ? TraitKind::kTrue : TraitKind::kFalse);
    if (const auto* number = std::get_if<double>(&trait.value)) w.fixed(TraitKind::kNumber), w.fixed(*number);
    if (const auto* text = std::get_if<std::string>(&trait.value)) w.fixed(TraitKind::kText), w.text(*text);
  }
  w.end();
}

void write_members(PageWriter& w, const Profile& p, const Plan& plan) {
  if (p.members.none()) return;
  w.begin(Section::kMembers);
  for (size_t i = p.members._Find_first(); i < p.members.size(); i = p.members._Find_next(i)) {
    SEGUE_ASSERT(i < plan.definition_ids.size());
    w.ensure(sizeof(uint32_t));
    w.fixed(page_id(plan.definition_ids[i]));
  }
  w.end();
}

void write_keyed_members(PageWriter& w, const Profile& p, const Plan& plan) {
  if (p.keyed_members.empty()) return;
  w.begin(Section::kKeyedMembers);
  for (auto first = p.keyed_members.begin(); first != p.keyed_members.end();) {
    const auto last = std::find_if(first, p.keyed_members.end(), [&](const auto& m) { return m.definition != first->definition; });
    SEGUE_ASSERT(first->definition < plan.definition_ids.size());
    w.ensure(sizeof(uint32_t) + kMaxVarint);
    w.fixed(page_id(plan.definition_ids[first->definition]));
    w.varint(static_cast<uint64_t>(last - first));
    for (; first != last; ++first) w.text(first->key);
  }
  w.end();
}

void write_left_segments(PageWriter& w, const Profile& p, const Plan& plan, int64_t base) {
  if (p.left_segments.empty()) return;
  w.begin(Section::kLeftSegments);
  for (const auto& left : p.left_segments) {
    SEGUE_ASSERT(left.definition < plan.definition_ids.size());
    w.ensure(sizeof(uint32_t) + kMaxVarint);
    w.fixed(page_id(plan.definition_ids[left.definition]));
    w.optional_time(base, left.at);
  }
  w.end();
}

void write_past_moves(PageWriter& w, const Profile& p, const Plan& plan, int64_t base) {
  if (p.past_moves.empty()) return;
  w.begin(Section::kPastMoves);
  w.varint(p.past_moves.size());
  for (const auto& move : p.past_moves) {
    SEGUE_ASSERT(move.move < plan.move_ids.size() && move.from < plan.stage_ids.size() && move.to < plan.stage_ids.size());
    SEGUE_ASSERT(move.compared_count <= profile::kMaxCompared);
    w.ensure(PageWriter::kEntryRoom);
    w.fixed(page_id(plan.move_ids[move.move]));
    w.fixed(page_id(plan.stage_ids[move.from]));
    w.fixed(page_id(plan.stage_ids[move.to]));
    w.fixed(static_cast<uint8_t>(static_cast<unsigned>(move.cause) | static_cast<unsigned>(move.compared_count) << kCauseBits));
    w.varint(move.n);
    w.optional_time(base, move.at);
    for (size_t i = 0; i < move.compared_count; ++i) w.fixed(move.compared[i]);
    w.text(move.event_id);
  }
  w.end();
}

uint32_t stage_id(const Profile& p, const Plan& plan) {
  if (plan.stage_ids.empty() && p.stage == 0) return 0;
  SEGUE_ASSERT(p.stage < plan.stage_ids.size());
  return page_id(plan.stage_ids[p.stage]);
}

}  // namespace

void encode_page(const Profile& profile, uint32_t user_number, const Plan& plan, std::string& out) {
  const int64_t base = base_of(profile.last_seen);
  PageWriter w(out);
  w.fixed(kVersion);
  w.fixed(user_number);
  w.fixed(to_ms(profile.deadline));
  w.fixed(stage_id(profile, plan));
  write_summary(w, profile, base);
  write_counts(w, profile, base);
  write_vector(w, profile);
  write_event_ids(w, profile);
  write_recent(w, profile, plan, base);
  write_tiles(w, profile, plan);
  for (size_t i = 0; i < profile::kInterestScopes; ++i) write_interests(w, profile, plan, i, base);
  write_cart(w, profile, base);
  write_traits(w, profile, base);
  write_members(w, profile, plan);
  write_keyed_members(w, profile, plan);
  write_past_moves(w, profile, plan, base);
  write_left_segments(w, profile, plan, base);
  w.finish();
}

}  // namespace segue::codec
