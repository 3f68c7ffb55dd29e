// SPDX-License-Identifier: Apache-2.0
#include "services/segue/replay_runner.h"

#include <unistd.h>

#include "services/segue/console.h"
#include "services/segue/interruption.h"
#include "services/segue/progress_display.h"
#include "services/segue/replay_metrics.h"

namespace segue::program {

Result<RunOutcome> run_session(std::vector<replay::ReplayOptions> options, bool quiet, const std::string& metrics,
                               std::shared_ptr<const segment::Definitions> definitions) {
  ReplaySession session(std::move(options));
  std::unique_ptr<MetricsEndpoint> endpoint;
  if (!metrics.empty()) {
    auto started = MetricsEndpoint::start(metrics, session, std::move(definitions));
    if (!started) return tl::unexpected<Error>(std::move(started.error()));
    endpoint = std::move(*started);
  }
  using Clock = ProgressDisplay::Clock;
  ProgressDisplay display(tools::find_terminal(STDERR_FILENO));
  const auto begin = Clock::now();
  RunOutcome outcome;
  outcome.interrupted =
      run_watched({.work = [&] { outcome.summaries = session.run(); },
                   .stop =
                       [&] {
                         session.stop();
                         print_error(display.clear() + "segue: stopping after a last commit and checkpoint; once more to stop at once\n");
                       },
                   .tick =
                       [&] {
                         if (!quiet) print_error(display.update(session.sample(), Clock::now()));
                       }});
  outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  print_error(display.clear());
  outcome.last = session.sample();
  return outcome;
}

}  // namespace segue::program
