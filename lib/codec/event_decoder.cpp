// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/event_decoder.h"

#include <array>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/codec/name_table.h"

namespace segue::codec {
namespace {

using event::Event;
using event::EventType;
using event::Item;
using event::RejectReason;
using event::Trait;

// The known fields in the order in which they are checked: the first one at fault gives the record's reason.
// clang-format off
enum Field : uint8_t {
  kEventId, kUserId, kType, kTs, kReceivedAt, kOrderId, kSessionId, kChannel, kItemId, kCategory, kBrand, kPrice, kQuantity,
  kItems, kQuery, kText, kCouponId, kCampaignId, kMessageId, kRating, kTraits, kFields
};
constexpr std::array<std::string_view, kFields> kFieldNames = {
  "event_id", "user_id", "type", "ts", "received_at", "order_id", "session_id", "channel", "item_id", "category", "brand", "price", "quantity",
  "items", "query", "text", "coupon_id", "campaign_id", "message_id", "rating", "traits"};
// clang-format on
constexpr NameTable<kFields> kFieldTable{kFieldNames};
constexpr NameTable<event::kEventTypes> kTypeTable{event::kEventTypeNames};
static_assert(EventDecoder::kPadding >= NameTable<kFields>::kReadBytes);

constexpr uint32_t bit(Field field) { return uint32_t{1} << field; }
constexpr uint32_t kAllFields = bit(kFields) - 1;
constexpr uint32_t kItemFields = bit(kItemId) | bit(kCategory) | bit(kBrand) | bit(kPrice) | bit(kQuantity);
constexpr uint32_t kDetailFields = bit(kQuery) | bit(kText) | bit(kCouponId) | bit(kCampaignId) | bit(kMessageId) | bit(kRating);

// An object's first field has this one before it.
constexpr uint32_t kFirstField = 30;

// Where the values of an object's known fields begin.
struct Members {
  uint32_t found = 0;                   // bits of the fields that are there
  uint32_t end = 0;                     // the token of the closing brace
  std::array<uint32_t, kFields> value;  // tokens, set only where found
};

static_assert((NameTable<kFields>::kNotFound & 31) >= kFields && kFirstField >= kFields);

// For each field the bytes of its name in quotes with the colon behind, to be compared at once.
struct alignas(32) QuotedName {
  uint64_t low = 0, high = 0;
  uint64_t low_mask = 0, high_mask = 0;
};
constexpr std::array<QuotedName, kFields> kQuotedNames = [] {
  std::array<QuotedName, kFields> quoted;
  for (size_t i = 0; i < kFields; ++i) {
    const auto put = [&](size_t at, char c) {
      (at < 8 ? quoted[i].low : quoted[i].high) |= uint64_t{static_cast<uint8_t>(c)} << (8 * (at % 8));
      (at < 8 ? quoted[i].low_mask : quoted[i].high_mask) |= uint64_t{0xff} << (8 * (at % 8));
    };
    size_t at = 0;
    put(at++, '"');
    for (const char c : kFieldNames[i]) put(at++, c);
    put(at++, '"'), put(at++, ':');
  }
  return quoted;
}();

// True where the text at `p` is this field's name and colon. Reads 16 bytes.
bool has_name(const char* p, uint32_t field) {
  const QuotedName& quoted = kQuotedNames[field];
  uint64_t low, high;
  std::memcpy(&low, p, sizeof low);
  std::memcpy(&high, p + sizeof low, sizeof high);
  return (((low ^ quoted.low) & quoted.low_mask) | ((high ^ quoted.high) & quoted.high_mask)) == 0;
}

// The field, or kNotFound, whose name is the string at `token`. False when that is not JSON.
bool find_field(const JsonText& text, uint32_t token, Arena& arena, uint32_t& field) {
  const std::string_view name = text.string(token, arena);
  if (name.data() == nullptr) return false;
  // Only an unescaped name lies in memory that has no padding behind it.
  const bool in_place = name.data() == text.at(token) + 1;
  field = in_place ? kFieldTable.find_in_place(name.data(), name.size()) : kFieldTable.find(name);
  return true;
}

// Walks over the object that begins at `token`, `depth` containers deep with itself. Every byte is checked, but not the scalars of the wanted
// fields: whoever accepts the object reads all of those. A name given twice counts with its last value. False when it is not JSON. `order` guesses
// the next name and learns.
bool find_members(const JsonText& source, uint32_t token, unsigned depth, uint32_t wanted, FieldOrder& order, Arena& arena, Members& members) {
  const JsonText text = source;  // a copy that nothing else can change: it stays in registers
  const uint32_t size = text.size();
  uint32_t found = 0, previous = kFirstField;
  if (token + 1 >= size) return false;
  if (text.first(token + 1) == '}') return members.found = 0, members.end = token + 1, true;
  do {
    // Name, colon, value, comma or brace.
    if (token + 4 >= size) return false;
    uint32_t field = order[previous];
    if (!has_name(text.at(token + 1), field)) {
      if (text.first(token + 1) != '"' || text.first(token + 2) != ':' || !find_field(text, token + 1, arena, field)) return false;
      if (field < kFields) order[previous] = static_cast<uint8_t>(field);
    }
    previous = field & 31;
    const uint32_t value = token + 3;
    token = value + 1;
    // kNotFound gives a bit that nobody wants.
    const uint32_t mask = uint32_t{1} << (field & 31) & wanted;
    if (mask != 0) [[likely]] {
      if ((found & mask) != 0 && text.skip(members.value[field], depth) == 0) return false;
      if (text.opens_container(value)) token = text.skip(value, depth);
      found |= mask;
      members.value[field] = value;
    } else {
      token = text.skip(value, depth);
    }
    if (token == 0 || token >= size) return false;
  } while (text.first(token) == ',');
  members.found = found;
  members.end = token;
  return text.first(token) == '}';
}

// Reads one record's fields into an event. Each reading function is false where it rejects; why() then says the reason.
class EventReader {
 public:
  EventReader(const JsonText& text, const Members& members, FieldOrder& item_order, Arena& arena, Event& event)
      : text_(text), top_(members), item_order_(item_order), arena_(arena), event_(event) {}

