// SPDX-License-Identifier: Apache-2.0
#include "services/segue/state_reader.h"

#include <algorithm>

#include "lib/base/hash.h"
#include "lib/codec/page_codec.h"
#include "lib/pipeline/store_contents.h"
#include "services/engine/state_directory.h"
#include "services/segue/definitions_file.h"

namespace segue::program {

Result<std::unique_ptr<StateReader>> StateReader::open(const std::string& path) {
  std::unique_ptr<StateReader> reader(new StateReader);
  SEGUE_TRY(reader->describe(path));
  const auto block_cache = rocks::make_block_cache(size_t{32} << 20);
  for (size_t i = 0; i < reader->directory_.shards; ++i) {
    rocks::RocksOptions options;
    options.path = reader->directory_.state_path(i);
    options.block_cache = block_cache;
    options.read_only = true;
    auto store = rocks::RocksStore::open(options);
    // kUsage: there is no state yet. A replay that has just begun has none.
    if (!store && store.error().kind != ErrorClass::kUsage) return tl::unexpected<Error>(std::move(store.error()));
    reader->stores_.push_back(store ? std::move(*store) : nullptr);
  }
  if (reader->of_engine_) SEGUE_TRY(reader->find_definitions());
  return reader;
}

// A replay's directory, or an engine's: that one has its definitions and keys in its shards, whose definitions differ while new ones come into force.
Result<> StateReader::describe(const std::string& path) {
  const auto engine = engine::read_state_directory(files_, path);
  if (!engine) return tl::unexpected<Error>(engine.error());
  if (!*engine) {
    auto directory = replay::StateDirectory::read(files_, path);
    if (!directory) return tl::unexpected<Error>(std::move(directory.error()));
    directory_ = std::move(*directory);
    return {};
  }
  of_engine_ = true;
  directory_.path = path;
  directory_.partitioned = true;
  directory_.shards = (*engine)->partitions;
  for (size_t i = 0; i < directory_.shards; ++i) directory_.logs.push_back((*engine)->input + "-" + std::to_string(i));
  return {};
}

Result<> StateReader::find_definitions() {
  for (size_t shard = 0; shard < stores_.size(); ++shard) {
    const auto text = load(shard, codec::kDefinitionsKey);
    if (!text) return tl::unexpected<Error>(text.error());
    if (!*text) continue;
    auto parsed = segment::Definitions::parse(**text, "state");
    if (!parsed) return fail(ErrorClass::kData, "the definitions in the state: " + segment::to_string(parsed.error()));
    directory_.definitions = std::make_shared<const segment::Definitions>(std::move(*parsed));
    return {};
  }
  // Nothing was stored yet: there is no page that they could be wrong for.
  directory_.definitions = built_in_definitions();
  return {};
}

Result<std::optional<std::string>> StateReader::load(size_t shard, std::string_view key) {
  return stores_[shard] == nullptr ? std::optional<std::string>() : pipeline::load_value(*stores_[shard], key);
}

Result<std::optional<codec::ShardMeta>> StateReader::meta(size_t shard) {
  return stores_[shard] == nullptr ? std::optional<codec::ShardMeta>() : pipeline::load_meta(*stores_[shard]);
}

Result<Time> StateReader::clock(size_t shard) {
  const auto stored = meta(shard);
  if (!stored) return tl::unexpected<Error>(stored.error());
  if (!*stored || (*stored)->high == kNoTime) return kNoTime;
  return (*stored)->high - definitions().plan().lateness;
}

std::vector<size_t> StateReader::shards_of(std::string_view user) const {
  if (!directory_.partitioned) return {directory_.shard_of(user)};
  std::vector<size_t> all(shards());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

Result<std::optional<profile::Profile>> StateReader::find(size_t shard, std::string_view user) {
  std::string key;
  codec::make_page_key(user, key);
  const auto page = load(shard, key);
  if (!page) return tl::unexpected<Error>(page.error());
  if (!*page) return std::optional<profile::Profile>();
  std::optional<profile::Profile> found(std::in_place);
  SEGUE_TRY(codec::decode_page(**page, definitions().plan(), *found));
  return found;
}

Result<std::optional<codec::ErasedUser>> StateReader::find_erased(size_t shard, std::string_view user) {
  const auto stored = load(shard, codec::kErasureKeyKey);
  if (!stored) return tl::unexpected<Error>(stored.error());
  std::array<uint8_t, 16> erasure_key = directory_.erasure_key;
  if (*stored && (*stored)->size() == erasure_key.size()) std::copy((*stored)->begin(), (*stored)->end(), erasure_key.begin());
  std::string key;
  codec::make_erased_key(keyed_hash(user, erasure_key), key);
  const auto value = load(shard, key);
  if (!value) return tl::unexpected<Error>(value.error());
  if (!*value) return std::optional<codec::ErasedUser>();
  auto erased = codec::decode_erased_user(**value);
  if (!erased) return tl::unexpected<Error>(std::move(erased.error()));
  return std::optional(*erased);
}

}  // namespace segue::program
