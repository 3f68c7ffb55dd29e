// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/audience/bitmap.h"
#include "lib/base/hash.h"
#include "lib/base/result.h"
#include "lib/profile/profile.h"
#include "lib/segment/change.h"
#include "lib/segment/definitions.h"

namespace segue::audience {

enum class SetKind : uint8_t { kAll, kStage, kMember, kKeyed };

// What a set is called in the state (docs/formats/state.md), whatever definitions are in force.
struct SetName {
  SetKind kind = SetKind::kAll;
  uint32_t id = 0;       // low half of the stage's or definition's id
  std::string_view key;  // kKeyed: category, brand or item; the whole tag of a pattern

  friend bool operator==(const SetName&, const SetName&) = default;
};

// Which users are in which stage, segment and tag: for each a set of user numbers, in chunks of 65,536 users with one Roaring bitmap each. Follows
// the changes that the definitions tell; sets of keys without users are dropped.
//
// Checkpoints, as of profiles (shard::ProfileCache): a chunk changed since the last freeze() is dirty; freeze() gives those to one checkpoint, and a
// frozen one that is about to change is encoded first.
class Index {
 public:
  explicit Index(const segment::Definitions& definitions);

  // ---- changes
  void add_user(UserNumber user, uint8_t stage);
  // All that the profile says of a new user.
  void add_user(UserNumber user, const profile::Profile& profile);
  // As the profile stands: it must be what the index knows of this user.
  void remove_user(UserNumber user, const profile::Profile& profile);
  void apply(UserNumber user, const segment::Change& change);
  // Other definitions: sets that they do not have go; users of a stage that is gone go to the first one. Requires !freezing().
  void activate(const segment::Definitions& definitions);

  // ---- checkpoint
  // One part of what was frozen, once for each; empty bytes: the state must not have it any more. A part may come twice: the last one counts.
  using Keep = std::function<void(const SetName& set, uint16_t chunk, std::string_view bytes)>;
  // Requires !freezing(). Cheap.
  void freeze();
  bool freezing() const { return freezing_; }
  // Hands out up to `count` parts. True when none is left; then freezing() ends.
  bool keep_slice(size_t count, const Keep& keep);
  // A part of a checkpoint. kData when the bytes are malformed or the definitions do not know the set.
  Result<> restore(const SetName& set, uint16_t chunk, std::string_view bytes);

  // ---- questions
  // Chunks that users may be in: 0 to chunks() - 1.
  uint32_t chunks() const;
  const Bitmap& all(uint32_t chunk) const { return find(kAllSet, chunk); }
  const Bitmap& stage(size_t index, uint32_t chunk) const { return find(stage_set(index), chunk); }
  // Segments and tags without keys.
  const Bitmap& members(size_t definition, uint32_t chunk) const { return find(member_set(definition), chunk); }
  const Bitmap& members(size_t definition, std::string_view key, uint32_t chunk) const;
  // Of any key.
  Bitmap members_of_any(size_t definition, uint32_t chunk) const;
  // Users of a whole set, without looking at bitmaps.
  uint64_t count_all() const { return sets_[kAllSet].count; }
  uint64_t count_stage(size_t index) const { return sets_[stage_set(index)].count; }
  uint64_t count_members(size_t definition) const { return sets_[member_set(definition)].count; }
  struct KeyCount {
    std::string key;
    uint64_t users = 0;
  };
  // The keys behind `after` that have users, ascending by bytes, `limit` at most.
  std::vector<KeyCount> keys(size_t definition, std::string_view after, size_t limit) const;
  size_t key_count(size_t definition) const { return keyed_[definition].size(); }

  // Where the two differ, the first set and user in the order of the state's keys; nothing when they are equal. Both of the same definitions.
  struct Difference {
    SetName set;  // views into this or `other`
    UserNumber user = 0;
    bool here = false;  // this index has the user in the set
  };
  std::optional<Difference> first_difference(const Index& other) const;

 private:
  struct Chunk {
    uint32_t epoch = 0;  // of the last change; 0: as restored
    uint16_t number = 0;
    bool kept = false;    // its frozen state was encoded
    bool stored = false;  // a checkpoint has, or will have, an entry for it
    Bitmap users;
  };
  struct Set {
    SetKind kind = SetKind::kAll;
    uint32_t id = 0;
    uint32_t owner = 0;                // kKeyed: index of the definition
    const std::string* key = nullptr;  // kKeyed: in keyed_[owner]
    uint64_t count = 0;
    std::vector<Chunk> chunks;  // by number
  };
  struct Part {
    SetKind kind = SetKind::kAll;
    uint32_t id = 0;
    std::string key;
    uint16_t chunk = 0;
    std::string bytes;
  };
  struct Place {
    uint32_t set = 0;
    uint16_t chunk = 0;
  };
  struct Shape {
    segment::DefinitionKind kind = segment::DefinitionKind::kSegment;
    std::string prefix, suffix;  // of a pattern of tags
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return hash64(text); }
  };
  using Keys = std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>>;
  static constexpr uint32_t kAllSet = 0;

  uint32_t stage_set(size_t index) const { return 1 + static_cast<uint32_t>(index); }
  uint32_t member_set(size_t definition) const { return 1 + stages_ + static_cast<uint32_t>(definition); }
  void make_fixed_sets(const segment::Definitions& definitions);
  uint32_t keyed_set(size_t definition, std::string_view key);
  void change_key(size_t definition, std::string_view key, UserNumber user, bool member);
  SetName name_of(const Set& set) const;
  static const Chunk* find_chunk(const Set& set, uint32_t number);
  static Chunk* find_chunk(Set& set, uint32_t number) { return const_cast<Chunk*>(find_chunk(std::as_const(set), number)); }
  const Bitmap& find(uint32_t set, uint32_t chunk) const;
  Chunk& touch(uint32_t set, uint16_t number);
  void add(uint32_t set, UserNumber user);
  void remove(uint32_t set, UserNumber user);
  void keep_early(const Set& set, Chunk& chunk);
  void change_keys_of(UserNumber user, const profile::Profile& profile, bool member);
  void drop(uint32_t set, uint16_t number);
  void forget(Set& set);
  std::vector<uint32_t> sets_in_order() const;
  static std::optional<std::pair<UserNumber, bool>> first_difference(const Set& a, const Set& b);

  uint32_t stages_ = 0;
  std::vector<Set> sets_;       // all; stages; definitions (those with keys stay empty); then keys
  std::vector<Keys> keyed_;     // by definition
  std::vector<uint32_t> free_;  // sets of keys that had no users
  std::vector<Shape> shapes_;   // by definition

  std::vector<Place> dirty_;
  std::vector<Place> frozen_;
  size_t frozen_next_ = 0;
  std::vector<Part> gone_;   // of older definitions, for the next checkpoint
  std::vector<Part> early_;  // encoded, to be handed out
  std::string bytes_;
  uint32_t epoch_ = 2;
  uint32_t frozen_epoch_ = 1;
  bool freezing_ = false;
};

}  // namespace segue::audience
