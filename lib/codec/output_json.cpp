// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/output_json.h"

#include <simdjson.h>

#include <charconv>

#include "lib/base/assert.h"
#include "lib/codec/json_writer.h"

namespace segue::codec {
namespace {

using segment::Change;
using segment::ChangeKind;

void append_integer(std::string& out, int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

std::string member(std::string_view name, std::string_view value) {
  std::string out = ",\"";
  out.append(name).append("\":");
  append_json_string(out, value);
  return out;
}

std::string_view type_name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kMoved:
      return "move";
    case ChangeKind::kEntered:
      return "entered";
    case ChangeKind::kLeft:
      return "left";
    case ChangeKind::kTagged:
      return "tagged";
    case ChangeKind::kUntagged:
      return "untagged";
  }
  SEGUE_ASSERT(false);
}

std::string_view cause_name(profile::Cause cause) {
  switch (cause) {
    case profile::Cause::kEvent:
      return "event";
    case profile::Cause::kTimer:
      return "timer";
    case profile::Cause::kDefinitions:
      return "definitions";
  }
  SEGUE_ASSERT(false);
}

// The bytes as base64 (RFC 4648, padded).
void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out.push_back(k <= count ? kDigits[word >> (18 - 6 * k) & 63] : '=');
  }
}

}  // namespace

OutputWriter::OutputWriter(const segment::Definitions& definitions) {
  for (const segment::Move& move : definitions.moves())
    moves_.push_back(",\"type\":\"move\"" + member("name", move.name) + member("from", definitions.stage_name(move.from)) +
                     member("to", definitions.stage_name(move.to)));
  for (const segment::Definition& definition : definitions.definitions()) definitions_.push_back(member("name", definition.name));
  version_ = member("definitions", definitions.hash());
}

void OutputWriter::append(const shard::Output& output, std::string& out) const {
  out.append("{\"id\":");
  append_json_string(out, output.user_id);
  out.back() = '#';  // in place of the closing quote: the id is USER#N
  append_integer(out, static_cast<int64_t>(output.n));
  out.append("\",\"user_id\":");
  append_json_string(out, output.user_id);
  out.append(",\"n\":");
  append_integer(out, static_cast<int64_t>(output.n));
  const Change* change = output.change;
  if (change == nullptr) {
    out.append(",\"type\":\"erased\"");
  } else if (change->kind == ChangeKind::kMoved) {
    out.append(moves_[change->index]);
  } else {
    out.append(",\"type\":\"").append(type_name(change->kind)).push_back('"');
    if (!change->key.empty() && (change->kind == ChangeKind::kTagged || change->kind == ChangeKind::kUntagged)) {
      out.append(",\"name\":");
      append_json_string(out, change->key);
    } else {
      out.append(definitions_[change->index]);
      if (!change->key.empty()) out.append(",\"key\":"), append_json_string(out, change->key);
    }
  }
  out.append(",\"at\":");
  append_integer(out, to_ms(output.at));
  out.append(",\"cause\":\"").append(change == nullptr ? "event" : cause_name(change->cause)).push_back('"');
  if (!output.event_id.empty()) out.append(",\"event_id\":"), append_json_string(out, output.event_id);
  if (output.profile != nullptr) {
    out.append(",\"profile\":{\"orders\":");
    append_integer(out, output.profile->orders);
    out.append(",\"spend\":");
    append_money(out, output.profile->spend);
    out.push_back('}');
  }
  out.append(version_).append("}\n");
}

std::string_view output_type(const shard::Output& output) { return output.change == nullptr ? "erased" : type_name(output.change->kind); }

namespace {

void append_raw(std::string_view raw, std::string& out) {
  if (simdjson::validate_utf8(raw.data(), raw.size())) {
    out.append(",\"raw\":");
    append_json_string(out, raw);
  } else {
    out.append(",\"raw_base64\":\"");
    append_base64(out, raw);
    out.push_back('"');
  }
  out.append("}\n");
}

}  // namespace

void append_dead_letter(std::string_view partition, Position at, event::RejectReason reason, std::string_view raw, std::string& out) {
  JsonWriter json(out);
  json.begin_object();
  json.name("partition"), json.string(partition);
  json.name("offset"), json.unsigned_integer(at.offset);
  json.name("line"), json.unsigned_integer(at.line + 1);
  json.name("reason"), json.string(name(reason));
  append_raw(raw, out);
}

void append_dead_letter(const DeadLetterRecord& record, std::string& out) {
  JsonWriter json(out);
  json.begin_object();
  json.name("topic"), json.string(record.topic);
  json.name("partition"), json.string(std::to_string(record.partition));
  json.name("offset"), json.unsigned_integer(record.offset);
  json.name("reason"), json.string(name(record.reason));
  if (record.bytes != 0) json.name("bytes"), json.unsigned_integer(record.bytes);
  append_raw(record.raw, out);
}

}  // namespace segue::codec
