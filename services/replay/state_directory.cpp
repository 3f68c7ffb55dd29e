// SPDX-License-Identifier: Apache-2.0
#include "services/replay/state_directory.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "lib/base/hash.h"
#include "lib/pipeline/version.h"

namespace segue::replay {
namespace {

constexpr int kFormat = 1;

std::string description_path(const std::string& directory) { return directory + "/replay.json"; }
std::string key_path(const std::string& directory) { return directory + "/erasure.key"; }
std::string definitions_path(const std::string& directory, const std::string& hash) { return directory + "/definitions/" + hash + ".yaml"; }

Result<std::shared_ptr<const segment::Definitions>> parse_definitions(std::string_view yaml, const std::string& file) {
  auto parsed = segment::Definitions::parse(yaml, file);
  if (!parsed) return fail(ErrorClass::kData, segment::to_string(parsed.error()));
  return std::make_shared<const segment::Definitions>(std::move(*parsed));
}

// Tells a damaged key from the one that the erased users' hashes were made with, without giving it away.
std::string key_check(std::string_view key) { return hash128_hex(std::string("segue erasure key").append(key)); }

// Not part of the state machine: the key only has to be unknown to others, and is stored.
std::array<uint8_t, 16> new_erasure_key() {
  std::random_device device;
  std::array<uint8_t, 16> key;
  for (auto& byte : key) byte = static_cast<uint8_t>(device());
  return key;
}

std::string_view key_bytes(const StateDirectory& directory) {
  return {reinterpret_cast<const char*>(directory.erasure_key.data()), directory.erasure_key.size()};
}

Result<> write_description(filelog::FileSystem& files, const StateDirectory& directory) {
  const auto definitions = definitions_path(directory.path, directory.definitions->hash());
  SEGUE_TRY(files.make_directories(filelog::parent_directory(definitions)));
  SEGUE_TRY(filelog::write_file_atomically(files, definitions, directory.definitions->text()));
  const nlohmann::ordered_json description = {{"format", kFormat},
                                              {"program", pipeline::kProgramVersion},
                                              {"logs", directory.logs},
                                              {"partitioned", directory.partitioned},
                                              {"shards", directory.shards},
                                              {"definitions", directory.definitions->hash()},
                                              {"erasure_key_check", key_check(key_bytes(directory))}};
  // Last: what it names is there when it is.
  return filelog::write_file_atomically(files, description_path(directory.path), description.dump(2) + "\n");
}

Result<> write(filelog::FileSystem& files, const StateDirectory& directory) {
  SEGUE_TRY(files.make_directories(directory.path + "/state"));
  SEGUE_TRY(filelog::write_file_atomically(files, key_path(directory.path), key_bytes(directory)));
  return write_description(files, directory);
}

}  // namespace

size_t share_of(std::string_view user_id, size_t shards) { return size_t{key_group(user_id)} * shards / kKeyGroups; }

size_t StateDirectory::shard_of(std::string_view user_id) const { return share_of(user_id, shards); }

Result<StateDirectory> StateDirectory::read(filelog::FileSystem& files, const std::string& path) {
  const auto exists = files.exists(description_path(path));
  if (!exists) return tl::unexpected<Error>(exists.error());
  const auto made = files.exists(path);
  if (!made) return tl::unexpected<Error>(made.error());
  if (!*made) return fail(ErrorClass::kUsage, path + ": there is no such directory (segue replay LOG... --out " + path + " makes one)");
  if (!*exists)
    return fail(ErrorClass::kUsage, path + ": not a state directory: it has no replay.json (segue replay LOG... --out " + path + " makes one)");
  const auto text = filelog::read_file(files, description_path(path));
  if (!text) return tl::unexpected<Error>(text.error());
  StateDirectory directory;
  directory.path = path;
  std::string hash;
  std::string check;
  try {
    const auto description = nlohmann::json::parse(*text);
    if (const int format = description.at("format"); format != kFormat)
      return fail(ErrorClass::kData, description_path(path) + ": format " + std::to_string(format) + " is not known to this program, segue " +
                                         pipeline::kProgramVersion + ": another version wrote it");
    directory.logs = description.at("logs").get<std::vector<std::string>>();
    directory.partitioned = description.at("partitioned");
    directory.shards = description.at("shards");
    hash = description.at("definitions");
    check = description.at("erasure_key_check");
  } catch (const nlohmann::json::exception& e) {
    return fail(ErrorClass::kData, description_path(path) + ": damaged: " + e.what());
  }
  if (directory.shards == 0 || directory.shards > kKeyGroups || directory.logs.empty())
    return fail(ErrorClass::kData, description_path(path) + ": damaged: no logs, or a number of shards that cannot be");
  const auto key = filelog::read_file(files, key_path(path));
  if (!key) return tl::unexpected<Error>(key.error());
  if (key->size() != directory.erasure_key.size() || key_check(*key) != check)
    return fail(ErrorClass::kData, key_path(path) + ": damaged: not the key that this directory was made with");
  std::memcpy(directory.erasure_key.data(), key->data(), key->size());
  const auto yaml = filelog::read_file(files, definitions_path(path, hash));
  if (!yaml) return tl::unexpected<Error>(yaml.error());
  auto definitions = parse_definitions(*yaml, definitions_path(path, hash));
  if (!definitions) return tl::unexpected<Error>(definitions.error());
  if ((*definitions)->hash() != hash)
    return fail(ErrorClass::kData,
                definitions_path(path, hash) + ": its content has another hash: it is damaged, or the time zone database has changed its zone since");
  directory.definitions = std::move(*definitions);
  return directory;
}

Result<StateDirectory> StateDirectory::create_or_read(filelog::FileSystem& files, const StateDirectory& wanted) {
  const auto exists = files.exists(description_path(wanted.path));
  if (!exists) return tl::unexpected<Error>(exists.error());
  if (!*exists) {
    StateDirectory directory = wanted;
    if (!directory.definitions) {
      auto standard = parse_definitions(segment::default_definitions(), "default definitions");
      if (!standard) return tl::unexpected<Error>(standard.error());
      directory.definitions = std::move(*standard);
    }
    directory.erasure_key = new_erasure_key();
    SEGUE_TRY(write(files, directory));
    return directory;
  }
  auto stored = read(files, wanted.path);
  if (!stored) return stored;
  if (wanted.partitioned != stored->partitioned || wanted.shards != stored->shards)
    return fail(ErrorClass::kUsage, wanted.path + ": was made with " + std::to_string(stored->shards) +
                                        (stored->partitioned ? " partitions" : " shards") + ", not " + std::to_string(wanted.shards) +
                                        ": give the same log and --shards, or choose a new --out directory");
  // The same log may have moved as a whole; filelog::bind_log recognises it.
  stored->logs = wanted.logs;
  if (!wanted.definitions || wanted.definitions->hash() == stored->definitions->hash()) return stored;
  // New ones: each shard brings them into force by a commit. What the old ones decided is replayed with the text in journal and checkpoint.
  stored->definitions = wanted.definitions;
  SEGUE_TRY(write_description(files, *stored));
  return stored;
}

}  // namespace segue::replay
