// SPDX-License-Identifier: Apache-2.0
// replay --against: the same log under two sets of definitions, and what differs.
#include <stdlib.h>

#include <filesystem>

#include "lib/codec/json_writer.h"
#include "services/segue/commands.h"
#include "services/segue/comparison.h"
#include "services/segue/console.h"
#include "services/segue/definitions_file.h"
#include "services/segue/replay_runner.h"
#include "services/tools/display.h"
#include "services/tools/table.h"
#include "services/tools/terminal.h"
#include "services/tools/wording.h"

namespace segue::program {
namespace {

using tools::grouped;
using tools::printable;
using Align = tools::Table::Align;

// A directory of its own that goes with the object; not made where a name is given.
class WorkDirectory {
 public:
  explicit WorkDirectory(const std::string& given) : path_(given) {
    if (!given.empty()) return;
    path_ = (std::filesystem::temp_directory_path() / "segue-compare-XXXXXX").string();
    is_temporary_ = mkdtemp(path_.data()) != nullptr;
    if (!is_temporary_) path_.clear();
  }
  ~WorkDirectory() {
    std::error_code ignored;
    if (is_temporary_) std::filesystem::remove_all(path_, ignored);
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  // Empty when it could not be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool is_temporary_ = false;
};

std::string difference(uint64_t before, uint64_t now) {
  if (before == now) return "=";
  return std::string(now > before ? "+" : "-").append(grouped(now > before ? now - before : before - now));
}

std::string counts_text(std::string_view title, const std::map<std::string, Comparison::Count>& counts, const tools::Terminal& terminal) {
  if (counts.empty()) return {};
  tools::Table table({Align::kLeft, Align::kRight, Align::kRight, Align::kRight});
  table.header({"", "old", "new", "difference"});
  for (const auto& [name, count] : counts)
    table.row(
        {printable(name), grouped(count.happened[kOld]), grouped(count.happened[kNew]), difference(count.happened[kOld], count.happened[kNew])});
  return "\n" + terminal.paint.strong(title) + "\n" + table.text(terminal);
}

std::string matrix_text(const Comparison& comparison, const tools::Terminal& terminal) {
  std::vector<Align> columns(comparison.stages[kNew].size() + 1, Align::kRight);
  columns[0] = Align::kLeft;
  tools::Table table(columns);
  std::vector<std::string> header = {"old ↓  new →"};
  for (const auto& stage : comparison.stages[kNew]) header.push_back(printable(stage));
  table.header(header);
  for (size_t i = 0; i < comparison.stages[kOld].size(); ++i) {
    std::vector<std::string> row = {printable(comparison.stages[kOld][i])};
    for (const uint64_t count : comparison.users_by_stage[i]) row.push_back(count == 0 ? "·" : grouped(count));
    table.row(row);
  }
  return "\n" + terminal.paint.strong("Users by their stage at the end") + "\n" + table.text(terminal);
}

std::string comparison_text(const Comparison& comparison, const tools::Terminal& terminal) {
  const auto& paint = terminal.paint;
  std::string out = paint.strong(grouped(comparison.users_with_other_moves)) + " of " + grouped(comparison.users) +
                    " users would have moved differently (" +
                    tools::percent(comparison.users_with_other_moves, std::max<uint64_t>(1, comparison.users)) + ")\n";
  out += counts_text("Moves", comparison.moves, terminal);
  out += matrix_text(comparison, terminal);
  out += counts_text("Segments and tags entered", comparison.entered, terminal);
  if (comparison.examples.empty()) return out;
  out += "\n" + paint.strong("For example") + "\n";
  for (const auto& example : comparison.examples) {
    tools::Table table({Align::kLeft, Align::kLeft});
    table.header({"old", "new"});
    const auto at = [](const std::vector<std::string>& moves, size_t i) { return i < moves.size() ? moves[i] : std::string(); };
    for (size_t i = 0; i < std::max(example.moves[kOld].size(), example.moves[kNew].size()); ++i)
      table.row({at(example.moves[kOld], i), at(example.moves[kNew], i)});
    out += " " + printable(example.user_id) + "\n" + table.text(terminal);
  }
  return out;
}

std::string comparison_json(const Comparison& comparison) {
  std::string out;
  codec::JsonWriter json(out);
  const auto counts = [&](std::string_view name, const std::map<std::string, Comparison::Count>& values) {
    json.name(name), json.begin_object();
    for (const auto& [key, count] : values) {
      json.foreign_name(key), json.begin_object();
      json.name("old"), json.unsigned_integer(count.happened[kOld]);
      json.name("new"), json.unsigned_integer(count.happened[kNew]);
      json.end_object();
    }
    json.end_object();
  };
  json.begin_object();
  json.name("users"), json.unsigned_integer(comparison.users);
  json.name("users_with_other_moves"), json.unsigned_integer(comparison.users_with_other_moves);
  counts("moves", comparison.moves);
  counts("entered", comparison.entered);
  json.name("users_by_stage"), json.begin_object();
  for (size_t i = 0; i < comparison.stages[kOld].size(); ++i) {
    json.foreign_name(comparison.stages[kOld][i]), json.begin_object();
    for (size_t k = 0; k < comparison.stages[kNew].size(); ++k)
      json.foreign_name(comparison.stages[kNew][k]), json.unsigned_integer(comparison.users_by_stage[i][k]);
    json.end_object();
  }
  json.end_object();
  json.name("examples"), json.begin_array();
  for (const auto& example : comparison.examples) {
    json.begin_object();
    json.name("user_id"), json.string(example.user_id);
    for (const Side side : {kOld, kNew}) {
      json.name(side == kOld ? "old" : "new"), json.begin_array();
      for (const auto& move : example.moves[side]) json.string(move);
      json.end_array();
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace

int run_comparison(const ReplayCommand& command) {
  std::array<std::shared_ptr<const segment::Definitions>, 2> definitions;
  for (const Side side : {kOld, kNew}) {
    const std::string& file = side == kOld ? command.against : command.definitions;
    if (file.empty()) {
      definitions[side] = built_in_definitions();
      continue;
    }
    auto loaded = load_definitions(file);
    if (!loaded) return loaded.error();
    definitions[side] = std::move(*loaded);
  }
  const WorkDirectory work(command.replay.out);
  if (work.path().empty()) {
    complain("cannot make a temporary directory in " + std::filesystem::temp_directory_path().string() + "; give --out DIR");
    return kIo;
  }
  const std::array<std::string, 2> directories = {work.path() + "/old", work.path() + "/new"};
  std::vector<replay::ReplayOptions> options;
  for (const Side side : {kOld, kNew}) {
    options.push_back(command.replay);
    options.back().out = directories[side];
    options.back().definitions = definitions[side];
    // Nobody needs what a crash of the machine would damage in a temporary directory.
    options.back().sync = !command.no_sync && !command.replay.out.empty();
  }
  const auto outcome = run_session(std::move(options), command.quiet, command.metrics, definitions[kOld]);
  if (!outcome) {
    complain(outcome.error().message);
    return kUsage;
  }
  if (!outcome->summaries) return complain_about(outcome->summaries.error());
  const auto& summaries = *outcome->summaries;
  if (outcome->interrupted) return kInterrupted;
  const auto comparison = Comparison::make(directories, {&summaries[kOld], &summaries[kNew]});
  if (!comparison) return complain_about(comparison.error());
  print(command.json ? comparison_json(*comparison) : comparison_text(*comparison, tools::find_terminal(1)));
  return kOk;
}

}  // namespace segue::program
