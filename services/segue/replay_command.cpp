// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "lib/filelog/posix_file_system.h"
#include "services/replay/state_directory.h"
#include "services/segue/commands.h"
#include "services/segue/console.h"
#include "services/segue/definitions_file.h"
#include "services/segue/replay_report.h"
#include "services/segue/replay_runner.h"

namespace segue::program {
namespace {

using DefinitionsOrCode = tl::expected<std::shared_ptr<const segment::Definitions>, int>;

// Those of the command; else those of the directory, where it has some; else the built-in ones.
DefinitionsOrCode choose_definitions(const ReplayCommand& command) {
  if (!command.definitions.empty()) return load_definitions(command.definitions);
  filelog::PosixFileSystem files;
  const auto known = files.exists(command.replay.out + "/replay.json");
  if (!known || !*known) return built_in_definitions();
  auto directory = replay::StateDirectory::read(files, command.replay.out);
  if (!directory) return tl::make_unexpected(complain_about(directory.error()));
  return directory->definitions;
}

// What is missing, forbidden or in use is found before Replay::open(), which then only refuses what does not fit together.
Result<> check_logs(const ReplayCommand& command) {
  filelog::PosixFileSystem files;
  std::error_code error;
  for (const std::string& log : command.replay.logs) {
    if (std::filesystem::is_directory(log, error)) continue;
    const auto file = files.open_to_read(log);
    if (!file) return tl::unexpected<Error>(file.error());
  }
  return {};
}
Result<> check_out(const ReplayCommand& command) {
  const auto& out = command.replay.out;
  std::error_code error;
  if (std::filesystem::exists(out, error) && !std::filesystem::is_directory(out, error)) return fail(ErrorClass::kUsage, out + " is not a directory");
  filelog::PosixFileSystem files;
  const auto lock = filelog::lock_directory(files, out);
  if (!lock) return tl::unexpected<Error>(lock.error());
  return {};
}

}  // namespace

int run_replay(const ReplayCommand& command) {
  if (!command.against.empty()) return run_comparison(command);
  if (const auto checked = check_logs(command); !checked) return complain_about(checked.error());
  const auto definitions = choose_definitions(command);
  if (!definitions) return definitions.error();
  if (const auto checked = check_out(command); !checked) return complain_about(checked.error());

  replay::ReplayOptions options = command.replay;
  options.definitions = *definitions;
  options.sync = !command.no_sync;
  const auto outcome = run_session({options}, command.quiet, command.metrics, *definitions);
  if (!outcome) {
    complain(outcome.error().message);
    return kUsage;
  }
  if (!outcome->summaries) {
    const Error& error = outcome->summaries.error();
    const bool names_it = error.message.find(command.replay.out) != std::string::npos;
    complain((names_it ? "" : command.replay.out + ": ") + error.message);
    // What is left of kUsage: the directory was made from another log or with another number of shards.
    return error.kind == ErrorClass::kUsage ? static_cast<int>(kUsage) : exit_code(error.kind);
  }
  const ReplayReport report{outcome->summaries->front(), **definitions,          command.replay.out,
                            outcome->last.records,       outcome->last.replayed, outcome->seconds};
  if (command.json) {
    print(report_json(report));
  } else if (!command.quiet) {
    print(report_text(report, tools::find_terminal(1)));
  }
  return outcome->interrupted && report.summary.stopped ? kInterrupted : kOk;
}

}  // namespace segue::program
