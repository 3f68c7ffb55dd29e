// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "lib/codec/page_codec.h"
#include "lib/filelog/commit_check.h"
#include "lib/filelog/commit_log.h"
#include "lib/filelog/log_identity.h"
#include "services/segue/audience_check.h"
#include "services/segue/commands.h"
#include "services/segue/console.h"
#include "services/segue/interruption.h"
#include "services/segue/recount.h"
#include "services/segue/state_reader.h"
#include "services/segue/workplace.h"
#include "services/tools/display.h"
#include "services/tools/terminal.h"
#include "services/tools/wording.h"

namespace segue::program {
namespace {

using tools::counted;

// Counts what was looked at and says it, check by check.
class Verdict {
 public:
  explicit Verdict(bool quiet) : quiet_(quiet), terminal_(tools::find_terminal(STDOUT_FILENO)) {}

  void good(const std::string& what) const {
    if (!quiet_) print("  " + terminal_.paint.good("✓") + " " + what + "\n");
  }
  void note(const std::string& what) const {
    if (!quiet_) print("  " + terminal_.paint.warm("·") + " " + what + "\n");
  }
  // Gives the exit code.
  int bad(const Error& error) const {
    if (!quiet_) print("  " + terminal_.paint.bad("✗") + " " + tools::printable(error.message) + "\n");
    return complain_about(error);
  }

