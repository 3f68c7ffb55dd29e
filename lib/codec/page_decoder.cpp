// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "lib/base/assert.h"
#include "lib/base/bytes.h"
#include "lib/base/hash.h"
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

// As ByteReader, by pointers: a page is a few hundred one-byte varints. After the first bad read ok() is false and every read gives zero.
class PageReader {
 public:
  explicit PageReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  template <FixedWord Word>
  Word fixed() {
    Word word{};
    if (left() < sizeof word) return failed(word);
    std::memcpy(&word, at_, sizeof word);
    at_ += sizeof word;
    return word;
  }
  uint64_t varint() {
    if (at_ < end_ && static_cast<int8_t>(*at_) >= 0) return static_cast<uint8_t>(*at_++);
    return long_varint();
  }
  template <class Word>
  Word narrow() {
    const uint64_t value = varint();
    return value <= std::numeric_limits<Word>::max() ? static_cast<Word>(value) : failed(Word{});
  }
  int64_t svarint() { return unzigzag(varint()); }
  std::string_view text() {
    const uint64_t size = varint();
    if (size > left()) return failed(std::string_view{});
    const std::string_view value(at_, size);
    at_ += size;
    return value;
  }
  // A number of things that take at least `least_bytes` each: checked before room is made for them.
  size_t count(size_t least_bytes) {
    const uint64_t value = varint();
    return value <= left() / least_bytes ? value : failed(size_t{0});
  }
  // A step between ascending or descending values: small enough not to wrap.
  int64_t step() {
    const uint64_t value = varint();
    return value <= 2 * static_cast<uint64_t>(kMaxTimeMs) ? static_cast<int64_t>(value) : failed(int64_t{0});
  }
  Time time(int64_t reference) { return checked(difference(reference, svarint())); }
  Time optional_time(int64_t reference) {
    const uint64_t value = varint();
    return value == 0 ? kNoTime : checked(difference(reference, unzigzag(value - 1)));
  }
  Time checked(int64_t ms) { return ms >= -kMaxTimeMs && ms <= kMaxTimeMs ? time_from_ms(ms) : failed(kNoTime); }
  double finite() {
    const auto value = fixed<double>();
    return std::isfinite(value) ? value : failed(0.0);
  }
  template <class Value>
  Value failed(Value value) {
    ok_ = false;
    at_ = end_;
    return value;
  }
  bool ok() const { return ok_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

 private:
  uint64_t long_varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return failed(uint64_t{0});
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

constexpr size_t kGone = SIZE_MAX;

// The index of a stored id among those in force; kGone when it is not. The search starts at `hint`, behind the one found before: where the
// definitions have not changed, that is the place.
size_t find_id(const std::vector<uint64_t>& ids, uint32_t id, size_t& hint) {
  const size_t size = ids.size();
  for (size_t i = 0; i < size; ++i) {
    const size_t at = hint + i < size ? hint + i : hint + i - size;
    if (page_id(ids[at]) == id) {
      hint = at + 1 < size ? at + 1 : 0;
      return at;
    }
  }
  return kGone;
}

size_t find_id(const std::vector<uint64_t>& ids, uint32_t id) {
  size_t hint = 0;
  return find_id(ids, id, hint);
}

const Window* find_window(const Plan& plan, uint32_t id, Scope scope, bool tiles, size_t& hint) {
  const size_t size = plan.windows.size();
  for (size_t i = 0; i < size; ++i) {
    const size_t at = (hint + i) % size;
    const Window& window = plan.windows[at];
    if (page_id(window.id) != id) continue;
    hint = at + 1;
    return window.scope == scope && (window.keep == 0) == tiles ? &window : nullptr;
  }
  return nullptr;
}

// Reads the times of one window into its places among `slots`; they only pass by where the window is gone.
void read_times(PageReader& r, int64_t reference, const Window* window, size_t slots, std::vector<Time>& recent) {
  const size_t count = r.count(1);
  if (count == 0) return;
  if (window != nullptr) {
    SEGUE_ASSERT(size_t{window->slot} + window->keep <= slots);
    if (recent.empty()) recent.assign(slots, kNoTime);
    std::fill_n(&recent[window->slot], window->keep, kNoTime);
  }
  int64_t ms = 0;
  for (size_t i = 0; i < count && r.ok(); ++i) {
    ms = i == 0 ? difference(reference, r.svarint()) : difference(ms, r.step());
    const Time t = r.checked(ms);
    if (window != nullptr && i < window->keep) recent[window->slot + i] = t;
  }
}

class PageDecoder {
 public:
  PageDecoder(const Plan& plan, Profile& into) : plan_(plan), p_(into) {}

  // False for a malformed section.
  bool read(uint64_t tag, std::string_view content) {
    if (tag > static_cast<uint64_t>(Section::kLast)) return true;  // of a later version
    PageReader r(content);
    switch (static_cast<Section>(tag)) {
      case Section::kSummary:
        read_summary(r);
        break;
      case Section::kCounts:
        read_counts(r);
        break;
      case Section::kVector:
        read_vector(r);
        break;
      case Section::kEventIds:
        read_event_ids(r);
        break;
      case Section::kRecent:
        read_recent(r);
        break;
      case Section::kTiles:
        read_tiles(r);
        break;
      case Section::kCategories:
      case Section::kBrands:
      case Section::kItems:
        read_interests(r, tag - static_cast<uint64_t>(Section::kCategories));
        break;
      case Section::kCart:
        read_cart(r);
        break;
      case Section::kTraits:
        read_traits(r);
        break;
      case Section::kMembers:
        read_members(r);
        break;
      case Section::kKeyedMembers:
        read_keyed_members(r);
        break;
      case Section::kPastMoves:
        read_past_moves(r);
        break;
      case Section::kLeftSegments:
        read_left_segments(r);
        break;
    }
    return r.ok() && r.left() == 0;
  }

 private:
  void read_summary(PageReader& r) {
    const uint64_t flags = r.varint();
    if (flags >= kSummaryEnd) r.failed(0);
    if (flags & kLastSeen) p_.last_seen = r.checked(r.svarint());
    base_ = base_of(p_.last_seen);
    if (flags & kFirstSeen) p_.first_seen = r.time(base_);
    if (flags & kLastPurchase) p_.last_purchase = r.time(base_);
    if (flags & kStageSince) p_.stage_since = r.time(base_);
    if (flags & kLandmark) p_.landmark = r.time(base_);
    if (flags & kOrders) p_.orders = r.narrow<uint32_t>();
    if (flags & kLastOrder) p_.last_order = r.fixed<uint64_t>();
    if (flags & kSpend) p_.spend.micros = r.svarint();
    if (flags & kRefunded) p_.refunded.micros = r.svarint();
    if (flags & kOutputs) p_.outputs = r.varint();
    if (flags & kErasedUntil) p_.erased_until = r.time(base_);
  }

  void read_counts(PageReader& r) {
    uint64_t mask = r.varint();
    // A type that a later version added would have its own section.
    if (mask >> event::kEventTypes != 0) r.failed(0);
    for (; mask != 0 && r.ok(); mask &= mask - 1) {
      const auto type = static_cast<size_t>(std::countr_zero(mask));
      p_.counts[type] = r.narrow<uint32_t>();
      p_.last[type] = r.optional_time(base_);
    }
  }

  void read_vector(PageReader& r) {
    p_.vector = r.fixed<std::array<float, profile::kVectorSize>>();
    std::array<uint32_t, profile::kVectorSize> bits;
    std::memcpy(bits.data(), p_.vector.data(), sizeof bits);
    uint32_t largest = 0;
    for (const uint32_t word : bits) largest = std::max(largest, word & 0x7fffffff);
    if (largest >= 0x7f800000) r.failed(0);  // infinite or not a number
  }

  void read_event_ids(PageReader& r) {
    p_.event_ids_next = r.fixed<uint8_t>();
    const size_t count = r.left() / sizeof(uint64_t);
    const bool full = count == profile::kRememberedEvents;
    if (count > profile::kRememberedEvents || p_.event_ids_next >= (full ? profile::kRememberedEvents : 1)) {
      r.failed(0);
      return;
    }
    p_.event_ids.resize(count);
    for (uint64_t& id : p_.event_ids) id = r.fixed<uint64_t>();
  }

  void read_recent(PageReader& r) {
    size_t hint = 0;
    while (r.left() > 0) {
      const Window* window = find_window(plan_, r.fixed<uint32_t>(), Scope::kUser, false, hint);
      read_times(r, base_, window, plan_.recent_slots, p_.recent);
    }
  }

  void read_tiles(PageReader& r) {
    size_t hint = 0;
    while (r.left() > 0) {
      const Window* window = find_window(plan_, r.fixed<uint32_t>(), Scope::kUser, true, hint);
      const auto width = int64_t{r.narrow<uint32_t>()};
      if (window != nullptr && window->tile_width.count() != width) window = nullptr;
      const size_t count = r.count(3);
      if (width == 0 || count == 0) r.failed(0);
      int64_t index = 0;
      for (size_t i = 0; i < count && r.ok(); ++i) {
        index = i == 0 ? r.svarint() : index + r.step();
        // So that the tile's times cannot overflow.
        if (index > kMaxTimeMs / width || index < -kMaxTimeMs / width) r.failed(0);
        const auto events = r.narrow<uint32_t>();
        const Money sum{r.svarint()};
        if (window != nullptr) p_.tiles.push_back({static_cast<uint16_t>(window - plan_.windows.data()), index, events, sum});
      }
    }
    // The page has the order of the definitions that it was written under.
    const auto key = [](const profile::Tile& t) { return std::pair{t.window, t.index}; };
    if (!std::ranges::is_sorted(p_.tiles, {}, key)) std::ranges::sort(p_.tiles, {}, key);
    if (std::ranges::adjacent_find(p_.tiles, {}, key) != p_.tiles.end()) r.failed(0);
  }

  void read_interests(PageReader& r, size_t index) {
    auto& table = p_.interests[index];
    const size_t count = r.count(kLeastEntryBytes);
    const size_t windows = r.count(sizeof(uint32_t));
    PageReader ids = r;
    for (size_t i = 0; i < windows; ++i) r.fixed<uint32_t>();
    table.resize(count);
    int64_t reference = base_;
    for (Interest& interest : table) {
      if (!r.ok()) return;
      read_interest(r, interest, reference);
      if (interest_has_times_) read_entry_windows(r, ids, windows, index, interest, reference);
    }
    if (table.size() > plan_.interest_size[index]) keep_heaviest(table, plan_.interest_size[index]);
  }

  void read_interest(PageReader& r, Interest& interest, int64_t& reference) {
    const std::string_view name = r.text();
    interest.name.assign(name);
    interest.hash = name_hash(name);
    interest.weight = r.finite();
    if (std::signbit(interest.weight)) r.failed(0);
    const auto flags = r.fixed<uint8_t>();
    interest.last_seen = kNoTime;
    if (flags & kEntryLastSeen) {
      interest.last_seen = r.time(reference);
      reference = to_ms(interest.last_seen);
    }
    for (size_t i = 0; i < interest.counts.size(); ++i) interest.counts[i] = flags >> i & 1 ? r.narrow<uint32_t>() : 0;
    interest.first_purchase = flags & kEntryFirstPurchase ? r.time(reference) : kNoTime;
    interest.last_purchase = flags & kEntryLastPurchase ? r.time(reference) : kNoTime;
    interest.recent.clear();
    interest_has_times_ = (flags & kEntryTimes) != 0;
  }

  void read_entry_windows(PageReader& r, PageReader ids, size_t windows, size_t index, Interest& interest, int64_t reference) {
    size_t hint = 0;
    for (size_t i = 0; i < windows && r.ok(); ++i) {
      const Window* window = find_window(plan_, ids.fixed<uint32_t>(), static_cast<Scope>(index + 1), false, hint);
      read_times(r, reference, window, plan_.keyed_slots[index], interest.recent);
    }
  }

  // The definitions want fewer entries than the page has. Of equals the earlier stays.
  static void keep_heaviest(std::vector<Interest>& table, size_t size) {
    std::vector<size_t> order(table.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return table[a].weight > table[b].weight; });
    order.resize(size);
    std::ranges::sort(order);
    for (size_t i = 0; i < size; ++i)
      if (order[i] != i) table[i] = std::move(table[order[i]]);
    table.resize(size);
  }

  void read_cart(PageReader& r) {
    const size_t count = r.count(2);
    if (count > profile::kMaxCart) r.failed(0);
    for (size_t i = 0; i < count && r.ok(); ++i) {
      const std::string_view item_id = r.text();
      p_.cart.push_back({name_hash(item_id), r.optional_time(base_), std::string(item_id)});
    }
  }

  void read_traits(PageReader& r) {
    const size_t count = r.count(3);
    if (count > profile::kMaxTraits) r.failed(0);
    for (size_t i = 0; i < count && r.ok(); ++i) {
      profile::Trait& trait = p_.traits.emplace_back();
      trait.name.assign(r.text());
      trait.stated = r.optional_time(base_);
      switch (r.fixed<TraitKind>()) {
        case TraitKind::kFalse:
          trait.value = false;
          break;
        case TraitKind::kTrue:
          trait.value = true;
          break;
        case TraitKind::kNumber:
          trait.value = r.finite();
          break;
        case TraitKind::kText:
          trait.value = std::string(r.text());
          break;
        default:
          r.failed(0);
      }
    }
  }

  void read_members(PageReader& r) {
    size_t hint = 0;
    while (r.left() > 0) {
      const size_t at = find_id(plan_.definition_ids, r.fixed<uint32_t>(), hint);
      if (at != kGone && r.ok()) p_.members.set(at);
    }
  }

  void read_keyed_members(PageReader& r) {
    size_t hint = 0;
    size_t read = 0;
    while (r.left() > 0) {
      const size_t at = find_id(plan_.definition_ids, r.fixed<uint32_t>(), hint);
      const size_t count = r.count(1);
      if (count == 0 || (read += count) > profile::kMaxKeyed) r.failed(0);
      for (size_t i = 0; i < count && r.ok(); ++i) {
        const std::string_view key = r.text();
        if (at != kGone) p_.keyed_members.push_back({static_cast<uint16_t>(at), name_hash(key), std::string(key)});
      }
    }
    const auto definition = [](const profile::KeyedMember& m) { return m.definition; };
    if (!std::ranges::is_sorted(p_.keyed_members, {}, definition)) std::ranges::stable_sort(p_.keyed_members, {}, definition);
  }

  void read_past_moves(PageReader& r) {
    const size_t count = r.count(3 * sizeof(uint32_t) + 4);
    if (count > profile::kMaxPastMoves) r.failed(0);
    for (size_t i = 0; i < count && r.ok(); ++i) {
      const size_t move = find_id(plan_.move_ids, r.fixed<uint32_t>());
      const size_t from = find_id(plan_.stage_ids, r.fixed<uint32_t>());
      const size_t to = find_id(plan_.stage_ids, r.fixed<uint32_t>());
      profile::PastMove past;
      const auto shape = r.fixed<uint8_t>();
      past.cause = static_cast<profile::Cause>(shape & ((1U << kCauseBits) - 1));
      past.compared_count = static_cast<uint8_t>(shape >> kCauseBits);
      if (past.cause > profile::Cause::kDefinitions || past.compared_count > profile::kMaxCompared) {
        r.failed(0);
        return;
      }
      past.n = r.varint();
      past.at = r.optional_time(base_);
      for (size_t k = 0; k < past.compared_count; ++k) past.compared[k] = r.fixed<double>();
      past.event_id.assign(r.text());
      if (move == kGone || from == kGone || to == kGone) continue;
      past.move = static_cast<uint16_t>(move);
      past.from = static_cast<uint8_t>(from);
      past.to = static_cast<uint8_t>(to);
      p_.past_moves.push_back(std::move(past));
    }
  }

  void read_left_segments(PageReader& r) {
    size_t hint = 0;
    while (r.left() > 0) {
      const size_t at = find_id(plan_.definition_ids, r.fixed<uint32_t>(), hint);
      const Time left_at = r.optional_time(base_);
      if (at != kGone) p_.left_segments.push_back({static_cast<uint16_t>(at), left_at});
    }
    const auto definition = [](const profile::LeftSegment& left) { return left.definition; };
    if (!std::ranges::is_sorted(p_.left_segments, {}, definition)) std::ranges::sort(p_.left_segments, {}, definition);
    if (std::ranges::adjacent_find(p_.left_segments, {}, definition) != p_.left_segments.end()) r.failed(0);
  }

  // name length, weight, flags
  static constexpr size_t kLeastEntryBytes = 1 + sizeof(double) + 1;

  const Plan& plan_;
  Profile& p_;
  int64_t base_ = 0;
  bool interest_has_times_ = false;
};

template <FixedWord Word>
Word word_at(std::string_view bytes, size_t at) {
  Word word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

}  // namespace

Result<PageHeader> read_page_header(std::string_view page) {
  if (page.size() < kHeaderBytes) return fail(ErrorClass::kData, "page: shorter than its header");
  if (static_cast<uint8_t>(page[0]) != kVersion)
    return fail(ErrorClass::kData, "page: version " + std::to_string(static_cast<uint8_t>(page[0])) + " is not known to this program");
  return PageHeader{word_at<uint32_t>(page, kNumberAt), time_from_ms(word_at<int64_t>(page, kDeadlineAt)), word_at<uint32_t>(page, kStageAt)};
}

Result<> decode_page(std::string_view page, const Plan& plan, Profile& into) {
  // Interest entries are overwritten in place: their strings and lists keep their memory.
  std::array<std::vector<Interest>, profile::kInterestScopes> tables;
  tables.swap(into.interests);
  into.reset();
  tables.swap(into.interests);
  const auto header = read_page_header(page);
  if (!header) return tl::unexpected<Error>(header.error());
  into.deadline = header->deadline;
  const size_t stage = find_id(plan.stage_ids, header->stage_id);
  into.stage = stage == kGone ? uint8_t{0} : static_cast<uint8_t>(stage);

  PageDecoder decoder(plan, into);
  PageReader r(page.substr(kHeaderBytes));
  uint64_t before = 0;
  uint64_t interests_read = 0;  // bit = tag
  while (r.left() > 0) {
    const uint64_t tag = r.varint();
    const std::string_view content = r.text();
    if (!r.ok() || tag <= before || !decoder.read(tag, content))
      return fail(ErrorClass::kData, "page: section " + std::to_string(tag) + " is malformed");
    if (tag < 64) interests_read |= uint64_t{1} << tag;
    before = tag;
  }
  for (size_t i = 0; i < profile::kInterestScopes; ++i)
    if ((interests_read >> static_cast<size_t>(interests_section(i)) & 1) == 0) into.interests[i].clear();
  return {};
}

}  // namespace segue::codec
