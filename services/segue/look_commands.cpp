// SPDX-License-Identifier: Apache-2.0
// profile and explain: one user, looked at.
#include "services/segue/commands.h"
#include "services/segue/console.h"
#include "services/segue/output_file.h"
#include "services/segue/state_reader.h"
#include "services/tools/display.h"
#include "services/tools/explanation_view.h"
#include "services/tools/profile_view.h"
#include "services/tools/terminal.h"
#include "services/tools/transition_line.h"

namespace segue::program {
namespace {

// Shows one profile; gives the text for standard output.
using Show = std::function<Result<std::string>(size_t shard, const tools::ProfileView& view)>;

// Calls `show` for the user's profile in each shard that has one.
Result<int> look_at(StateReader& reader, const LookCommand& command, const Show& show) {
  bool found = false;
  const tools::LocalClock clock(reader.definitions().time_zone());
  for (const size_t shard : reader.shards_of(command.user)) {
    auto profile = reader.find(shard, command.user);
    if (!profile) return tl::unexpected<Error>(profile.error());
    if (!*profile) continue;
    const auto now = reader.clock(shard);
    if (!now) return tl::unexpected<Error>(now.error());
    if (reader.directory().partitioned && !command.json)
      print(std::string(found ? "\n" : "") + "In partition " + filelog::file_name(reader.directory().logs[shard]) + ":\n\n");
    found = true;
    const auto text = show(shard, {command.user, **profile, reader.definitions(), *now});
    if (!text) return tl::unexpected<Error>(text.error());
    print(*text);
  }
  if (found) return kOk;
  bool has_state = false;
  for (const size_t shard : reader.shards_of(command.user)) {
    has_state |= reader.store(shard) != nullptr;
    const auto erased = reader.find_erased(shard, command.user);
    if (!erased) return tl::unexpected<Error>(erased.error());
    if (!*erased) continue;
    complain("user " + tools::printable(command.user) + " was erased at " + clock.text((*erased)->up_to) + "; nothing else is kept");
    return kDiffers;
  }
  complain("no user \"" + tools::printable(command.user) + "\" in " + command.directory + (has_state ? "" : ": there is no checkpoint yet") +
           " (user ids are exact, upper and lower case included)");
  return kDiffers;
}

int look(const LookCommand& command, const std::function<Show(StateReader&)>& make_show) {
  auto reader = StateReader::open(command.directory);
  if (!reader) return complain_about(reader.error());
  const auto code = look_at(**reader, command, make_show(**reader));
  return code ? *code : complain_about(code.error());
}

Result<std::vector<tools::PastOutput>> all_outputs(const std::string& directory, const std::string& shard, const std::string& user) {
  filelog::PosixFileSystem files;
  tools::TransitionReader lines;
  std::vector<tools::PastOutput> past;
  SEGUE_TRY(for_each_transition(files, directory, shard, [&](std::string_view text) -> Result<> {
    const auto line = lines.read(text);
    if (!line) return tl::unexpected<Error>(line.error());
    if (line->user_id != user) return {};
    past.push_back({line->n, std::string(line->type), std::string(line->name), std::string(line->key), std::string(line->from), std::string(line->to),
                    line->at, std::string(line->cause), std::string(line->event_id)});
    return {};
  }));
  return past;
}

}  // namespace

int run_profile(const LookCommand& command) {
  return look(command, [&](StateReader& reader) -> Show {
    return [&](size_t, const tools::ProfileView& view) -> Result<std::string> {
      if (!command.json) return profile_text(view, tools::LocalClock(reader.definitions().time_zone()), tools::find_terminal(1));
      std::string line;
      tools::append_profile_line(view.user_id, view.profile, view.definitions, line);
      return line + "\n";
    };
  });
}

int run_explain(const LookCommand& command) {
  return look(command, [&](StateReader& reader) -> Show {
    return [&](size_t shard, const tools::ProfileView& view) -> Result<std::string> {
      auto past = tools::remembered_moves(view);
      if (command.full && reader.is_of_engine())
        return fail(ErrorClass::kUsage, reader.directory().path + ": is an engine's, whose outputs are in Kafka: leave --full out");
      if (command.full) {
        auto all = all_outputs(reader.directory().path, reader.directory().shard_name(shard), command.user);
        if (!all) return tl::unexpected<Error>(all.error());
        past = std::move(*all);
      }
      const tools::LocalClock clock(reader.definitions().time_zone());
      if (command.json) return explanation_json(view, past, clock) + "\n";
      return explanation_text(view, past, clock, tools::find_terminal(1));
    };
  });
}

}  // namespace segue::program
