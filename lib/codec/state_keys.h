// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/audience/index.h"
#include "lib/base/position.h"
#include "lib/base/result.h"
#include "lib/base/time.h"
#include "lib/codec/journal_record.h"
#include "lib/shard/totals.h"

// Keys and small values of a shard's store (docs/formats/state.md, docs/formats/meta.md).
namespace segue::codec {

inline constexpr std::string_view kMetaKey = "m";
inline constexpr std::string_view kDefinitionsKey = "d";  // YAML of the definitions in force
inline constexpr std::string_view kErasureKeyKey = "k";   // 16 bytes: what the erased users' hashes are made with
inline constexpr std::string_view kPagePrefix = "p";      // then key group, 2 bytes big-endian, then the user id
inline constexpr std::string_view kAudiencePrefix = "a";  // then kind, id, key and chunk of a part of the audience index
inline constexpr std::string_view kErasedPrefix = "t";    // then the keyed hash of the user id, 8 bytes big-endian

// Replaces `key`, so that its memory is used again.
void make_page_key(std::string_view user_id, std::string& key);
void make_erased_key(uint64_t keyed_hash, std::string& key);
// The same from a key; nothing when it is not such a key.
std::optional<std::string_view> user_of_page_key(std::string_view key);
std::optional<uint64_t> hash_of_erased_key(std::string_view key);

void make_audience_key(const audience::SetName& set, uint16_t chunk, std::string& key);
struct AudiencePart {
  audience::SetName set;  // a view into the key
  uint16_t chunk = 0;
};
std::optional<AudiencePart> part_of_audience_key(std::string_view key);

// What stays of an erased user.
struct ErasedUser {
  Time up_to = kNoTime;  // events with a ts at or before it are dropped
  uint64_t outputs = 0;  // told about him so far: the numbers go on if he comes back

  friend bool operator==(const ErasedUser&, const ErasedUser&) = default;
};

// What a shard needs besides its pages to go on from a checkpoint.
struct ShardMeta {
  Position position;      // of the input: everything before it is in the pages
  Time high = kNoTime;    // largest valid event time; the clock is this less the lateness
  uint64_t sequence = 0;  // of the last commit that the checkpoint contains
  uint32_t next_user_number = 0;
  shard::Totals totals;           // since the start of the log
  std::vector<uint64_t> rejects;  // dead letters told by this shard, by reason
  std::string definitions;        // hash of the definitions in force, 32 hexadecimal digits
  std::string program;            // version of the program that wrote it
  uint64_t journal_hint = 0;      // where the journal is read from after a restart (pipeline::CommitPort)
  uint32_t sweep = kNoSweep;      // JournalRecord::sweep
  bool has_audiences = false;     // the checkpoint has the audience index; one of an older version has not

  friend bool operator==(const ShardMeta&, const ShardMeta&) = default;
};

// Append the value.
void encode(const ErasedUser& erased, std::string& out);
void encode(const ShardMeta& meta, std::string& out);
// kData when the bytes are not exactly one such value of a known version.
Result<ErasedUser> decode_erased_user(std::string_view bytes);
Result<ShardMeta> decode_shard_meta(std::string_view bytes);

}  // namespace segue::codec
