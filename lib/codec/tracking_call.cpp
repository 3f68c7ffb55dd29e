// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/tracking_call.h"

#include "lib/base/assert.h"
#include "lib/base/hash.h"
#include "lib/codec/iso_time.h"
#include "lib/codec/json_members.h"
#include "lib/codec/tracking_fields.h"

namespace segue::codec {
namespace {

using event::Event;
using event::EventType;

// JsonText reads up to 16 bytes behind the text.
constexpr size_t kPadding = 64;

enum CallField : uint8_t {
  kType,
  kEvent,
  kUserId,
  kAnonymousId,
  kMessageId,
  kTimestamp,
  kOriginalTimestamp,
  kSentAt,
  kContext,
  kProperties,
  kTraits,
  kChannel,
  kCategory,
  kWriteKey,
  kBatch,
  kCallFields
};
constexpr FieldNames<kCallFields> kCallNames = {"type",   "event",   "userId",     "anonymousId", "messageId", "timestamp", "originalTimestamp",
                                                "sentAt", "context", "properties", "traits",      "channel",   "category",  "writeKey",
                                                "batch"};

}  // namespace

std::optional<CallKind> find_call_kind(std::string_view name) {
  for (size_t i = 0; i < kCallKindNames.size(); ++i)
    if (kCallKindNames[i] == name) return static_cast<CallKind>(i);
  return std::nullopt;
}

Result<> TrackingDecoder::open(std::string_view body, std::optional<CallKind> kind, Time received_at) {
  counts_ = {};
  arena_.clear();
  next_ = 0;
  kind_ = kind;
  received_at_ = received_at;
  sent_at_ = kNoTime;
  write_key_ = {};
  body_.assign(body).append(kPadding, ' ');
  const std::string_view copy(body_.data(), body.size());
  if (!index_.build(copy)) return fail(ErrorClass::kData, is_utf8(copy) ? "the body is not JSON" : "the body is not UTF-8");
  text_ = JsonText(copy, index_, copy.find('\\') != copy.npos);
  // One pass proves the whole: whatever walks over it later needs no checks.
  if (text_.first(0) != '{') return fail(ErrorClass::kData, "the body is not a JSON object");
  if (!text_.is_valid()) return fail(ErrorClass::kData, "the body is not JSON, or deeper than 64 objects and arrays");

  const auto fields = find_members(text_, 0, kCallNames, arena_);
  TrackingFields reader(text_, arena_, counts_.ignored_properties);
  if (fields[kWriteKey] != 0) write_key_ = reader.text(fields[kWriteKey], event::kMaxNameBytes);
  if (fields[kSentAt] != 0) sent_at_ = reader.time(fields[kSentAt]).value_or(kNoTime);
  if (kind_) {
    if (body.size() > options_.max_call_bytes)
      return fail(ErrorClass::kData, "the call is larger than " + std::to_string(options_.max_call_bytes) + " bytes");
    next_ = kNoToken;  // the root, which is token 0
    return {};
  }
  const uint32_t batch = fields[kBatch];
  if (batch == 0 || text_.first(batch) != '[') return fail(ErrorClass::kData, "the body has no array \"batch\"");
  if (text_.first(batch + 1) != ']') next_ = batch + 1;
  return {};
}

bool TrackingDecoder::next(Event& event) {
  while (next_ != 0) {
    std::optional<SkipReason> skipped;
    if (next_ == kNoToken) {
      next_ = 0;
      skipped = read_call(0, kind_, event);
    } else {
      const uint32_t token = next_;
      const uint32_t end = text_.skip(token, 2);
      next_ = text_.first(end) == ',' ? end + 1 : 0;
      if (text_.first(token) != '{') {
        skipped = SkipReason::kNotAnObject;
      } else if (text_.offset(end) - text_.offset(token) > options_.max_call_bytes) {
        skipped = SkipReason::kCallTooLarge;
      } else {
        skipped = read_call(token, std::nullopt, event);
      }
    }
    if (!skipped) return true;
    ++counts_.of(*skipped);
  }
  return false;
}

// What one call says. Each reading function gives the reason where the call cannot be used.
class TrackingDecoder::CallReader {
 public:
  using Skip = std::optional<SkipReason>;

  CallReader(TrackingDecoder& decoder, uint32_t token, Event& event)
      : decoder_(decoder),
        text_(decoder.text_),
        fields_(decoder.text_, decoder.arena_, decoder.counts_.ignored_properties),
        token_(token),
        found_(find_members(text_, token, kCallNames, decoder.arena_)),
        event_(event) {}

