// SPDX-License-Identifier: Apache-2.0
#include "services/segue/preview.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>
#include <unordered_map>

#include "lib/base/hash.h"
#include "lib/codec/page_codec.h"
#include "services/replay/replay.h"
#include "services/segue/state_reader.h"

namespace segue::program {
namespace {

enum Side : size_t { kInForce, kDraft };
constexpr uint8_t kNowhere = UINT8_MAX;  // not a user on that side

// The live shards go before a preview.
constexpr int kNiceness = 10;
// Of each of the two replays: a preview may be slow, but it must not push the live profiles out of memory.
constexpr size_t kCachedProfiles = 100'000;
constexpr size_t kDirtyProfiles = 50'000;
constexpr size_t kBlockCacheBytes = size_t{32} << 20;

class PreviewDirectory {
 public:
  explicit PreviewDirectory(const std::string& state) : path_(state + "/preview-" + std::to_string(getpid())) {}
  ~PreviewDirectory() { remove(); }
  PreviewDirectory(const PreviewDirectory&) = delete;
  PreviewDirectory& operator=(const PreviewDirectory&) = delete;

  Result<> make() {
    remove();  // of a process with this number that was killed
    std::error_code error;
    if (std::filesystem::create_directories(path_, error)) return {};
    return fail(ErrorClass::kRetry, "cannot make a directory for the preview: " + error.message());
  }
  std::string side(Side side) const { return path_ + (side == kInForce ? "/in-force" : "/draft"); }

 private:
  void remove() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string path_;
};

struct UserStages {
  std::array<uint8_t, 2> stage = {kNowhere, kNowhere};
};
using Users = std::unordered_map<uint64_t, UserStages>;  // by hash64 of the id

tl::unexpected<Error> cancelled() { return fail(ErrorClass::kRetry, "cancelled"); }

Result<replay::ReplaySummary> replay_side(replay::ReplayOptions options, Side side, api::PreviewProgress& progress) {
  auto opened = replay::Replay::open(std::move(options));
  if (!opened) return tl::unexpected<Error>(opened.error());
  replay::Replay& replay = **opened;
  std::optional<Result<replay::ReplaySummary>> result;
  std::atomic<bool> done{false};
  {
    const std::jthread runner([&] {
      result = replay.run();
      done = true;
    });
    while (!done) {
      if (progress.cancel) replay.stop();
      const auto bytes = replay.bytes();
      if (bytes.total > 0) progress.part = (static_cast<double>(bytes.consumed) / static_cast<double>(bytes.total) + static_cast<double>(side)) / 2;
      uint64_t events = 0;
      for (const auto& shard : replay.progress()) events += shard->records;
      if (side == kInForce) progress.events = events;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  if (progress.cancel || (*result && (*result)->stopped)) return cancelled();
  return std::move(*result);
}

// What the pages of one side say, over all users.
struct SideCounts {
  std::vector<uint64_t> stages;
  std::vector<uint64_t> members;  // by definition: users in it
};

// Calls `visit` with every user of a finished state directory.
Result<> for_each_user(StateReader& reader, const std::function<void(std::string_view user, const profile::Profile& profile)>& visit) {
  profile::Profile profile;
  for (size_t shard = 0; shard < reader.shards(); ++shard) {
    if (reader.store(shard) == nullptr) continue;
    const auto scanned = reader.store(shard)->scan(codec::kPagePrefix, [&](std::string_view key, std::string_view page) -> Result<> {
      const auto user = codec::user_of_page_key(key);
      if (!user) return fail(ErrorClass::kData, "a page's key is malformed");
      SEGUE_TRY(codec::decode_page(page, reader.definitions().plan(), profile));
      visit(*user, profile);
      return {};
    });
    if (!scanned) return scanned;
  }
  return {};
}

void count_members(const segment::Definitions& definitions, const profile::Profile& profile, std::vector<uint64_t>& members) {
  members.resize(definitions.definitions().size());
  std::bitset<profile::kMaxDefinitions> in = profile.members;
  for (const auto& member : profile.keyed_members) in.set(member.definition);
  for (size_t i = 0; i < members.size(); ++i) members[i] += in[i] ? 1 : 0;
}

// A side's name and count into the list, which has each name once.
void put(std::vector<api::PreviewResult::Sides>& list, Side side, const std::string& name, uint64_t count) {
  auto found = std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.name == name; });
  if (found == list.end()) found = list.insert(list.end(), {name, 0, 0});
  (side == kInForce ? found->in_force : found->draft) += count;
}

void put_all(api::PreviewResult& result, Side side, const segment::Definitions& definitions, const SideCounts& counts,
             const replay::ReplaySummary& summary) {
  for (size_t i = 0; i < definitions.stages().size(); ++i)
    put(result.stages, side, definitions.stage_name(i), i < counts.stages.size() ? counts.stages[i] : 0);
  for (size_t i = 0; i < definitions.moves().size(); ++i) put(result.moves, side, definitions.move(i).name, summary.totals.moves[i]);
  for (size_t i = 0; i < definitions.definitions().size(); ++i) {
    const auto& definition = definitions.definition(i);
    const bool is_tag = definition.kind == segment::DefinitionKind::kTag || definition.kind == segment::DefinitionKind::kTopTags;
    put(is_tag ? result.tags : result.segments, side, definition.name, i < counts.members.size() ? counts.members[i] : 0);
  }
}

// The preview's own work, once both sides are replayed.
class Comparing {
 public:
  Comparing(std::array<std::shared_ptr<const segment::Definitions>, 2> definitions) : definitions_(std::move(definitions)) {}

