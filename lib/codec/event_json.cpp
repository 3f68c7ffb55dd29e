// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/event_json.h"

#include "lib/codec/json_writer.h"

namespace segue::codec {
namespace {

void write_name(JsonWriter& json, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  json.name(name);
  json.string(value);
}

void write_line(JsonWriter& json, const event::Item& line) {
  write_name(json, "item_id", line.item_id);
  write_name(json, "category", line.category);
  write_name(json, "brand", line.brand);
  if (line.price != Money{}) json.name("price"), json.money(line.price);
  if (line.quantity != 1) json.name("quantity"), json.integer(line.quantity);
}

struct TraitWriter {
  JsonWriter& json;
  void operator()(std::monostate) const { json.null(); }
  void operator()(bool value) const { json.boolean(value); }
  void operator()(double value) const { json.number(value); }
  void operator()(std::string_view value) const { json.string(value); }
};

}  // namespace

void append_json(const event::Event& event, std::string& out) {
  JsonWriter json(out);
  json.begin_object();
  json.name("event_id"), json.string(event.event_id);
  json.name("type"), json.string(name(event.type));
  json.name("user_id"), json.string(event.user_id);
  json.name("ts"), json.integer(to_ms(event.ts));
  if (event.received_at != kNoTime) json.name("received_at"), json.integer(to_ms(event.received_at));
  write_name(json, "order_id", event.order_id);
  write_line(json, event.item);
  if (!event.items.empty()) {
    json.name("items"), json.begin_array();
    for (const event::Item& line : event.items) {
      json.begin_object();
      write_line(json, line);
      json.end_object();
    }
    json.end_array();
  }
  write_name(json, "session_id", event.session_id);
  write_name(json, "channel", event.channel);
  if (const event::Details* details = event.details) {
    write_name(json, "query", details->query);
    write_name(json, "text", details->text);
    if (details->rating != 0) json.name("rating"), json.number(details->rating);
    write_name(json, "coupon_id", details->coupon_id);
    write_name(json, "campaign_id", details->campaign_id);
    write_name(json, "message_id", details->message_id);
  }
  if (!event.traits.empty()) {
    json.name("traits"), json.begin_object();
    for (const event::Trait& trait : event.traits) {
      json.foreign_name(trait.name);
      std::visit(TraitWriter{json}, trait.value);
    }
    json.end_object();
  }
  json.end_object();
}

}  // namespace segue::codec