  bool read() {
    if (!read_identity() || !read_times()) return false;
    if (!read_name(top_, kOrderId, event_.order_id) || !read_name(top_, kSessionId, event_.session_id) ||
        !read_name(top_, kChannel, event_.channel) || !read_line(top_, event_.item))
      return false;
    if (top_.found < bit(kItems)) return true;
    return read_items() && read_details() && read_traits();
  }
  RejectReason why() const { return reason_; }

 private:
  bool reject(RejectReason reason) { return reason_ = reason, false; }
  bool accept(Rejection rejection) { return rejection ? reject(*rejection) : true; }
  static bool has(const Members& members, Field field) { return (members.found & bit(field)) != 0; }

  // The string at `token`. Where it is absent (null) the view is empty; kInvalidField where it is anything else.
  [[gnu::noinline]] bool read_string(uint32_t token, std::string_view& out) {
    if (text_.first(token) != '"') return text_.is_null(token) || reject(RejectReason::kInvalidField);
    const auto value = text_.string(token, arena_);
    if (value.data() == nullptr) return reject(RejectReason::kInvalidJson);
    out = value;
    return true;
  }
  bool read_limited(const Members& members, Field field, size_t limit, std::string_view& out) {
    if (!has(members, field)) return true;
    const uint32_t token = members.value[field];
    if (text_.first(token) == '"' && !text_.has_escapes()) {
      out = text_.raw_string(token);
    } else if (!read_string(token, out)) {
      return false;
    }
    return out.size() <= limit || reject(RejectReason::kFieldTooLong);
  }
  bool read_name(const Members& members, Field field, std::string_view& out) { return read_limited(members, field, event::kMaxNameBytes, out); }