 private:
  bool quiet_;
  tools::Terminal terminal_;
};

// Every block of the store, and every value in it.
Result<uint64_t> check_state(StateReader& reader, size_t shard) {
  rocks::RocksStore& store = *reader.store(shard);
  const auto& plan = reader.definitions().plan();
  SEGUE_TRY(store.verify());
  const auto meta = reader.meta(shard);
  if (!meta) return tl::unexpected<Error>(meta.error());
  if (!*meta) return fail(ErrorClass::kData, "there are pages, but no position");
  if ((*meta)->definitions != reader.definitions().hash()) return fail(ErrorClass::kData, "made with definitions " + (*meta)->definitions);
  uint64_t pages = 0;
  profile::Profile profile;
  audience::Index audiences(reader.definitions());
  SEGUE_TRY(store.scan(codec::kPagePrefix, [&](std::string_view key, std::string_view page) -> Result<> {
    const auto user = codec::user_of_page_key(key);
    if (!user) return fail(ErrorClass::kData, "a page's key is malformed");
    const auto header = codec::read_page_header(page);
    if (!header) return fail(ErrorClass::kData, "page of user " + tools::printable(*user) + ": " + header.error().message);
    const auto decoded = codec::decode_page(page, plan, profile);
    if (!decoded) return fail(ErrorClass::kData, "page of user " + tools::printable(*user) + ": " + decoded.error().message);
    const bool known = std::any_of(plan.stage_ids.begin(), plan.stage_ids.end(), [&](uint64_t id) { return codec::page_id(id) == header->stage_id; });
    if (!known) return fail(ErrorClass::kData, "page of user " + tools::printable(*user) + ": a stage that the definitions do not know");
    if (header->user_number >= (*meta)->next_user_number)
      return fail(ErrorClass::kData, "page of user " + tools::printable(*user) + ": impossible number");
    audiences.add_user(header->user_number, profile);
    ++pages;
    return {};
  }));
  // A state of an older version has none.
  if ((*meta)->has_audiences) SEGUE_TRY(check_audiences(store, reader.definitions(), audiences));
  SEGUE_TRY(store.scan(codec::kErasedPrefix, [&](std::string_view key, std::string_view value) -> Result<> {
    if (!codec::hash_of_erased_key(key)) return fail(ErrorClass::kData, "an erased user's key is malformed");
    const auto erased = codec::decode_erased_user(value);
    return erased ? Result<>() : tl::unexpected<Error>(erased.error());
  }));
  return pages;
}

// Journal and outputs of one shard, and that its checkpoint is not ahead of them.
Result<filelog::CommitReport> check_outputs(StateReader& reader, size_t shard) {
  filelog::PosixFileSystem files;
  const std::string name = reader.directory().shard_name(shard);
  auto report = filelog::check_commits(files, reader.directory().path, name);
  if (!report) return report;
  const auto meta = reader.meta(shard);
  if (!meta) return tl::unexpected<Error>(meta.error());
  if (*meta && (*meta)->sequence > report->commits)
    return fail(ErrorClass::kData, "the checkpoint contains commit " + std::to_string((*meta)->sequence) + ", the journal ends at commit " +
                                       std::to_string(report->commits) + ": its end is lost or damaged");
  return report;
}

tl::unexpected<Error> in_shard(const StateReader& reader, size_t shard, const Error& error) {
  return fail(error.kind, reader.directory().shard_name(shard) + ": " + error.message);
}

Result<> check_files(StateReader& reader, const Verdict& verdict) {
  filelog::PosixFileSystem files;
  uint64_t pages = 0, commits = 0, transitions = 0, dead_letters = 0, unfinished = 0;
  bool has_state = false;
  for (size_t shard = 0; shard < reader.shards(); ++shard) {
    const auto outputs = check_outputs(reader, shard);
    // kUsage: no journal. Then a shard has nothing at all.
    const bool none = !outputs && outputs.error().kind == ErrorClass::kUsage && reader.store(shard) == nullptr;
    if (!outputs && !none) return in_shard(reader, shard, {ErrorClass::kData, outputs.error().message});
    if (outputs) {
      commits += outputs->commits;
      transitions += outputs->transitions;
      dead_letters += outputs->dead_letters;
      unfinished += outputs->torn_journal_bytes + outputs->uncommitted_transition_bytes + outputs->uncommitted_dead_letter_bytes;
    }
    if (reader.store(shard) == nullptr) continue;
    has_state = true;
    const auto checked = check_state(reader, shard);
    if (!checked) return in_shard(reader, shard, checked.error());
    pages += *checked;
  }
  verdict.good("journal and outputs: " + counted(commits, "commit", "commits") + ", " + counted(transitions, "transition", "transitions") + ", " +
               counted(dead_letters, "dead letter", "dead letters") + ", every checksum right");
  if (has_state)
    verdict.good("state: every block's checksum right, " + counted(pages, "page", "pages") + " readable, the audience index as they say");
  if (!has_state) verdict.note("state: no checkpoint yet");
  if (unfinished > 0) verdict.note(tools::bytes_text(unfinished) + " of a commit that did not finish: the next replay cuts them off");
  return {};
}

// The log again: empty when Ctrl-C came in between.
Result<std::optional<RecountReport>> recount_watched(StateReader& reader, bool quiet) {
  const Workplace workplace(reader.directory().path);
  SEGUE_TRY(workplace.make());
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> consumed{0}, total{0};
  Result<RecountReport> report;
  const tools::Terminal terminal = tools::find_terminal(STDERR_FILENO);
  const bool shows = terminal.is_tty && !quiet;
  run_watched({.work =
                   [&] {
                     report = recount(reader, workplace.path(), stop, [&](uint64_t consumed_bytes, uint64_t total_bytes) {
                       consumed = consumed_bytes;
                       total = total_bytes;
                     });
                   },
               .stop = [&] { stop = true; },
               .tick =
                   [&] {
                     if (shows && total > 0) print_error("\r\x1b[2K  recounting: " + std::to_string(100 * consumed / total) + " %");
                   }});
  if (shows) print_error("\r\x1b[2K");
  if (!report) return tl::unexpected<Error>(report.error());
  if (report->stopped) return std::optional<RecountReport>();
  return std::optional(*report);
}

int verify(StateReader& reader, const VerifyCommand& command, const Verdict& verdict) {
  if (const auto checked = check_files(reader, verdict); !checked) return verdict.bad(checked.error());
  if (command.quick) {
    verdict.note("the log was not taken again (--quick)");
    return kOk;
  }
  filelog::PosixFileSystem files;
  const auto identity = filelog::read_file(files, reader.directory().path + "/LOG");
  if (!identity) return verdict.bad({ErrorClass::kData, identity.error().message});
  const auto before = filelog::parse_log_identity(*identity);
  if (!before) return verdict.bad(before.error());
  const auto kind = reader.directory().partitioned ? filelog::LogKind::kPartitions : filelog::LogKind::kSequence;
  if (const auto same = filelog::check_same_log(files, *before, reader.directory().logs, kind); !same) return verdict.bad(same.error());
  const auto report = recount_watched(reader, command.quiet);
  if (!report) return verdict.bad(report.error());
  if (!*report) return kInterrupted;
  verdict.good("recount: the log gives the same " + counted((*report)->commits, "commit", "commits") + " and the same " +
               counted((*report)->pages, "page", "pages") + ", byte for byte");
  return kOk;
}

}  // namespace

int run_verify(const VerifyCommand& command) {
  // A writer would move what is compared. Quick checks stop at what is committed.
  filelog::PosixFileSystem files;
  std::unique_ptr<filelog::FileLock> lock;
  std::error_code error;
  if (!command.quick && std::filesystem::exists(command.directory + "/replay.json", error)) {
    auto locked = filelog::lock_directory(files, command.directory);
    if (!locked) {
      complain(locked.error().message + " (--quick can run beside it)");
      return kIo;
    }
    lock = std::move(*locked);
  }
  auto reader = StateReader::open(command.directory);
  if (!reader) return complain_about(reader.error());
  if ((*reader)->is_of_engine()) {
    complain(command.directory + ": is an engine's: the log and the outputs that it would be compared with are in Kafka");
    return kUsage;
  }
  return verify(**reader, command, Verdict(command.quiet));
}

}  // namespace segue::program
