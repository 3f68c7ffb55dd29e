// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/index.h"

#include <algorithm>
#include <tuple>

#include "lib/base/assert.h"

namespace segue::audience {
namespace {

using segment::ChangeKind;
using segment::DefinitionKind;

constexpr uint32_t low_half(uint64_t id) { return static_cast<uint32_t>(id); }
constexpr uint16_t chunk_of(UserNumber user) { return static_cast<uint16_t>(user >> 16); }
constexpr uint16_t place_of(UserNumber user) { return static_cast<uint16_t>(user & 0xffff); }

const Bitmap kNobody;

}  // namespace

Index::Index(const segment::Definitions& definitions) { make_fixed_sets(definitions); }

void Index::make_fixed_sets(const segment::Definitions& definitions) {
  const profile::Plan& plan = definitions.plan();
  stages_ = static_cast<uint32_t>(plan.stage_ids.size());
  sets_.clear();
  sets_.emplace_back();
  for (const uint64_t id : plan.stage_ids) sets_.emplace_back().kind = SetKind::kStage, sets_.back().id = low_half(id);
  for (const uint64_t id : plan.definition_ids) sets_.emplace_back().kind = SetKind::kMember, sets_.back().id = low_half(id);
  keyed_ = std::vector<Keys>(plan.definition_ids.size());
  free_.clear();
  shapes_.clear();
  for (const segment::Definition& definition : definitions.definitions()) shapes_.push_back({definition.kind, definition.prefix, definition.suffix});
}

// ---- sets and their chunks

SetName Index::name_of(const Set& set) const { return {set.kind, set.id, set.key == nullptr ? std::string_view() : std::string_view(*set.key)}; }

// Most sets have every chunk, so that a chunk stands at its own number.
const Index::Chunk* Index::find_chunk(const Set& set, uint32_t number) {
  const auto& chunks = set.chunks;
  if (number < chunks.size() && chunks[number].number == number) return &chunks[number];
  const auto at = std::lower_bound(chunks.begin(), chunks.end(), number, [](const Chunk& c, uint32_t n) { return c.number < n; });
  return at != chunks.end() && at->number == number ? &*at : nullptr;
}

const Bitmap& Index::find(uint32_t set, uint32_t chunk) const {
  const Chunk* found = find_chunk(sets_[set], chunk);
  return found == nullptr ? kNobody : found->users;
}

// Must precede every change of the chunk's users.
Index::Chunk& Index::touch(uint32_t set, uint16_t number) {
  Set& s = sets_[set];
  Chunk* chunk = find_chunk(s, number);
  if (chunk == nullptr) {
    const auto at = std::lower_bound(s.chunks.begin(), s.chunks.end(), number, [](const Chunk& c, uint16_t n) { return c.number < n; });
    chunk = &*s.chunks.emplace(at);
    chunk->number = number;
  }
  if (chunk->epoch == epoch_) return *chunk;
  if (freezing_ && chunk->epoch == frozen_epoch_ && !chunk->kept) keep_early(s, *chunk);
  chunk->epoch = epoch_;
  chunk->kept = false;
  dirty_.push_back({set, number});
  return *chunk;
}

void Index::add(uint32_t set, UserNumber user) { sets_[set].count += touch(set, chunk_of(user)).users.add(place_of(user)); }
void Index::remove(uint32_t set, UserNumber user) { sets_[set].count -= touch(set, chunk_of(user)).users.remove(place_of(user)); }

uint32_t Index::keyed_set(size_t definition, std::string_view key) {
  Keys& keys = keyed_[definition];
  if (const auto it = keys.find(key); it != keys.end()) return it->second;
  uint32_t set = static_cast<uint32_t>(sets_.size());
  if (free_.empty()) {
    sets_.emplace_back();
  } else {
    set = free_.back();
    free_.pop_back();
  }
  Set& s = sets_[set];
  s.kind = SetKind::kKeyed;
  s.id = sets_[member_set(definition)].id;
  s.owner = static_cast<uint32_t>(definition);
  s.key = &keys.emplace(key, set).first->first;
  return set;
}

void Index::change_key(size_t definition, std::string_view key, UserNumber user, bool member) {
  const uint32_t set = keyed_set(definition, key);
  member ? add(set, user) : remove(set, user);
}

// Forgets a chunk without users, and with the last one the set of a key.
void Index::drop(uint32_t set, uint16_t number) {
  Set& s = sets_[set];
  s.chunks.erase(s.chunks.begin() + (find_chunk(s, number) - s.chunks.data()));
  if (s.kind != SetKind::kKeyed || !s.chunks.empty()) return;
  Keys& keys = keyed_[s.owner];
  keys.erase(keys.find(*s.key));
  s = Set{};
  free_.push_back(set);
}

// ---- changes

void Index::add_user(UserNumber user, uint8_t stage) {
  add(kAllSet, user);
  add(stage_set(stage), user);
}

void Index::change_keys_of(UserNumber user, const profile::Profile& profile, bool member) {
  for (const profile::KeyedMember& keyed : profile.keyed_members) {
    const Shape& shape = shapes_[keyed.definition];
    const bool top = shape.kind == DefinitionKind::kTopTags;
    change_key(keyed.definition, top ? shape.prefix + keyed.key + shape.suffix : keyed.key, user, member);
  }
}

void Index::add_user(UserNumber user, const profile::Profile& profile) {
  add_user(user, profile.stage);
  for (size_t i = 0; i < keyed_.size(); ++i)
    if (profile.members[i]) add(member_set(i), user);
  change_keys_of(user, profile, true);
}

void Index::remove_user(UserNumber user, const profile::Profile& profile) {
  remove(kAllSet, user);
  remove(stage_set(profile.stage), user);
  for (size_t i = 0; i < keyed_.size(); ++i)
    if (profile.members[i]) remove(member_set(i), user);
  change_keys_of(user, profile, false);
}

void Index::apply(UserNumber user, const segment::Change& change) {
  if (change.kind == ChangeKind::kMoved) {
    remove(stage_set(change.from), user);
    add(stage_set(change.to), user);
    return;
  }
  const bool member = change.kind == ChangeKind::kEntered || change.kind == ChangeKind::kTagged;
  const DefinitionKind kind = shapes_[change.index].kind;
  if (kind == DefinitionKind::kKeyedSegment || kind == DefinitionKind::kTopTags) return change_key(change.index, change.key, user, member);
  member ? add(member_set(change.index), user) : remove(member_set(change.index), user);
}

// The entries of a set that goes leave the state with the next checkpoint.
void Index::forget(Set& set) {
  for (const Chunk& chunk : set.chunks)
    if (chunk.stored) gone_.push_back({set.kind, set.id, set.key == nullptr ? std::string() : *set.key, chunk.number, {}});
  set.chunks.clear();
  set.count = 0;
}

void Index::activate(const segment::Definitions& definitions) {
  SEGUE_ASSERT(!freezing_);
  const uint32_t old_stages = stages_;
  std::vector<Set> old = std::move(sets_);
  std::vector<Keys> old_keyed = std::move(keyed_);
  make_fixed_sets(definitions);
  sets_[kAllSet] = std::move(old[kAllSet]);
  const auto take_over = [&](SetKind kind, Set& from, uint32_t begin, uint32_t end) -> std::optional<uint32_t> {
    for (uint32_t i = begin; i < end; ++i)
      if (sets_[i].id == from.id && from.kind == kind) return sets_[i] = std::move(from), i;
    return std::nullopt;
  };
  std::vector<UserNumber> homeless;
  for (uint32_t i = 1; i <= old_stages; ++i) {
    if (take_over(SetKind::kStage, old[i], 1, 1 + stages_)) continue;
    for (const Chunk& chunk : old[i].chunks) chunk.users.list(0, kChunkUsers, uint32_t{chunk.number} << 16, homeless);
    forget(old[i]);
  }
  const auto fixed = static_cast<uint32_t>(sets_.size());
  for (size_t d = 0; d < old_keyed.size(); ++d) {
    const auto place = take_over(SetKind::kMember, old[1 + old_stages + d], 1 + stages_, fixed);
    if (!place) forget(old[1 + old_stages + d]);
    for (auto& [key, set] : old_keyed[d]) {
      if (!place) {
        forget(old[set]);
        continue;
      }
      const size_t definition = *place - 1 - stages_;
      Set& moved = sets_.emplace_back(std::move(old[set]));
      moved.owner = static_cast<uint32_t>(definition);
      moved.key = &keyed_[definition].emplace(key, static_cast<uint32_t>(sets_.size() - 1)).first->first;
    }
  }
  dirty_.clear();
  for (uint32_t set = 0; set < sets_.size(); ++set)
    for (const Chunk& chunk : sets_[set].chunks)
      if (chunk.epoch == epoch_) dirty_.push_back({set, chunk.number});
  for (const UserNumber user : homeless) add(stage_set(0), user);
}

// ---- checkpoint

void Index::keep_early(const Set& set, Chunk& chunk) {
  if (!chunk.stored && chunk.users.empty()) return;
  const SetName name = name_of(set);
  Part& part = early_.emplace_back(Part{name.kind, name.id, std::string(name.key), chunk.number, {}});
  if (!chunk.users.empty()) chunk.users.write(part.bytes);
  chunk.stored = !part.bytes.empty();
}

void Index::freeze() {
  SEGUE_ASSERT(!freezing_);
  freezing_ = true;
  frozen_epoch_ = epoch_++;
  frozen_.swap(dirty_);
  dirty_.clear();
  frozen_next_ = 0;
  early_ = std::exchange(gone_, {});
}

bool Index::keep_slice(size_t count, const Keep& keep) {
  if (!freezing_) return true;
  // First: a set that went and came back is among the frozen ones too, and the later call wins.
  for (const Part& part : early_) keep({part.kind, part.id, part.key}, part.chunk, part.bytes);
  early_.clear();
  for (; count > 0 && frozen_next_ < frozen_.size(); ++frozen_next_) {
    const auto [set, number] = frozen_[frozen_next_];
    Chunk& chunk = *find_chunk(sets_[set], number);
    if (chunk.epoch != frozen_epoch_) continue;  // changed since, and encoded then
    bytes_.clear();
    if (!chunk.users.empty()) chunk.users.write(bytes_);
    if (chunk.stored || !bytes_.empty()) keep(name_of(sets_[set]), number, bytes_);
    chunk.stored = !bytes_.empty();
    chunk.kept = true;
    if (bytes_.empty()) drop(set, number);
    --count;
  }
  if (frozen_next_ < frozen_.size()) return false;
  freezing_ = false;
  frozen_.clear();
  return true;
}

Result<> Index::restore(const SetName& set, uint16_t chunk, std::string_view bytes) {
  std::optional<uint32_t> place;
  for (uint32_t i = 0; i <= stages_ + keyed_.size(); ++i) {
    const bool keyed = set.kind == SetKind::kKeyed;
    if (sets_[i].kind == (keyed ? SetKind::kMember : set.kind) && sets_[i].id == set.id) place = i;
  }
  if (!place) return fail(ErrorClass::kData, "audience index: a set that the definitions do not have");
  if (set.kind == SetKind::kKeyed) place = keyed_set(*place - 1 - stages_, set.key);
  auto users = Bitmap::read(bytes);
  if (!users) return fail(ErrorClass::kData, "audience index: " + users.error().message);
  auto& chunks = sets_[*place].chunks;
  if (!chunks.empty() && chunks.back().number >= chunk) return fail(ErrorClass::kData, "audience index: entries out of order");
  sets_[*place].count += users->count();
  chunks.push_back({.number = chunk, .stored = true, .users = std::move(*users)});
  return {};
}

// ---- questions

uint32_t Index::chunks() const { return sets_[kAllSet].chunks.empty() ? 0 : uint32_t{sets_[kAllSet].chunks.back().number} + 1; }

const Bitmap& Index::members(size_t definition, std::string_view key, uint32_t chunk) const {
  const auto it = keyed_[definition].find(key);
  return it == keyed_[definition].end() ? kNobody : find(it->second, chunk);
}

Bitmap Index::members_of_any(size_t definition, uint32_t chunk) const {
  std::vector<const Bitmap*> sets;
  for (const auto& [key, set] : keyed_[definition]) sets.push_back(&find(set, chunk));
  return Bitmap::any(sets);
}

std::vector<Index::KeyCount> Index::keys(size_t definition, std::string_view after, size_t limit) const {
  std::vector<std::pair<std::string_view, uint64_t>> found;
  for (const auto& [key, set] : keyed_[definition])
    if (sets_[set].count > 0 && key > after) found.emplace_back(key, sets_[set].count);
  const size_t count = std::min(limit, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<ptrdiff_t>(count), found.end());
  std::vector<KeyCount> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back({std::string(found[i].first), found[i].second});
  return keys;
}

std::vector<uint32_t> Index::sets_in_order() const {
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < sets_.size(); ++i)
    if (i <= stages_ + keyed_.size() || sets_[i].kind == SetKind::kKeyed) order.push_back(i);
  std::sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) {
    const SetName x = name_of(sets_[a]), y = name_of(sets_[b]);
    return std::tie(x.kind, x.id, x.key) < std::tie(y.kind, y.id, y.key);
  });
  return order;
}