  Result<api::PreviewResult> run(const PreviewDirectory& directory, const std::array<replay::ReplaySummary, 2>& summaries) {
    for (const Side side : {kInForce, kDraft}) {
      auto reader = StateReader::open(directory.side(side));
      if (!reader) return tl::unexpected<Error>(reader.error());
      SideCounts counts;
      counts.stages.resize(definitions_[side]->stages().size());
      SEGUE_TRY(for_each_user(**reader, [&](std::string_view user, const profile::Profile& profile) { take(side, user, profile, counts); }));
      put_all(result_, side, *definitions_[side], counts, summaries[side]);
    }
    const Time high = summaries[kInForce].high;
    if (high != kNoTime) result_.as_of_ms = to_ms(high - definitions_[kInForce]->plan().lateness);
    result_.in_force = definitions_[kInForce]->hash();
    result_.draft = definitions_[kDraft]->hash();
    result_.users = users_.size();
    count_flow();
    return std::move(result_);
  }

 private:
  const std::string& name(Side side, uint8_t stage) const {
    static const std::string kNone = "-";
    return stage < definitions_[side]->stages().size() ? definitions_[side]->stage_name(stage) : kNone;
  }

  void take(Side side, std::string_view user, const profile::Profile& profile, SideCounts& counts) {
    UserStages& stages = users_[hash64(user)];
    stages.stage[side] = profile.stage;
    if (profile.stage < counts.stages.size()) ++counts.stages[profile.stage];
    count_members(*definitions_[side], profile, counts.members);
    if (side == kInForce || name(kInForce, stages.stage[kInForce]) == name(kDraft, profile.stage)) return;
    ++result_.users_in_another_stage;
    if (result_.samples.size() < api::kMaxSamples)
      result_.samples.push_back({std::string(user), name(kInForce, stages.stage[kInForce]), name(kDraft, profile.stage)});
  }

  void count_flow() {
    std::map<std::pair<uint8_t, uint8_t>, uint64_t> pairs;
    for (const auto& [hash, stages] : users_) ++pairs[{stages.stage[kInForce], stages.stage[kDraft]}];
    for (const auto& [pair, users] : pairs) result_.flow.push_back({name(kInForce, pair.first), name(kDraft, pair.second), users});
  }

  const std::array<std::shared_ptr<const segment::Definitions>, 2> definitions_;
  Users users_;
  api::PreviewResult result_;
};

}  // namespace

Result<api::PreviewResult> run_preview(const PreviewSource& source, std::shared_ptr<const segment::Definitions> in_force,
                                       std::shared_ptr<const segment::Definitions> draft, api::PreviewProgress& progress) {
  // Of this thread, and of those that it starts.
  setpriority(PRIO_PROCESS, 0, kNiceness);
  PreviewDirectory directory(source.state);
  SEGUE_TRY(directory.make());
  const std::array<std::shared_ptr<const segment::Definitions>, 2> definitions = {std::move(in_force), std::move(draft)};
  std::array<replay::ReplaySummary, 2> summaries;
  for (const Side side : {kInForce, kDraft}) {
    replay::ReplayOptions options;
    options.logs = {std::filesystem::path(source.logs.front()).parent_path().string()};
    options.log_ends = source.log_ends;
    options.out = directory.side(side);
    options.definitions = definitions[side];
    options.block_cache_bytes = kBlockCacheBytes;
    options.sync = false;
    options.pipeline.cache_profiles = kCachedProfiles;
    options.pipeline.dirty_profiles = kDirtyProfiles;
    auto summary = replay_side(std::move(options), side, progress);
    if (!summary) return tl::unexpected<Error>(summary.error());
    summaries[side] = std::move(*summary);
  }
  return Comparing(definitions).run(directory, summaries);
}

}  // namespace segue::program
