// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/state_keys.h"

#include <span>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/hash.h"

namespace segue::codec {
namespace {

constexpr uint8_t kErasedVersion = 1;
constexpr uint8_t kMetaVersion = 1;
constexpr uint8_t kAudiencesVersion = 1;

// Numbers are stored: append only. A reader skips the tags that it does not know.
enum class MetaTag : uint8_t {
  kPosition = 1,
  kHigh,
  kSequence,
  kNextUserNumber,
  kTotals,
  kRejects,
  kDefinitions,
  kProgram,
  kJournalHint,
  kSweep,
  kAudiences
};

constexpr size_t kPageKeyHead = 3;
constexpr size_t kErasedKeyBytes = 9;
constexpr size_t kAudienceKeyHead = 6;
constexpr size_t kAudienceKeyBytes = kAudienceKeyHead + 2;  // and the text in between
constexpr std::string_view kSetKinds = "asmk";              // by audience::SetKind

template <class Write>
void field(ByteWriter& w, std::string& scratch, MetaTag tag, const Write& write) {
  scratch.clear();
  ByteWriter content(scratch);
  write(content);
  w.varint(static_cast<uint64_t>(tag));
  w.bytes(scratch);
}

void write_counts(ByteWriter& w, std::span<const uint64_t> counts) {
  w.varint(counts.size());
  for (const uint64_t count : counts) w.varint(count);
}

void read_counts(ByteReader& r, std::span<uint64_t> counts) {
  const uint64_t size = r.varint();
  for (uint64_t i = 0; i < size && r.ok(); ++i) {
    const uint64_t count = r.varint();
    if (i < counts.size()) counts[i] = count;
  }
}

void read_counts(ByteReader& r, std::vector<uint64_t>& counts) {
  const uint64_t size = r.varint();
  counts.clear();
  for (uint64_t i = 0; i < size && r.ok(); ++i) counts.push_back(r.varint());
}

void write_totals(ByteWriter& w, const shard::Totals& totals) {
  write_counts(w, totals.applied);
  for (const uint64_t count : {totals.duplicates, totals.erased, totals.timers, totals.outputs}) w.varint(count);
  for (const auto* counts : {&totals.moves, &totals.entered, &totals.left}) write_counts(w, *counts);
}

void read_totals(ByteReader& r, shard::Totals& totals) {
  read_counts(r, std::span<uint64_t>(totals.applied));
  for (uint64_t* count : {&totals.duplicates, &totals.erased, &totals.timers, &totals.outputs}) *count = r.varint();
  for (auto* counts : {&totals.moves, &totals.entered, &totals.left}) read_counts(r, *counts);
}

bool read_field(uint64_t tag, std::string_view content, ShardMeta& meta) {
  if (tag > static_cast<uint64_t>(MetaTag::kAudiences)) return true;  // of a later version
  ByteReader r(content);
  switch (static_cast<MetaTag>(tag)) {
    case MetaTag::kPosition:
      meta.position.offset = r.varint();
      meta.position.line = r.varint();
      break;
    case MetaTag::kHigh:
      meta.high = time_from_ms(r.fixed<int64_t>());
      break;
    case MetaTag::kSequence:
      meta.sequence = r.varint();
      break;
    case MetaTag::kNextUserNumber:
      meta.next_user_number = r.fixed<uint32_t>();
      break;
    case MetaTag::kTotals:
      read_totals(r, meta.totals);
      break;
    case MetaTag::kRejects:
      read_counts(r, meta.rejects);
      break;
    case MetaTag::kDefinitions:
      meta.definitions = content;
      return true;
    case MetaTag::kProgram:
      meta.program = content;
      return true;
    case MetaTag::kJournalHint:
      meta.journal_hint = r.varint();
      break;
    case MetaTag::kSweep: {
      const uint64_t sweep = r.varint();
      if (sweep > kNoSweep) return false;
      meta.sweep = sweep == 0 ? kNoSweep : static_cast<uint32_t>(sweep - 1);
      break;
    }
    case MetaTag::kAudiences:
      meta.has_audiences = r.fixed<uint8_t>() == kAudiencesVersion;
      if (!meta.has_audiences) return false;
      break;
  }
  return r.ok() && r.left() == 0;
}

}  // namespace

void make_page_key(std::string_view user_id, std::string& key) {
  const uint16_t group = key_group(user_id);
  const char head[kPageKeyHead] = {kPagePrefix[0], static_cast<char>(group >> 8), static_cast<char>(group & 0xff)};
  key.assign(head, sizeof head).append(user_id);
}

void make_erased_key(uint64_t keyed_hash, std::string& key) {
  key.assign(kErasedPrefix);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(keyed_hash >> shift & 0xff));
}

std::optional<std::string_view> user_of_page_key(std::string_view key) {
  if (key.size() <= kPageKeyHead || !key.starts_with(kPagePrefix)) return std::nullopt;
  return key.substr(kPageKeyHead);
}