std::optional<Index::Difference> Index::first_difference(const Index& other) const {
  const auto order = [](const SetName& n) { return std::tie(n.kind, n.id, n.key); };
  const auto mine = sets_in_order(), theirs = other.sets_in_order();
  const Set nobody;
  for (size_t i = 0, j = 0; i < mine.size() || j < theirs.size();) {
    const Set* a = i < mine.size() ? &sets_[mine[i]] : nullptr;
    const Set* b = j < theirs.size() ? &other.sets_[theirs[j]] : nullptr;
    const SetName x = a == nullptr ? SetName{} : name_of(*a), y = b == nullptr ? SetName{} : other.name_of(*b);
    if (a != nullptr && b != nullptr && x != y) (order(x) < order(y) ? b : a) = nullptr;
    i += a != nullptr;
    j += b != nullptr;
    if (const auto user = first_difference(a == nullptr ? nobody : *a, b == nullptr ? nobody : *b))
      return Difference{a != nullptr ? x : y, user->first, user->second};
  }
  return std::nullopt;
}

std::optional<std::pair<UserNumber, bool>> Index::first_difference(const Set& a, const Set& b) {
  std::vector<uint16_t> numbers;
  for (const Set* set : {&a, &b})
    for (const Chunk& chunk : set->chunks) numbers.push_back(chunk.number);
  std::sort(numbers.begin(), numbers.end());
  for (const uint16_t number : numbers) {
    const Chunk *in_a = find_chunk(a, number), *in_b = find_chunk(b, number);
    const int32_t user = Bitmap::first_difference(in_a == nullptr ? kNobody : in_a->users, in_b == nullptr ? kNobody : in_b->users);
    if (user < 0) continue;
    const auto place = static_cast<uint16_t>(user);
    return std::pair(uint32_t{number} << 16 | place, in_a != nullptr && in_a->users.contains(place));
  }
  return std::nullopt;
}

}  // namespace segue::audience
