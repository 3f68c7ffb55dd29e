// SPDX-License-Identifier: Apache-2.0
#include "lib/rocks/snapshot_record.h"

#include "lib/base/bytes.h"
#include "lib/base/hash.h"

namespace segue::rocks {
namespace {

constexpr uint8_t kRecordVersion = 1;

}  // namespace

std::string encode_snapshot_record(const SnapshotRecord& record) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.fixed(kRecordVersion);
  writer.varint(record.checkpoint);
  writer.varint(record.info.position.offset);
  writer.varint(record.info.position.line);
  writer.varint(record.info.sequence);
  writer.fixed(to_ms(record.made_at));
  writer.bytes(record.info.definitions);
  writer.bytes(record.info.program);
  writer.fixed(record.meta_hash);
  writer.fixed(hash64(bytes));
  return bytes;
}

Result<SnapshotRecord> decode_snapshot_record(std::string_view bytes) {
  const auto damaged = [] { return fail(ErrorClass::kData, "damaged: its record"); };
  if (bytes.size() <= sizeof(uint64_t)) return damaged();
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof(uint64_t));
  if (ByteReader(bytes.substr(body.size())).fixed<uint64_t>() != hash64(body)) return damaged();
  ByteReader reader(body);
  if (reader.fixed<uint8_t>() != kRecordVersion) return fail(ErrorClass::kData, "its record is of a later version of the program");
  SnapshotRecord record;
  record.checkpoint = reader.varint();
  record.info.position.offset = reader.varint();
  record.info.position.line = reader.varint();
  record.info.sequence = reader.varint();
  record.made_at = time_from_ms(reader.fixed<int64_t>());
  record.info.definitions = reader.bytes();
  record.info.program = reader.bytes();
  record.meta_hash = reader.fixed<uint64_t>();
  if (!reader.ok() || !reader.done()) return damaged();
  return record;
}

}  // namespace segue::rocks
