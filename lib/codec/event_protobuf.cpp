// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/event_protobuf.h"

#include <cmath>
#include <new>

#include "lib/base/assert.h"
#include "segue/v1/event.pb.h"

namespace segue::codec {
namespace {

using event::Event;
using event::RejectReason;

constexpr double kMicrosPerUnit = 1e6;

// Checks and copies a message's fields in the order in which the JSON decoder checks them. Each function is false where it rejects.
class MessageReader {
 public:
  MessageReader(const v1::Event& message, Arena& arena, Event& event) : message_(message), arena_(arena), event_(event) {}

  bool read() {
    return read_identity() && read_times() && copy_name(message_.order_id(), event_.order_id) &&
           copy_name(message_.session_id(), event_.session_id) && copy_name(message_.channel(), event_.channel) && read_line(message_, event_.item) &&
           read_items() && read_details() && read_traits();
  }
  RejectReason why() const { return reason_; }

 private:
  bool reject(RejectReason reason) { return reason_ = reason, false; }
  bool accept(Rejection rejection) { return rejection ? reject(*rejection) : true; }

  bool copy(const std::string& text, size_t limit, std::string_view& out) {
    if (!accept(check_length(text, limit))) return false;
    if (!text.empty()) out = arena_.copy(text);
    return true;
  }
  bool copy_name(const std::string& text, std::string_view& out) { return copy(text, event::kMaxNameBytes, out); }

  bool read_identity() {
    if (!accept(check_required(message_.event_id(), event::kMaxEventIdBytes, RejectReason::kMissingEventId))) return false;
    if (!accept(check_required(message_.user_id(), event::kMaxUserIdBytes, RejectReason::kMissingUserId))) return false;
    event_.event_id = arena_.copy(message_.event_id());
    event_.user_id = arena_.copy(message_.user_id());
    const int type = message_.type() - 1;
    if (type < 0 || type >= static_cast<int>(event::kEventTypes)) return reject(RejectReason::kUnknownType);
    event_.type = static_cast<event::EventType>(type);
    return true;
  }
  bool read_times() {
    if (!message_.has_ts() || !is_event_time(message_.ts())) return reject(RejectReason::kInvalidTs);
    event_.ts = time_from_ms(message_.ts());
    if (!message_.has_received_at()) return true;
    if (!is_event_time(message_.received_at())) return reject(RejectReason::kInvalidField);
    event_.received_at = time_from_ms(message_.received_at());
    return true;
  }
  // The event itself and its items name these fields alike.
  template <class Message>
  bool read_line(const Message& message, event::Item& line) {
    if (!copy_name(message.item_id(), line.item_id) || !copy_name(message.category(), line.category) || !copy_name(message.brand(), line.brand) ||
        !accept(check_price(message.price(), line.price)))
      return false;
    if (message.has_quantity()) {
      if (!accept(check_quantity(message.quantity()))) return false;
      line.quantity = message.quantity();
    }
    return accept(check_amount(line));
  }
  bool read_items() {
    if (message_.items_size() == 0) return true;
    if (static_cast<size_t>(message_.items_size()) > event::kMaxItems) return reject(RejectReason::kTooManyItems);
    const std::span<event::Item> items = arena_.make_array<event::Item>(static_cast<size_t>(message_.items_size()));
    for (size_t i = 0; i < items.size(); ++i)
      if (!read_line(message_.items(static_cast<int>(i)), items[i])) return false;
    event_.items = items;
    return true;
  }
  bool read_details() {
    event::Details details;
    if (!copy(message_.query(), event::kMaxTextBytes, details.query) || !copy(message_.text(), event::kMaxTextBytes, details.text) ||
        !copy_name(message_.coupon_id(), details.coupon_id) || !copy_name(message_.campaign_id(), details.campaign_id) ||
        !copy_name(message_.message_id(), details.message_id))
      return false;
    details.rating = message_.rating();
    if (!std::isfinite(details.rating)) return reject(RejectReason::kInvalidField);
    if (!is_empty(details)) event_.details = new (arena_.allocate(sizeof details, alignof(event::Details))) event::Details(details);
    return true;
  }
  // As in JSON, a name given twice keeps its place and takes the last value.
  bool read_traits() {
    if (message_.traits_size() == 0) return true;
    std::array<const v1::Trait*, event::kMaxTraits> stated;
    size_t count = 0;
    for (const v1::Trait& trait : message_.traits()) {
      size_t at = 0;
      while (at < count && stated[at]->name() != trait.name()) ++at;
      if (at == event::kMaxTraits) return reject(RejectReason::kTooManyItems);
      stated[at] = &trait;
      count += at == count;
    }
    const std::span<event::Trait> traits = arena_.make_array<event::Trait>(count);
    for (size_t i = 0; i < count; ++i) {
      if (stated[i]->name().empty()) return reject(RejectReason::kInvalidField);
      if (!copy_name(stated[i]->name(), traits[i].name) || !read_trait(*stated[i], traits[i].value)) return false;
    }
    event_.traits = traits;
    return true;
  }
  bool read_trait(const v1::Trait& trait, event::TraitValue& out) {
    switch (trait.value_case()) {
      case v1::Trait::kText: {
        if (!accept(check_length(trait.text(), event::kMaxTextBytes))) return false;
        return out = arena_.copy(trait.text()), true;
      }
      case v1::Trait::kNumber:
        if (!std::isfinite(trait.number())) return reject(RejectReason::kInvalidField);
        return out = trait.number(), true;
      case v1::Trait::kFlag:
        return out = trait.flag(), true;
      case v1::Trait::VALUE_NOT_SET:
        return true;
    }
    return reject(RejectReason::kInvalidProtobuf);
  }