  bool read_required(Field field, size_t limit, RejectReason missing, std::string_view& out) {
    if (!has(top_, field)) return reject(missing);
    const uint32_t token = top_.value[field];
    if (text_.first(token) == '"' && !text_.has_escapes()) {
      out = text_.raw_string(token);
    } else if (!read_string(token, out)) {
      return reject(reason_ == RejectReason::kInvalidField ? missing : reason_);
    }
    return accept(check_required(out, limit, missing));
  }
  bool read_identity() {
    if (!read_required(kEventId, event::kMaxEventIdBytes, RejectReason::kMissingEventId, event_.event_id)) return false;
    if (!read_required(kUserId, event::kMaxUserIdBytes, RejectReason::kMissingUserId, event_.user_id)) return false;
    std::string_view type;
    if (!read_required(kType, event::kMaxNameBytes, RejectReason::kUnknownType, type)) return reject(RejectReason::kUnknownType);
    const bool in_place = type.data() == text_.at(top_.value[kType]) + 1;
    const uint8_t number = in_place ? kTypeTable.find_in_place(type.data(), type.size()) : kTypeTable.find(type);
    if (number >= event::kEventTypes) return reject(RejectReason::kUnknownType);
    event_.type = static_cast<EventType>(number);
    return true;
  }
  bool read_time(Field field, RejectReason reason, Time& out) {
    int64_t ms = 0;
    if (!text_.whole(top_.value[field], ms) || !is_event_time(ms)) return reject(reason);
    out = time_from_ms(ms);
    return true;
  }
  bool read_times() {
    if (!has(top_, kTs)) return reject(RejectReason::kInvalidTs);
    if (!read_time(kTs, RejectReason::kInvalidTs, event_.ts)) return false;
    if (!has(top_, kReceivedAt) || text_.is_null(top_.value[kReceivedAt])) return true;
    return read_time(kReceivedAt, RejectReason::kInvalidField, event_.received_at);
  }
  bool read_line(const Members& members, Item& line) {
    if (!read_name(members, kItemId, line.item_id) || !read_name(members, kCategory, line.category) || !read_name(members, kBrand, line.brand))
      return false;
    if (has(members, kPrice)) {
      const uint32_t token = members.value[kPrice];
      JsonNumber price;
      if (text_.number(token, price)) {
        if (!accept(check_price(price.value, line.price))) return false;
      } else if (!text_.is_null(token)) {
        return reject(RejectReason::kInvalidPrice);
      }
    }
    if (has(members, kQuantity)) {
      const uint32_t token = members.value[kQuantity];
      if (text_.whole(token, line.quantity)) {
        if (!accept(check_quantity(line.quantity))) return false;
      } else if (!text_.is_null(token)) {
        return reject(RejectReason::kInvalidQuantity);
      }
    }
    return accept(check_amount(line));
  }

  bool read_items() {
    if (!has(top_, kItems) || text_.is_null(top_.value[kItems])) return true;
    const uint32_t open = top_.value[kItems];
    if (text_.first(open) != '[') return reject(RejectReason::kInvalidField);
    if (text_.first(open + 1) == ']') return true;
    // The walk over the top level has checked the whole array, so it ends, and no skip() fails.
    size_t count = 0;
    for (uint32_t token = open; text_.first(token) != ']'; token = text_.skip(token + 1, 2)) ++count;
    if (count > event::kMaxItems) return reject(RejectReason::kTooManyItems);
    const std::span<Item> items = arena_.make_array<Item>(count);
    uint32_t token = open + 1;
    Members members;
    for (Item& item : items) {
      if (text_.first(token) != '{') return reject(RejectReason::kInvalidField);
      if (!find_members(text_, token, 3, kItemFields, item_order_, arena_, members)) return reject(RejectReason::kInvalidJson);
      if (!read_line(members, item)) return false;
      token = members.end + 2;
    }
    event_.items = items;
    return true;
  }

  bool read_details() {
    if ((top_.found & kDetailFields) == 0) return true;
    event::Details details;
    if (!read_limited(top_, kQuery, event::kMaxTextBytes, details.query) || !read_limited(top_, kText, event::kMaxTextBytes, details.text) ||
        !read_name(top_, kCouponId, details.coupon_id) || !read_name(top_, kCampaignId, details.campaign_id) ||
        !read_name(top_, kMessageId, details.message_id))
      return false;
    JsonNumber rating;
    if (has(top_, kRating) && !text_.is_null(top_.value[kRating])) {
      if (!text_.number(top_.value[kRating], rating)) return reject(RejectReason::kInvalidField);
      details.rating = rating.value;
    }
    if (is_empty(details)) return true;
    event_.details = new (arena_.allocate(sizeof details, alignof(event::Details))) event::Details(details);
    return true;
  }

  // One member of "traits"; a name given twice keeps its place and takes the last value.
  struct Member {
    std::string_view name;
    uint32_t value;
  };
  bool read_traits() {
    if (!has(top_, kTraits) || text_.is_null(top_.value[kTraits])) return true;
    uint32_t token = top_.value[kTraits];
    if (text_.first(token) != '{') return reject(RejectReason::kInvalidField);
    if (text_.first(token + 1) == '}') return true;
    std::array<Member, event::kMaxTraits> members;
    size_t count = 0;
    for (; text_.first(token) != '}'; token = text_.skip(token + 3, 2)) {
      const auto name = text_.string(token + 1, arena_);
      if (name.data() == nullptr) return reject(RejectReason::kInvalidJson);
      size_t at = 0;
      while (at < count && members[at].name != name) ++at;
      if (at == event::kMaxTraits) return reject(RejectReason::kTooManyItems);
      members[at] = {name, token + 3};
      count += at == count;
    }
    const std::span<Trait> traits = arena_.make_array<Trait>(count);
    for (size_t i = 0; i < count; ++i) {
      traits[i].name = members[i].name;
      if (members[i].name.empty()) return reject(RejectReason::kInvalidField);
      if (!accept(check_length(members[i].name, event::kMaxNameBytes)) || !read_trait(members[i].value, traits[i].value)) return false;
    }
    event_.traits = traits;
    return true;
  }
  bool read_trait(uint32_t token, event::TraitValue& out) {
    switch (text_.first(token)) {
      case 'n':
        return true;
      case 't':
        return out = true, true;
      case 'f':
        return out = false, true;
      case '{':
      case '[':
        return reject(RejectReason::kInvalidField);
      case '"': {
        std::string_view value;
        if (!read_string(token, value) || !accept(check_length(value, event::kMaxTextBytes))) return false;
        return out = value, true;
      }
      default: {
        JsonNumber number;
        if (!text_.number(token, number)) return reject(RejectReason::kInvalidJson);
        return out = number.value, true;
      }
    }
  }

