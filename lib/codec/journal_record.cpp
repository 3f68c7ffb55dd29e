// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/journal_record.h"

#include "lib/base/bytes.h"

namespace segue::codec {
namespace {

constexpr uint8_t kJournalVersion = 2;
constexpr uint8_t kJournalVersionWithTimers = 3;  // only where there are some: most records stay as an older program reads them
constexpr uint8_t kWallClock = 1;
constexpr uint8_t kKnownFlags = kWallClock;

void write_position(ByteWriter& out, const Position& position) {
  out.varint(position.offset);
  out.varint(position.line);
}
Position read_position(ByteReader& in) {
  Position position;
  position.offset = in.varint();
  position.line = in.varint();
  return position;
}

void write_mark(ByteWriter& out, const OutputMark& mark) {
  out.varint(mark.count);
  out.fixed(mark.checksum);
  out.varint(mark.length);
}
OutputMark read_mark(ByteReader& in) {
  OutputMark mark;
  mark.count = in.varint();
  mark.checksum = in.fixed<uint64_t>();
  mark.length = in.varint();
  return mark;
}

}  // namespace

void encode(const JournalRecord& record, std::string& out) {
  ByteWriter writer(out);
  writer.fixed(record.timers == 0 ? kJournalVersion : kJournalVersionWithTimers);
  writer.varint(record.sequence);
  write_position(writer, record.previous);
  write_position(writer, record.next);
  writer.fixed(to_ms(record.high));
  write_mark(writer, record.transitions);
  write_mark(writer, record.dead_letters);
  writer.bytes(record.definitions);
  writer.bytes(record.program);
  writer.fixed(record.wall_clock ? kWallClock : uint8_t{0});
  // 0 for none, so that most records spend one byte.
  writer.varint(record.sweep == kNoSweep ? 0 : uint64_t{record.sweep} + 1);
  writer.bytes(record.definitions_text);
  writer.bytes(record.erasure_key);
  if (record.timers != 0) writer.varint(record.timers);
}

Result<JournalRecord> decode_journal_record(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto version = reader.fixed<uint8_t>();
  if (version != kJournalVersion && version != kJournalVersionWithTimers) {
    if (bytes.empty()) return fail(ErrorClass::kData, "journal record is empty");
    return fail(ErrorClass::kData, "journal record has version " + std::to_string(version) + ", unknown to this program");
  }
  JournalRecord record;
  record.sequence = reader.varint();
  record.previous = read_position(reader);
  record.next = read_position(reader);
  record.high = time_from_ms(reader.fixed<int64_t>());
  record.transitions = read_mark(reader);
  record.dead_letters = read_mark(reader);
  record.definitions = reader.bytes();
  record.program = reader.bytes();
  const auto flags = reader.fixed<uint8_t>();
  record.wall_clock = (flags & kWallClock) != 0;
  const uint64_t sweep = reader.varint();
  record.sweep = sweep == 0 ? kNoSweep : static_cast<uint32_t>(sweep - 1);
  record.definitions_text = reader.bytes();
  record.erasure_key = reader.bytes();
  if (version == kJournalVersionWithTimers) record.timers = reader.varint();
  if (!reader.ok()) return fail(ErrorClass::kData, "journal record is cut short");
  if ((flags & ~kKnownFlags) != 0 || sweep > kNoSweep) return fail(ErrorClass::kData, "journal record has flags or a sweep that cannot be");
  if (version == kJournalVersionWithTimers && record.timers == 0)
    return fail(ErrorClass::kData, "journal record has a count of timers that cannot be");
  if (!reader.done()) return fail(ErrorClass::kData, "journal record has " + std::to_string(reader.left()) + " bytes too many");
  return record;
}

}  // namespace segue::codec
