// SPDX-License-Identifier: Apache-2.0
// Partition: how one is opened (docs/engine.md, "Opening").
#include <filesystem>
#include <random>

#include "lib/base/assert.h"
#include "lib/pipeline/store_contents.h"
#include "lib/rocks/directories.h"
#include "lib/telemetry/log.h"
#include "services/engine/partition.h"
#include "services/engine/snapshotter.h"
#include "services/engine/start_choice.h"

namespace segue::engine {
namespace {

// The state that was damaged first is the one to look at: only two are kept aside.
constexpr int kMostDamages = 3;

// Not part of the state machine: the key only has to be unknown to others, and the first commit stores it.
std::array<uint8_t, 16> new_erasure_key() {
  std::random_device device;
  std::array<uint8_t, 16> key;
  for (auto& byte : key) byte = static_cast<uint8_t>(device());
  return key;
}

pipeline::ShardPipeline::Options pipeline_options(const Context& context) {
  const config::Config& config = context.config;
  pipeline::ShardPipeline::Options options;
  options.partition = config.kafka.input;
  // The memory that is configured is the process's. A share by the topic's partitions stays the same through every rebalance.
  options.cache_profiles = std::max<size_t>(1, config.state.cache_profiles / context.partitions);
  options.dirty_profiles = std::max<size_t>(1, config.state.dirty_profiles / context.partitions);
  options.commit_events = config.commit.events;
  options.commit_outputs = config.commit.outputs;
  options.commit_bytes = config.commit.bytes;
  options.checkpoint_events = config.checkpoint.events;
  options.pending_commits = Partition::kMostPendingCommits;
  // What a batch may cost where every page comes from the disk, 4 to 8 us a user: reads and other partitions wait for it.
  options.max_timers = 512;
  options.sweep_users = 512;
  options.call_batches = 2;
  // For similar users.
  options.vectors = config::is_served(config.api);
  return options;
}

}  // namespace

Partition::Partition(const Context& context, int32_t number, std::shared_ptr<PartitionView> view)
    : context_(context), number_(number), view_(std::move(view)) {}

Partition::~Partition() { close(); }

void Partition::close() {
  end_reads();
  between_ = nullptr;
  if (commits_) {
    view_->update([&](PartitionStatus& status) { status.commits = commits_->status(); });
    view_->end_commits();
  }
  view_->set_progress(nullptr);
  if (context_.snapshotter != nullptr) context_.snapshotter->withdraw(number_);
  if (stretch_.valid()) {
    commits_->cancel();
    stretch_.wait();
    stretch_ = {};
  }
  pipeline_.reset();
  commits_.reset();
  store_.reset();
  queue_.clear();
  following_ = false;
  watermark_.reset();
  shown_.reset();
  shown_reason_.clear();
}

Partition::Fencing Partition::begin_fencing(std::shared_ptr<const kafka::GroupMembership> membership, std::function<void()> on_settled) const {
  kafka::PartitionCommitsOptions options;
  options.partition = number_;
  options.membership = std::move(membership);
  options.on_settled = std::move(on_settled);
  // A process that is told to stop waits for this.
  options.deadline = std::chrono::seconds(30);
  options.ending = &context_.ending;
  return std::async(std::launch::async, [clients = context_.clients, options] { return kafka::PartitionCommits::open(clients, options); });
}

Result<> Partition::end_fencing(Fencing& fencing) {
  if (!fencing.valid()) return {};
  auto opened = fencing.get();
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  commits_ = std::move(*opened);
  return {};
}

Result<> Partition::open(std::shared_ptr<const kafka::GroupMembership> membership, std::function<void()> on_settled) {
  std::string last_damage = "while it was worked with";
  wake_ = on_settled;
  for (;;) {
    close();
    if (context_.ending) return fail(ErrorClass::kStop, "the process ends");
    if (damages_ >= kMostDamages)
      return fail(ErrorClass::kData, "the state was damaged " + std::to_string(kMostDamages) + " times in a row: " + last_damage);
    view_->update([](PartitionStatus& status) { status.state = PartitionState::kRestoring, status.reason.clear(); });
    if (damaged_) SEGUE_TRY(move_damaged_aside());
    // Beside the opening of the state: both take up to a second.
    Fencing fencing = begin_fencing(membership, on_settled);
    Result<> opened = open_once(fencing);
    if (opened) break;
    if (fencing.valid()) fencing.wait();
    if (opened.error().kind != ErrorClass::kData) return opened;
    note_damage();
    telemetry::log::error("the state is damaged", {{"partition", number_}, {"reason", opened.error().message}});
    last_damage = opened.error().message;
  }
  begin_work();
  return {};
}

Result<> Partition::open_to_follow() {
  close();
  if (damages_ >= kMostDamages)
    return fail(ErrorClass::kStop, "the state was damaged " + std::to_string(kMostDamages) + " times in a row: it is not followed any more");
  if (damaged_) SEGUE_TRY(move_damaged_aside());
  Fencing nobody;
  auto opened = [&]() -> Result<> {
    const auto watermarks = prepare_state(nobody);
    if (!watermarks) return tl::unexpected<Error>(watermarks.error());
    SEGUE_TRY(make_pipeline(watermarks->low));
    low_watermark_ = watermarks->low;
    return pipeline_->recover();
  }();
  if (!opened) {
    if (opened.error().kind == ErrorClass::kData) note_damage();
    return opened;
  }
  following_ = true;
  begin_work();
  return {};
}

Result<> Partition::take_over(std::shared_ptr<const kafka::GroupMembership> membership, std::function<void()> on_settled) {
  SEGUE_ASSERT(following_);
  wake_ = on_settled;
  Fencing fencing = begin_fencing(membership, on_settled);
  SEGUE_TRY(end_fencing(fencing));
  const auto watermarks = context_.inspector->watermarks(kafka::Topic::kInput, number_);
  if (!watermarks) return tl::unexpected<Error>(watermarks.error());
  Result<> owned = pipeline_->own(*commits_);
  if (owned) owned = check_input(*watermarks);
  if (!owned) {
    if (owned.error().kind != ErrorClass::kData && owned.error().kind != ErrorClass::kStop) return owned;
    // What was followed does not fit, or not any more: begin anew as any owner would, perhaps from a snapshot.
    telemetry::log::warn("what was followed is of no use", {{"partition", number_}, {"reason", owned.error().message}});
    if (owned.error().kind == ErrorClass::kData) note_damage();
    return open(std::move(membership), std::move(on_settled));
  }
  following_ = false;
  queue_.clear();
  begin_work();
  return {};
}

Result<> Partition::open_once(Fencing& fencing) {
  const auto watermarks = prepare_state(fencing);
  if (!watermarks) return tl::unexpected<Error>(watermarks.error());
  SEGUE_TRY(make_pipeline(watermarks->low));
  SEGUE_TRY(pipeline_->recover());
  SEGUE_TRY(end_fencing(fencing));
  SEGUE_TRY(pipeline_->own(*commits_));
  return check_input(*watermarks);
}

// The input has everything from the position on, up to where the journal's last commit ended.
Result<> Partition::check_input(kafka::Watermarks watermarks) {
  // Asked before the previous owner was fenced, who may have gone on.
  if (pipeline_->known_end().offset > watermarks.high) {
    const auto now = context_.inspector->watermarks(kafka::Topic::kInput, number_);
    if (!now) return tl::unexpected<Error>(now.error());
    watermarks = *now;
  }
  high_watermark_ = watermarks.high;
  const uint64_t position = pipeline_->position().offset;
  if (position < watermarks.low)
    return fail(ErrorClass::kStop,
                "the input begins at " + std::to_string(watermarks.low) + ", behind this shard's position " + std::to_string(position));
  if (const uint64_t committed = pipeline_->known_end().offset; committed > watermarks.high)
    return fail(ErrorClass::kStop, "the input ends at " + std::to_string(watermarks.high) + ", before this shard's position " +
                                       std::to_string(committed) + ": it was made anew, or has lost its end");
  return {};
}

// Puts the state to start from in its place and opens it.
Result<kafka::Watermarks> Partition::prepare_state(Fencing& fencing) {
  auto watermarks = context_.inspector->watermarks(kafka::Topic::kInput, number_);
  if (!watermarks) return watermarks;
  const auto own = open_store();
  if (!own) return tl::unexpected<Error>(own.error());
  if (auto done = choose_and_restore(fencing, *watermarks, *own); !done) return tl::unexpected<Error>(std::move(done.error()));
  return watermarks;
}

Result<> Partition::choose_and_restore(Fencing& fencing, const kafka::Watermarks& watermarks, std::optional<uint64_t> own) {
  StartCandidates candidates;
  candidates.low_watermark = watermarks.low;
  candidates.own_state = own;
  const bool own_is_good = own && *own >= watermarks.low && *own + kWorthASnapshot >= watermarks.high;
  std::optional<rocks::Snapshot> snapshot;
  if (!own_is_good) {
    auto found = find_snapshot();
    if (!found) return tl::unexpected<Error>(std::move(found.error()));
    snapshot = std::move(*found);
    if (snapshot) candidates.snapshot = snapshot->record.info.position.offset;
  }
  StartChoice choice = choose_start(candidates);
  if (choice.from == StartFrom::kOwnState) return {};
  if (choice.from == StartFrom::kBeginning) {
    // Neither state nor snapshot: whether the log reaches back far enough, the journal knows.
    SEGUE_TRY(end_fencing(fencing));
    const auto first = first_position();
    if (!first) return tl::unexpected<Error>(first.error());
    candidates.first_position = *first;
    choice = choose_start(candidates);
  }
  if (choice.from == StartFrom::kNothing) return fail(ErrorClass::kStop, choice.reason);
  if (choice.from == StartFrom::kBeginning && !own) return {};  // the store is open and empty
  if (!own) SEGUE_TRY(clear_place(false));
  if (choice.from == StartFrom::kSnapshot) {
    if (auto restored = restore(*snapshot); !restored) {
      if (!own || *own < watermarks.low) return restored;
      telemetry::log::warn("the snapshot is of no use, the state of this machine has to do",
                           {{"partition", number_}, {"reason", restored.error().message}});
      return {};  // it is still open
    }
  }
  if (own) SEGUE_TRY(clear_place(true));
  if (choice.from == StartFrom::kSnapshot) SEGUE_TRY(put_in_place());
  const auto opened = open_store();
  if (!opened) return tl::unexpected<Error>(opened.error());
  return {};
}

// What is here is too old to be of use, but perhaps not to a person.
Result<> Partition::clear_place(bool has_state) {
  store_.reset();
  const std::string path = context_.state_path(number_);
  if (has_state) {
    const auto moved = rocks::quarantine(path);
    if (!moved) return tl::unexpected<Error>(moved.error());
    telemetry::log::warn("old state is kept aside", {{"partition", number_}, {"directory", *moved}});
    return {};
  }
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return fail(ErrorClass::kRetry, path + ": " + error.message());
  return {};
}

Result<std::optional<rocks::Snapshot>> Partition::find_snapshot() {
  if (context_.config.snapshots.directory.empty()) return std::nullopt;
  return find_newest(*open_snapshots(context_.config, number_), damaged_snapshots_);
}

Result<> Partition::put_in_place() {
  std::error_code error;
  std::filesystem::rename(restored_path(), context_.state_path(number_), error);
  if (error) return fail(ErrorClass::kRetry, restored_path() + ": " + error.message());
  return {};
}

// Beside the state that is here, which stays in its place until the copy is whole: a volume may go away in the middle.
Result<> Partition::restore(const rocks::Snapshot& snapshot) {
  const uint64_t position = snapshot.record.info.position.offset;
  telemetry::log::info("restoring a snapshot", {{"partition", number_}, {"id", snapshot.id}, {"position", position}});
  std::error_code error;
  std::filesystem::remove_all(restored_path(), error);
  auto restored = open_snapshots(context_.config, number_)->restore(snapshot.id, restored_path());
  if (restored) {
    restored_from_ = snapshot.id;
    return {};
  }
  if (restored.error().kind == ErrorClass::kData) damaged_snapshots_.insert(snapshot.id);
  return tl::unexpected<Error>(std::move(restored.error()));
}

// The state directory's position; nothing where no checkpoint was made yet.
Result<std::optional<uint64_t>> Partition::open_store() {
  rocks::RocksOptions options;
  options.path = context_.state_path(number_);
  options.block_cache = context_.block_cache;
  auto store = rocks::RocksStore::open(options);
  if (!store) return tl::unexpected<Error>(std::move(store.error()));
  store_ = std::move(*store);
  const auto meta = pipeline::load_meta(*store_);
  if (!meta) return tl::unexpected<Error>(meta.error());
  return *meta ? std::optional((*meta)->position.offset) : std::nullopt;
}

Result<std::optional<uint64_t>> Partition::first_position() {
  std::optional<uint64_t> first;
  if (!commits_) return first;  // a standby learns it from the first record that it follows
  const auto read = commits_->for_each_since(0, 0, [&](const codec::JournalRecord& record, uint64_t) -> Result<> {
    first = record.previous.offset;
    return fail(ErrorClass::kUsage, "the first one suffices");
  });
  if (!read && !first) return tl::unexpected<Error>(read.error());
  return first;
}

Result<> Partition::make_pipeline(uint64_t log_begin) {
  pipeline::Genesis genesis;
  genesis.definitions = context_.definitions->get();
  genesis.erasure_key = new_erasure_key();
  genesis.position = {log_begin, log_begin};
  pipeline_ = std::make_unique<pipeline::ShardPipeline>(pipeline_options(context_), std::move(genesis), *store_);
  pipeline_->on_batch_end([this] {
    if (between_) between_();
  });
  return {};
}

void Partition::note_damage() {
  damaged_ = true;
  ++damages_;
  damaged_at_ = pipeline_ ? pipeline_->last_commit().sequence : 0;
  if (!restored_from_.empty()) damaged_snapshots_.insert(std::exchange(restored_from_, {}));
  context_.counters.damaged_states.fetch_add(1);
}

Result<> Partition::move_damaged_aside() {
  // A snapshot that could not be restored left nothing.
  std::error_code error;
  if (!std::filesystem::exists(context_.state_path(number_), error)) {
    damaged_ = false;
    return {};
  }
  const auto moved = rocks::quarantine(context_.state_path(number_));
  if (!moved) return tl::unexpected<Error>(moved.error());
  damaged_ = false;
  telemetry::log::warn("damaged state is kept aside", {{"partition", number_}, {"directory", *moved}});
  return {};
}

void Partition::begin_work() {
  next_offset_ = pipeline_->position().offset;
  end_offset_ = 0;
  commit_seen_ = checkpointed_commit_ = pipeline_->last_commit().sequence;
  taken_until_ = open_since_ = flight_since_ = kNoTime;
  last_commit_ = Clock::now();
  checkpoint_wanted_ = last_commit_ + context_.config.checkpoint.interval;
  checkpoints_seen_ = 0;
  checkpoint_began_.reset();
  waits_ = gave_way_ = false;
  if (context_.snapshotter != nullptr && !following_) context_.snapshotter->enroll(number_, *store_, view_);
  publish(Clock::now());
}

}  // namespace segue::engine