  Skip read(std::optional<CallKind> kind) {
    new (&event_) Event{};
    if (!kind && is_text(kType)) kind = find_call_kind(fields_.text(found_[kType], event::kMaxNameBytes));
    if (!kind) return SkipReason::kUnknownCall;
    if (auto skip = read_type(*kind)) return skip;
    if (auto skip = read_user()) return skip;
    if (auto skip = read_times()) return skip;
    if (auto skip = read_event_id()) return skip;
    event_.received_at = decoder_.received_at_;
    if (has(kChannel)) event_.channel = fields_.name(found_[kChannel]);
    if (event_.type == EventType::kIdentify) return read_traits();
    if (auto skip = fields_.read_properties(found_[kProperties], event_)) return skip;
    if (has(kCategory) && event_.item.category.empty()) event_.item.category = fields_.name(found_[kCategory]);
    const uint32_t context = found_[kContext];
    if (context != 0 && text_.first(context) == '{') {
      const auto session = find_members(text_, context, FieldNames<1>{"sessionId"}, decoder_.arena_)[0];
      if (session != 0 && !text_.is_null(session)) event_.session_id = fields_.name(session);
    }
    return std::nullopt;
  }

 private:
  bool has(CallField field) const { return found_[field] != 0 && !text_.is_null(found_[field]); }
  bool is_text(CallField field) const { return found_[field] != 0 && text_.first(found_[field]) == '"'; }

  Skip read_type(CallKind kind) {
    switch (kind) {
      case CallKind::kTrack: {
        if (!is_text(kEvent)) return SkipReason::kUnknownCall;
        const auto type = decoder_.options_.names.find(text_.string(found_[kEvent], decoder_.arena_));
        if (!type) return SkipReason::kUnmappedEvent;
        event_.type = *type;
        return std::nullopt;
      }
      case CallKind::kIdentify:
        event_.type = EventType::kIdentify;
        return std::nullopt;
      case CallKind::kPage:
      case CallKind::kScreen:
        if (!decoder_.options_.pages) return SkipReason::kPage;
        event_.type = EventType::kView;
        return std::nullopt;
      case CallKind::kAlias:
        return SkipReason::kAlias;
      case CallKind::kGroup:
        return SkipReason::kGroup;
    }
    return SkipReason::kUnknownCall;
  }

  Skip read_user() {
    if (has(kUserId)) event_.user_id = fields_.id(found_[kUserId]);
    if (event_.user_id.empty() && has(kAnonymousId)) {
      const std::string_view id = fields_.id(found_[kAnonymousId]);
      const std::string& prefix = decoder_.options_.anonymous_prefix;
      if (id.size() > event::kMaxUserIdBytes) return SkipReason::kIdTooLong;
      if (!id.empty()) event_.user_id = join(prefix, id);
    }
    if (event_.user_id.empty()) return SkipReason::kMissingUser;
    if (event_.user_id.size() > event::kMaxUserIdBytes) return SkipReason::kIdTooLong;
    return std::nullopt;
  }

  Skip read_times() {
    Time ts = decoder_.received_at_;
    const CallField field = has(kTimestamp) ? kTimestamp : kOriginalTimestamp;
    dated_ = has(field);
    if (dated_) {
      const auto said = fields_.time(found_[field]);
      if (!said) return SkipReason::kInvalidTime;
      Time sent = decoder_.sent_at_;
      if (sent == kNoTime && has(kSentAt)) sent = fields_.time(found_[kSentAt]).value_or(kNoTime);
      // The client's clock is wrong by as much in both.
      ts = sent == kNoTime ? *said : decoder_.received_at_ - (sent - *said);
    }
    if (ts > decoder_.received_at_) ts = decoder_.received_at_;
    if (to_ms(ts) < 0) return SkipReason::kInvalidTime;
    event_.ts = ts;
    return std::nullopt;
  }

  Skip read_event_id() {
    if (has(kMessageId)) event_.event_id = fields_.id(found_[kMessageId]);
    if (event_.event_id.size() > event::kMaxEventIdBytes) return SkipReason::kIdTooLong;
    if (!event_.event_id.empty()) return std::nullopt;
    if (dated_) {
      const char* const begin = text_.at(token_);
      const char* const end = text_.at(text_.skip(token_, 2));
      event_.event_id = join("call-", hash128_hex({begin, static_cast<size_t>(end - begin)}));
    } else {
      event_.event_id = join("call-", decoder_.options_.instance + "-" + std::to_string(++decoder_.made_ids_));
    }
    return std::nullopt;
  }

  Skip read_traits() {
    uint32_t token = has(kTraits) ? found_[kTraits] : 0;
    if (token == 0 && has(kContext) && text_.first(found_[kContext]) == '{') {
      token = find_members(text_, found_[kContext], FieldNames<1>{"traits"}, decoder_.arena_)[0];
    }
    if (token != 0) fields_.read_traits(token, event_);
    return std::nullopt;
  }

  std::string_view join(std::string_view a, std::string_view b) {
    char* const at = decoder_.arena_.allocate(a.size() + b.size(), 1);
    a.copy(at, a.size());
    b.copy(at + a.size(), b.size());
    return {at, a.size() + b.size()};
  }

  TrackingDecoder& decoder_;
  const JsonText& text_;
  TrackingFields fields_;
  const uint32_t token_;
  const FoundMembers<kCallFields> found_;
  Event& event_;
  bool dated_ = false;  // the call says when it happened
};

std::optional<SkipReason> TrackingDecoder::read_call(uint32_t token, std::optional<CallKind> kind, Event& event) {
  return CallReader(*this, token, event).read(kind);
}

}  // namespace segue::codec