  const v1::Event& message_;
  Arena& arena_;
  Event& event_;
  RejectReason reason_ = RejectReason::kInvalidProtobuf;
};

std::string text_of(std::string_view view) { return std::string(view); }

template <class Message>
void write_line(const event::Item& line, Message& message) {
  message.set_item_id(text_of(line.item_id));
  message.set_category(text_of(line.category));
  message.set_brand(text_of(line.brand));
  message.set_price(static_cast<double>(line.price.micros) / kMicrosPerUnit);
  if (line.quantity != 1) message.set_quantity(line.quantity);
}

void write_trait(const event::Trait& trait, v1::Trait& message) {
  message.set_name(text_of(trait.name));
  if (const auto* flag = std::get_if<bool>(&trait.value)) message.set_flag(*flag);
  if (const auto* number = std::get_if<double>(&trait.value)) message.set_number(*number);
  if (const auto* text = std::get_if<std::string_view>(&trait.value)) message.set_text(text_of(*text));
}

}  // namespace

EventProtobufDecoder::EventProtobufDecoder(DecodeOptions options) : options_(options), message_(std::make_unique<v1::Event>()) {
  // The parser would print a line to stderr for every record that is not UTF-8. What it has to say is our return value.
  google::protobuf::SetLogHandler(nullptr);
}
EventProtobufDecoder::~EventProtobufDecoder() = default;

Rejection EventProtobufDecoder::decode(std::string_view bytes, Time appended_at, Arena& arena, Event& event) {
  if (bytes.size() > event::kMaxRecordBytes) return RejectReason::kRecordTooLarge;
  // The parser refuses strings that are not UTF-8, too.
  if (!message_->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return RejectReason::kInvalidProtobuf;
  event = Event{};
  MessageReader reader(*message_, arena, event);
  if (!reader.read()) return reader.why();
  return check_future(event, appended_at, options_);
}

void append_protobuf(const Event& event, std::string& out) {
  v1::Event message;
  message.set_event_id(text_of(event.event_id));
  message.set_type(static_cast<v1::EventType>(index(event.type) + 1));
  message.set_user_id(text_of(event.user_id));
  message.set_ts(to_ms(event.ts));
  if (event.received_at != kNoTime) message.set_received_at(to_ms(event.received_at));
  message.set_order_id(text_of(event.order_id));
  message.set_session_id(text_of(event.session_id));
  message.set_channel(text_of(event.channel));
  write_line(event.item, message);
  for (const event::Item& line : event.items) write_line(line, *message.add_items());
  for (const event::Trait& trait : event.traits) write_trait(trait, *message.add_traits());
  if (const event::Details* details = event.details) {
    message.set_query(text_of(details->query));
    message.set_text(text_of(details->text));
    message.set_rating(details->rating);
    message.set_coupon_id(text_of(details->coupon_id));
    message.set_campaign_id(text_of(details->campaign_id));
    message.set_message_id(text_of(details->message_id));
  }
  const bool written = message.AppendToString(&out);
  SEGUE_ASSERT(written);
}

}  // namespace segue::codec
