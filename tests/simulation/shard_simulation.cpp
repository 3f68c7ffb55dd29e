// SPDX-License-Identifier: Apache-2.0
// The real shard, pipeline, commit log and store on disks that crash. Each seed makes a small log with everything that a log can bring (duplicates,
// late events, malformed lines, erasures, lapses by the thousand milliseconds), runs it once undisturbed, then again with other batches, caches and
// commit sizes on disks that crash at a drawn operation, again and again, until it is through. Transitions, dead letters, pages and audience index
// must be the same bytes, and the index what the pages say. A failure prints its seed: shard_simulation --seed N runs it alone.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/codec/page_codec.h"
#include "lib/codec/state_keys.h"
#include "lib/filelog/commit_log.h"
#include "lib/filelog/log_reader.h"
#include "lib/filelog/memory_file_system.h"
#include "lib/pipeline/shard_pipeline.h"
#include "lib/rocks/rocks_store.h"
#include "services/replay/log_run.h"
#include "tests/simulation/simulated_disk.h"
#include "tests/simulation/simulated_file_system.h"

namespace segue::simulation {
namespace {

constexpr const char* kLog = "/log/events.ndjson";
constexpr const char* kOut = "/out";
constexpr std::array<uint8_t, 16> kErasureKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t below(uint64_t n) { return engine_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

std::string make_event(Random& random, uint64_t number, int64_t ts, uint64_t users) {
  static constexpr std::string_view kTypes[] = {"view",        "view",     "click",  "click",  "click",    "cart",
                                                "cart_remove", "purchase", "search", "refund", "identify", "delete"};
  std::string_view type = kTypes[random.below(std::size(kTypes))];
  if (type == "delete" && !random.one_in(4)) type = "purchase";
  std::string line = "{\"event_id\":\"e" + std::to_string(number) + "\",\"type\":\"" + std::string(type) + "\",\"user_id\":\"u" +
                     std::to_string(random.below(users)) + "\",\"ts\":" + std::to_string(ts);
  if (type != "search" && type != "identify")
    line += ",\"item_id\":\"i" + std::to_string(random.below(30)) + "\",\"category\":\"类" + std::to_string(random.below(20)) +
            "\",\"price\":" + std::to_string(random.below(4000)) + ".5";
  if (type == "identify") line += ",\"traits\":{\"age\":" + std::to_string(20 + random.below(50)) + ",\"region\":\"杭州\"}";
  line += "}";
  switch (random.below(40)) {
    case 0:
      return line.substr(0, line.size() / 2);
    case 1:
      return line + "x";
    case 2:
      return "\xff\xfe" + line;
    default:
      return line;
  }
}

// Steps of seconds to days, so that carts age, potentials fall back and buyers lapse; every now and then a storm of users with one timestamp.
std::string make_log(Random& random) {
  const uint64_t events = 40 + random.below(160);
  const uint64_t users = 3 + random.below(40);
  std::string log;
  std::string previous;
  int64_t now = 1'700'000'000'000;
  for (uint64_t n = 0; n < events; ++n) {
    static constexpr int64_t kSteps[] = {0, 1000, 60'000, 3'600'000, 86'400'000, 9 * 86'400'000LL};
    now += kSteps[random.below(std::size(kSteps))] * static_cast<int64_t>(random.below(3));
    const int64_t late = random.one_in(8) ? static_cast<int64_t>(random.below(40 * 86'400'000ULL)) : static_cast<int64_t>(random.below(30'000));
    if (!previous.empty() && random.one_in(12)) {
      log += previous + "\n";
      continue;
    }
    previous = make_event(random, n, now - late, users);
    log += previous + "\n";
  }
  return log;
}

struct Result {
  std::string transitions;
  std::string dead_letters;
  std::map<std::string, std::string> pages;  // and erased users, and the audience index

  friend bool operator==(const Result&, const Result&) = default;
};

struct Settings {
  pipeline::ShardPipeline::Options pipeline;
  size_t chunk_bytes = 1 << 20;
  uint64_t write_looks = 0;  // how often a checkpoint is looked for before it is written
};

Settings draw_settings(Random& random) {
  Settings settings;
  static constexpr size_t kBatches[] = {1, 3, 7, 64};
  settings.pipeline.batch_events = kBatches[random.below(4)];
  settings.pipeline.commit_events = 1 + random.below(40);
  settings.pipeline.commit_bytes = random.one_in(4) ? 300 : 1 << 20;
  settings.pipeline.checkpoint_events = 1 + random.below(80);
  settings.pipeline.cache_profiles = 1 + random.below(12);
  settings.pipeline.dirty_profiles = 2 + random.below(30);
  settings.pipeline.max_timers = 1 + random.below(6);
  settings.pipeline.slice_profiles = 1 + random.below(6);
  settings.chunk_bytes = 256 + random.below(8192);
  settings.write_looks = random.below(8);
  return settings;
}

// Both disks of one machine: RocksDB's and the log files'.
struct Machine {
  std::unique_ptr<SimulatedDisk> disk = std::make_unique<SimulatedDisk>();
  std::unique_ptr<filelog::MemoryFileSystem> files = std::make_unique<filelog::MemoryFileSystem>();
};

// Writes a checkpoint in the background, as far as the pipeline can tell: profiles change while one is being made.
class SlowStore final : public pipeline::Store {
 public:
  SlowStore(pipeline::Store& store, uint64_t looks) : store_(store), looks_(looks) {}
  segue::Result<> load(std::span<const std::string_view> keys, const Found& found) override { return store_.load(keys, found); }
  segue::Result<> scan(std::string_view prefix, const Visit& visit) override { return store_.scan(prefix, visit); }
  void put(std::string_view key, std::string_view value) override {
    SEGUE_ASSERT(!sealed_);
    store_.put(key, value);
  }
  void remove(std::string_view key) override {
    SEGUE_ASSERT(!sealed_);
    store_.remove(key);
  }
  size_t collected_bytes() const override { return store_.collected_bytes(); }
  void seal() override {
    store_.seal();
    sealed_ = true;
    left_ = looks_;
  }
  segue::Result<bool> written() override {
    if (left_ == 0) return store_.written();
    --left_;
    return false;
  }
  segue::Result<> install() override {
    sealed_ = false;
    return store_.install();
  }

 private:
  pipeline::Store& store_;
  const uint64_t looks_;
  uint64_t left_ = 0;
  bool sealed_ = false;
};

// The audience index of the state is what its pages say.
segue::Result<> check_audiences(pipeline::Store& store, const segment::Definitions& definitions) {
  audience::Index stored(definitions), of_pages(definitions);
  profile::Profile profile;
  SEGUE_TRY(store.scan(codec::kAudiencePrefix, [&](std::string_view key, std::string_view value) -> segue::Result<> {
    const auto part = codec::part_of_audience_key(key);
    return part ? stored.restore(part->set, part->chunk, value) : segue::Result<>(fail(ErrorClass::kData, "a malformed key of the audience index"));
  }));
  SEGUE_TRY(store.scan(codec::kPagePrefix, [&](std::string_view, std::string_view page) -> segue::Result<> {
    auto decoded = codec::decode_page(page, definitions.plan(), profile);
    if (decoded) of_pages.add_user(codec::read_page_header(page)->user_number, profile);
    return decoded;
  }));
  if (stored.first_difference(of_pages)) return fail(ErrorClass::kData, "the audience index is not what the pages say");
  return {};
}

// One life of the program: recovers, and runs until the log's end or the first error.
segue::Result<> live(Machine& machine, filelog::MemoryFileSystem& input, const std::shared_ptr<const segment::Definitions>& definitions,
                     const Settings& settings, Result* result) {
  const auto env = make_simulated_env(*machine.disk);
  rocks::RocksOptions options;
  options.path = std::string(kOut) + "/state";
  options.write_in_background = false;
  options.compact_in_background = false;
  options.env = env.get();
  SEGUE_TRY(machine.files->make_directories(kOut));
  auto store = rocks::RocksStore::open(options);
  if (!store) return tl::unexpected<Error>(store.error());
  auto commit_log = filelog::CommitLog::open(*machine.files, kOut, "shard-0");
  if (!commit_log) return tl::unexpected<Error>(commit_log.error());
  pipeline::ShardPipeline::Options pipeline_options = settings.pipeline;
  pipeline_options.partition = "events.ndjson";
  SlowStore slow(**store, settings.write_looks);
  pipeline::ShardPipeline pipeline(pipeline_options, {definitions, kErasureKey, {}}, slow);
  SEGUE_TRY(pipeline.recover());
  SEGUE_TRY(pipeline.own(**commit_log));
  // Invariant: a checkpoint is never ahead of the last commit.
  if (const auto& last = (*commit_log)->last(); pipeline.position() > (last ? last->next : Position{}))
    return fail(ErrorClass::kUsage, "the checkpoint is ahead of the last commit");
  auto reader = filelog::LogReader::open(input, {kLog}, pipeline.position(), {.chunk_bytes = settings.chunk_bytes});
  if (!reader) return tl::unexpected<Error>(reader.error());
  filelog::Chunk chunk;
  codec::EventDecoder decoder;
  Arena arena;
  pipeline::DecodedChunk decoded;
  decoded.shares.resize(1);
  do {
    SEGUE_TRY((*reader)->next(chunk));
    arena.clear();
    replay::decode_chunk(chunk, decoder, arena, decoded);
    SEGUE_TRY(pipeline.take_all(decoded));
  } while (!chunk.last);
  SEGUE_TRY(pipeline.finish());
  SEGUE_TRY(check_audiences(**store, *definitions));
  if (result == nullptr) return {};
  const auto paths = filelog::shard_paths(kOut, "shard-0");
  result->transitions = machine.files->content(paths.transitions).value_or("");
  result->dead_letters = machine.files->content(paths.dead_letters).value_or("");
  for (const std::string_view prefix : {codec::kPagePrefix, codec::kErasedPrefix, codec::kAudiencePrefix})
    SEGUE_TRY((*store)->scan(prefix, [&](std::string_view key, std::string_view value) -> segue::Result<> {
      result->pages.emplace(key, value);
      return {};
    }));
  return {};
}

struct Figures {
  uint64_t seeds = 0;
  uint64_t crashes = 0;
  uint64_t failures = 0;  // single operations that failed, the disk otherwise well
  uint64_t lives = 0;
  uint64_t events_bytes = 0;
};

// The machine stops: power failure (unsynced bytes are gone or torn) or kill -9 (they are kept).
void restart(Machine& machine, Random& random) {
  const uint64_t seed = random.one_in(3) ? 1 : random.below(1'000'000);
  machine.disk->restart(seed);
  machine.files = machine.files->crash_image(seed);
}

void arm_fault(Machine& machine, Random& random, Figures& figures) {
  const uint64_t files_now = machine.files->operations();
  machine.disk->reset_operations();
  switch (random.below(5)) {
    case 0:
      machine.files->fail_operation(files_now + 1 + random.below(60)), ++figures.failures;
      break;
    case 1:
      machine.disk->fail_at(1 + random.below(60)), ++figures.failures;
      break;
    case 2:
      machine.files->crash_after(files_now + random.below(80)), ++figures.crashes;
      break;
    default:
      machine.disk->crash_at(1 + random.below(80)), ++figures.crashes;
      break;
  }
}

// Empty when the seed holds.
std::string run_seed(uint64_t seed, const std::shared_ptr<const segment::Definitions>& definitions, Figures& figures) {
  Random random(seed);
  filelog::MemoryFileSystem input;
  const std::string log = make_log(random);
  figures.events_bytes += log.size();
  input.put(kLog, log);

  Result undisturbed;
  Machine calm;
  if (auto lived = live(calm, input, definitions, Settings{}, &undisturbed); !lived) return "undisturbed run: " + lived.error().message;

  Machine machine;
  Result result;
  for (int crash = 0;; ++crash) {
    ++figures.lives;
    // After some faults the machine holds, so that every seed ends.
    if (crash < 6) arm_fault(machine, random, figures);
    const Settings settings = draw_settings(random);
    const auto lived = live(machine, input, definitions, settings, &result);
    if (lived) break;
    if (lived.error().kind == ErrorClass::kData || lived.error().kind == ErrorClass::kUsage)
      return "life " + std::to_string(crash) + ": " + lived.error().message;
    if (crash >= 6) return "no fault was left, and still: " + lived.error().message;
    result = {};
    restart(machine, random);
  }
  if (result.transitions != undisturbed.transitions) return "transitions differ";
  if (result.dead_letters != undisturbed.dead_letters) return "dead letters differ";
  if (result.pages != undisturbed.pages) return "pages differ";
  ++figures.seeds;
  return {};
}

int run(uint64_t first, uint64_t count) {
  auto parsed = segment::Definitions::parse(segment::default_definitions(), "default definitions");
  if (!parsed) return std::fprintf(stderr, "%s\n", segment::to_string(parsed.error()).c_str()), 2;
  const auto definitions = std::make_shared<const segment::Definitions>(std::move(*parsed));
  Figures figures;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    if (const std::string wrong = run_seed(seed, definitions, figures); !wrong.empty()) {
      std::fprintf(stderr, "seed %llu: %s\nagain: shard_simulation --seed %llu\n", static_cast<unsigned long long>(seed), wrong.c_str(),
                   static_cast<unsigned long long>(seed));
      return 1;
    }
  }
  char line[256];
  std::snprintf(line, sizeof line, "figure: simulation: %llu seeds from %llu, %llu crashes and %llu failed operations armed, %llu lives, all equal\n",
                static_cast<unsigned long long>(figures.seeds), static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(figures.crashes), static_cast<unsigned long long>(figures.failures),
                static_cast<unsigned long long>(figures.lives));
  std::fputs(line, stdout);
  if (const char* path = std::getenv("SEGUE_FIGURES")) std::ofstream(path, std::ios::app) << line;
  return 0;
}

}  // namespace
}  // namespace segue::simulation

// shard_simulation [--seed N] [--from N --seeds N]
int main(int argc, char** argv) {
  uint64_t first = 1, count = 100;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--seed") first = value, count = 1;
    if (flag == "--from") first = value;
    if (flag == "--seeds") count = value;
  }
  return segue::simulation::run(first, count);
}
