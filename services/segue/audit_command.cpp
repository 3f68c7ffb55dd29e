// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "services/engine/audit.h"
#include "services/engine/client_options.h"
#include "services/segue/commands.h"
#include "services/segue/configuration_file.h"
#include "services/segue/console.h"
#include "services/segue/interruption.h"
#include "services/segue/workplace.h"
#include "services/tools/terminal.h"
#include "services/tools/wording.h"

namespace segue::program {
namespace {

using tools::counted;

std::string text(const engine::AuditReport& report) {
  std::string text = counted(report.partitions, "partition", "partitions") + ": " + counted(report.commits, "commit", "commits") + " of " +
                     counted(report.events, "record", "records") + " give " + counted(report.transitions, "transition", "transitions") + " and " +
                     counted(report.dead_letters, "dead letter", "dead letters") + ", each in its topic once, byte for byte\n";
  if (report.clock_steps > 0) text += "  " + counted(report.clock_steps, "step", "steps") + " of the wall clock\n";
  if (report.activations > 0) text += "  new definitions " + counted(report.activations, "time", "times") + "\n";
  if (report.states > 0)
    text += "  " + counted(report.states, "state", "states") + " with " + counted(report.pages, "page", "pages") + ", the same\n";
  return text;
}

std::string json(const engine::AuditReport& report) {
  return nlohmann::ordered_json({{"partitions", report.partitions},
                                 {"commits", report.commits},
                                 {"records", report.events},
                                 {"transitions", report.transitions},
                                 {"dead_letters", report.dead_letters},
                                 {"clock_steps", report.clock_steps},
                                 {"activations", report.activations},
                                 {"states", report.states},
                                 {"pages", report.pages}})
             .dump() +
         "\n";
}

}  // namespace

int run_audit(const AuditCommand& command) {
  const auto config = load_configuration(command.configuration);
  if (!config) return config.error();
  const Workplace workplace(command.state.empty() ? config->state.directory : command.state);
  if (const auto made = workplace.make(); !made) return complain_about(made.error());
  engine::AuditOptions options;
  options.client = engine::client_options(*config);
  options.future_bound = std::chrono::duration_cast<Duration>(config->clock.future_bound);
  options.work = workplace.path();
  options.state = command.state;
  options.partitions = command.partitions;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> commits{0};
  Result<engine::AuditReport> report;
  const bool shows = tools::find_terminal(STDERR_FILENO).is_tty && !command.json;
  WatchedWork watched;
  watched.work = [&] { report = engine::audit(options, stop, [&](const engine::AuditReport& so_far) { commits = so_far.commits; }); };
  watched.stop = [&] { stop = true; };
  watched.tick = [&] {
    if (shows) print_error("\r\x1b[2K  " + counted(commits, "commit", "commits") + " compared");
  };
  run_watched(watched);
  if (shows) print_error("\r\x1b[2K");
  if (!report) return complain_about(report.error());
  if (report->stopped) return kInterrupted;
  print(command.json ? json(*report) : text(*report));
  return kOk;
}

}  // namespace segue::program