  const JsonText& text_;
  const Members& top_;
  FieldOrder& item_order_;
  Arena& arena_;
  Event& event_;
  RejectReason reason_ = RejectReason::kInvalidJson;
};

// True for the object that begins at `token`, lies before offset `end` and has nothing but white space up to there.
bool find_record(const JsonText& text, uint32_t token, size_t end, FieldOrder& order, Arena& arena, Members& members) {
  return find_members(text, token, 1, kAllFields, order, arena, members) && text.offset(members.end) < end && text.offset(members.end + 1) >= end;
}

bool has_backslash(std::string_view text) { return text.find('\\') != text.npos; }

}  // namespace

void EventDecoder::index_lines(std::string_view lines) {
  // A line with an odd quote, bytes that are not UTF-8 and the like spoil the whole block: then each line is decoded alone.
  block_ = block_index_.build(lines) ? lines : std::string_view{};
  block_token_ = 0;
  block_has_escapes_ = has_backslash(block_);
}

Rejection EventDecoder::decode(std::string_view line, Time appended_at, Arena& arena, Event& event) {
  if (block_.empty() || line.data() < block_.data() || line.data() + line.size() > block_.data() + block_.size() ||
      line.size() > event::kMaxRecordBytes)
    return decode_alone(line, appended_at, arena, event);
  const auto begin = static_cast<size_t>(line.data() - block_.data());
  const uint32_t* const tokens = block_index_.tokens();
  while (tokens[block_token_] < begin) ++block_token_;
  const JsonText text(block_, block_index_, block_has_escapes_);
  const uint32_t token = block_token_;
  Members members;
  if (token >= text.size() || text.first(token) != '{' || !find_record(text, token, begin + line.size(), order_, arena, members))
    return decode_alone(line, appended_at, arena, event);
  block_token_ = members.end + 1;
  new (&event) Event{};
  EventReader reader(text, members, item_order_, arena, event);
  // A rejected record is looked at again by itself, so that its reason never depends on its neighbours.
  if (!reader.read()) return decode_alone(line, appended_at, arena, event);
  return check_future(event, appended_at, options_);
}

DecodeResult EventDecoder::decode(std::string_view line, Time appended_at, Arena& arena) {
  DecodeResult result;
  if (const auto rejection = decode(line, appended_at, arena, *result)) return tl::unexpected(*rejection);
  return result;
}

Rejection EventDecoder::decode_alone(std::string_view line, Time appended_at, Arena& arena, Event& event) {
  if (line.size() > event::kMaxRecordBytes) return RejectReason::kRecordTooLarge;
  if (!line_index_.build(line)) return is_utf8(line) ? RejectReason::kInvalidJson : RejectReason::kInvalidUtf8;
  const JsonText text(line, line_index_, has_backslash(line));
  if (text.first(0) != '{') {
    // A bare scalar may end where the line ends; in brackets it has an end that the padding cannot change.
    copy_.assign("[").append(line).append("]").append(kPadding, ' ');
    const std::string_view array(copy_.data(), line.size() + 2);
    if (!line_index_.build(array)) return RejectReason::kInvalidJson;
    const JsonText wrapped(array, line_index_, true);
    return wrapped.skip(1, 0) + 1 == wrapped.size() ? RejectReason::kNotAnObject : RejectReason::kInvalidJson;
  }
  Members members;
  if (!find_record(text, 0, line.size(), order_, arena, members)) return RejectReason::kInvalidJson;
  new (&event) Event{};
  EventReader reader(text, members, item_order_, arena, event);
  if (reader.read()) return check_future(event, appended_at, options_);
  // Whatever is wrong with a field, what is not JSON is that first.
  return text.is_valid() ? reader.why() : RejectReason::kInvalidJson;
}

}  // namespace segue::codec