std::optional<uint64_t> hash_of_erased_key(std::string_view key) {
  if (key.size() != kErasedKeyBytes || !key.starts_with(kErasedPrefix)) return std::nullopt;
  uint64_t hash = 0;
  for (const char c : key.substr(1)) hash = hash << 8 | static_cast<uint8_t>(c);
  return hash;
}

void make_audience_key(const audience::SetName& set, uint16_t chunk, std::string& key) {
  key.assign(kAudiencePrefix).push_back(kSetKinds[static_cast<size_t>(set.kind)]);
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(set.id >> shift & 0xff));
  key.append(set.key);
  key.push_back(static_cast<char>(chunk >> 8));
  key.push_back(static_cast<char>(chunk & 0xff));
}

std::optional<AudiencePart> part_of_audience_key(std::string_view key) {
  if (key.size() < kAudienceKeyBytes || !key.starts_with(kAudiencePrefix)) return std::nullopt;
  const size_t kind = kSetKinds.find(key[1]);
  if (kind == std::string_view::npos) return std::nullopt;
  AudiencePart part;
  part.set.kind = static_cast<audience::SetKind>(kind);
  for (const char c : key.substr(2, 4)) part.set.id = part.set.id << 8 | static_cast<uint8_t>(c);
  part.set.key = key.substr(kAudienceKeyHead, key.size() - kAudienceKeyBytes);
  if ((part.set.kind == audience::SetKind::kKeyed) == part.set.key.empty()) return std::nullopt;
  part.chunk = static_cast<uint16_t>(static_cast<uint8_t>(key[key.size() - 2]) << 8 | static_cast<uint8_t>(key.back()));
  return part;
}

void encode(const ErasedUser& erased, std::string& out) {
  ByteWriter w(out);
  w.fixed(kErasedVersion);
  w.fixed(to_ms(erased.up_to));
  w.varint(erased.outputs);
}

Result<ErasedUser> decode_erased_user(std::string_view bytes) {
  ByteReader r(bytes);
  const auto version = r.fixed<uint8_t>();
  if (r.ok() && version != kErasedVersion)
    return fail(ErrorClass::kData, "erased user: version " + std::to_string(version) + " is not known to this program");
  ErasedUser erased;
  erased.up_to = time_from_ms(r.fixed<int64_t>());
  erased.outputs = r.varint();
  if (!r.ok() || r.left() != 0) return fail(ErrorClass::kData, "erased user: malformed");
  return erased;
}

void encode(const ShardMeta& meta, std::string& out) {
  ByteWriter w(out);
  w.fixed(kMetaVersion);
  std::string scratch;
  field(w, scratch, MetaTag::kPosition, [&](ByteWriter& f) { f.varint(meta.position.offset), f.varint(meta.position.line); });
  field(w, scratch, MetaTag::kHigh, [&](ByteWriter& f) { f.fixed(to_ms(meta.high)); });
  field(w, scratch, MetaTag::kSequence, [&](ByteWriter& f) { f.varint(meta.sequence); });
  field(w, scratch, MetaTag::kNextUserNumber, [&](ByteWriter& f) { f.fixed(meta.next_user_number); });
  field(w, scratch, MetaTag::kTotals, [&](ByteWriter& f) { write_totals(f, meta.totals); });
  field(w, scratch, MetaTag::kRejects, [&](ByteWriter& f) { write_counts(f, meta.rejects); });
  field(w, scratch, MetaTag::kDefinitions, [&](ByteWriter& f) { f.out().append(meta.definitions); });
  field(w, scratch, MetaTag::kProgram, [&](ByteWriter& f) { f.out().append(meta.program); });
  field(w, scratch, MetaTag::kJournalHint, [&](ByteWriter& f) { f.varint(meta.journal_hint); });
  field(w, scratch, MetaTag::kSweep, [&](ByteWriter& f) { f.varint(meta.sweep == kNoSweep ? 0 : uint64_t{meta.sweep} + 1); });
  if (meta.has_audiences) field(w, scratch, MetaTag::kAudiences, [&](ByteWriter& f) { f.fixed(kAudiencesVersion); });
}

Result<ShardMeta> decode_shard_meta(std::string_view bytes) {
  ByteReader r(bytes);
  const auto version = r.fixed<uint8_t>();
  if (r.ok() && version != kMetaVersion)
    return fail(ErrorClass::kData, "shard meta: version " + std::to_string(version) + " is not known to this program");
  ShardMeta meta;
  uint64_t before = 0;
  while (r.left() > 0) {
    const uint64_t tag = r.varint();
    const std::string_view content = r.bytes();
    if (!r.ok() || tag <= before || !read_field(tag, content, meta))
      return fail(ErrorClass::kData, "shard meta: field " + std::to_string(tag) + " is malformed");
    before = tag;
  }
  // Every version so far writes all of these: a value cut at a field's end is not whole.
  if (!r.ok() || before < static_cast<uint64_t>(MetaTag::kSweep)) return fail(ErrorClass::kData, "shard meta: cut short");
  return meta;
}

}  // namespace segue::codec
