// SPDX-License-Identifier: Apache-2.0
#include "services/segue/replay_report.h"

#include <algorithm>
#include <numeric>

#include "lib/codec/json_writer.h"
#include "services/tools/display.h"
#include "services/tools/flow_picture.h"
#include "services/tools/table.h"
#include "services/tools/wording.h"

namespace segue::program {
namespace {

using tools::grouped;
using tools::Paint;
using tools::percent;
using tools::printable;
using Align = tools::Table::Align;

uint64_t sum_of(const auto& counts) { return std::accumulate(counts.begin(), counts.end(), uint64_t{0}); }

uint64_t all_records(const replay::ReplaySummary& summary) {
  return sum_of(summary.totals.applied) + summary.totals.duplicates + summary.totals.erased + sum_of(summary.rejects);
}

std::string headline(const ReplayReport& report, const Paint& paint) {
  const std::string time = tools::number_text(std::round(report.seconds * 100) / 100) + " s";
  std::string out = report.summary.stopped ? paint.warm("Stopped") + " after " : paint.good("Replayed") + " ";
  if (report.records == 0 && report.replayed == 0 && !report.summary.stopped) return "Nothing new in the log: it was read to its end before.\n";
  out += paint.strong(grouped(report.records)) + " records in " + time;
  if (report.seconds > 0) out += ", " + tools::rate_text(static_cast<double>(report.records + report.replayed) / report.seconds);
  if (report.replayed > 0) out += " (and " + grouped(report.replayed) + " again, to catch up with the last commit)";
  out += "\n";
  if (report.summary.stopped) out += "Everything up to here is safe; the same command goes on from here.\n";
  return out;
}

std::string events_table(const ReplayReport& report, const tools::Terminal& terminal) {
  const auto& summary = report.summary;
  const uint64_t all = all_records(summary);
  tools::Table table({Align::kLeft, Align::kRight, Align::kRight, Align::kLeft});
  for (size_t i = 0; i < event::kEventTypes; ++i)
    if (summary.totals.applied[i] > 0)
      table.row({std::string(event::kEventTypeNames[i]), grouped(summary.totals.applied[i]), percent(summary.totals.applied[i], all)});
  if (summary.totals.duplicates > 0) table.row({"duplicates, dropped", grouped(summary.totals.duplicates), percent(summary.totals.duplicates, all)});
  if (summary.totals.erased > 0) table.row({"of erased users, dropped", grouped(summary.totals.erased), percent(summary.totals.erased, all)});
  std::string reasons;
  for (size_t i = 0; i < summary.rejects.size(); ++i)
    if (summary.rejects[i] > 0)
      reasons += (reasons.empty() ? "" : ", ") + std::string(event::kRejectReasonNames[i]) + " " + grouped(summary.rejects[i]);
  if (!reasons.empty()) table.row({"dead letters", grouped(sum_of(summary.rejects)), percent(sum_of(summary.rejects), all), reasons});
  table.row({"all records", grouped(all)});
  std::string hint;
  if (all > 0 && sum_of(summary.rejects) == all)
    hint = terminal.paint.warm("Not one record is an event.") + " Is this a log of events, one JSON object a line (docs/formats/event.md)?\n";
  return "\n" + terminal.paint.strong("Events") + "\n" + table.text(terminal) + hint;
}

std::string moves_table(const ReplayReport& report, const tools::Terminal& terminal) {
  const auto& definitions = report.definitions;
  tools::Table table({Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft});
  for (size_t i = 0; i < definitions.moves().size(); ++i) {
    const auto& move = definitions.move(i);
    table.row({printable(move.name), printable(definitions.stage_name(move.from)) + " → " + printable(definitions.stage_name(move.to)),
               grouped(report.summary.totals.moves[i]), move.on == 0 ? "by time" : ""});
  }
  if (table.empty()) return {};
  return "\n" + terminal.paint.strong("Moves") + "   " + terminal.paint.faint(grouped(report.summary.totals.timers) + " deadlines came due") + "\n" +
         table.text(terminal);
}

std::string memberships_table(const ReplayReport& report, const tools::Terminal& terminal) {
  tools::Table table({Align::kLeft, Align::kRight, Align::kRight});
  table.header({"", "entered", "left"});
  for (size_t i = 0; i < report.definitions.definitions().size(); ++i)
    table.row({printable(report.definitions.definition(i).name), grouped(report.summary.totals.entered[i]), grouped(report.summary.totals.left[i])});
  if (table.empty()) return {};
  return "\n" + terminal.paint.strong("Segments and tags") + "\n" + table.text(terminal);
}

std::string flow_section(const ReplayReport& report, const tools::Terminal& terminal) {
  const auto& definitions = report.definitions;
  if (definitions.moves().empty()) return {};
  tools::Flow flow;
  for (size_t i = 0; i < definitions.stages().size(); ++i) flow.stages.push_back({definitions.stage_name(i), report.summary.population[i]});
  for (size_t i = 0; i < definitions.moves().size(); ++i)
    flow.moves.push_back({definitions.move(i).from, definitions.move(i).to, report.summary.totals.moves[i]});
  return "\n" + terminal.paint.strong("The flow of " + grouped(report.summary.users) + " users between the stages") + "\n" +
         draw_flow(flow, terminal);
}

}  // namespace

std::string report_text(const ReplayReport& report, const tools::Terminal& terminal) {
  const Paint& paint = terminal.paint;
  std::string out = headline(report, paint);
  out += events_table(report, terminal);
  out += moves_table(report, terminal);
  out += memberships_table(report, terminal);
  out += flow_section(report, terminal);
  const std::string directory = printable(report.directory);
  tools::Table files({Align::kLeft, Align::kLeft});
  files.row({"transitions", directory + "/transitions"});
  files.row({"dead letters", directory + "/dead-letters"});
  files.row({"one user's way", "segue explain " + directory + " USER"});
  return out + "\n" + paint.strong("Where to look") + "\n" + files.text(terminal);
}

std::string report_json(const ReplayReport& report) {
  const auto& summary = report.summary;
  const auto& definitions = report.definitions;
  std::string out;
  codec::JsonWriter json(out);
  const auto counts = [&](std::string_view name, const auto& values, const auto& names) {
    json.name(name), json.begin_object();
    for (size_t i = 0; i < names.size(); ++i) json.foreign_name(names[i]), json.unsigned_integer(values[i]);
    json.end_object();
  };
  json.begin_object();
  json.name("directory"), json.string(printable(report.directory));
  json.name("definitions"), json.string(definitions.hash());
  json.name("stopped"), json.boolean(summary.stopped);
  json.name("seconds"), json.number(report.seconds);
  json.name("records_this_run"), json.unsigned_integer(report.records);
  json.name("replayed_this_run"), json.unsigned_integer(report.replayed);
  json.name("records"), json.unsigned_integer(all_records(summary));
  counts("applied", summary.totals.applied, event::kEventTypeNames);
  json.name("duplicates"), json.unsigned_integer(summary.totals.duplicates);
  json.name("erased"), json.unsigned_integer(summary.totals.erased);
  counts("dead_letters", summary.rejects, event::kRejectReasonNames);
  json.name("users"), json.unsigned_integer(summary.users);
  counts("stages", summary.population, definitions.stages());
  json.name("moves"), json.begin_array();
  for (size_t i = 0; i < definitions.moves().size(); ++i) {
    const auto& move = definitions.move(i);
    json.begin_object();
    json.name("name"), json.string(move.name);
    json.name("from"), json.string(definitions.stage_name(move.from));
    json.name("to"), json.string(definitions.stage_name(move.to));
    json.name("count"), json.unsigned_integer(summary.totals.moves[i]);
    json.end_object();
  }
  json.end_array();
  json.name("segments_and_tags"), json.begin_array();
  for (size_t i = 0; i < definitions.definitions().size(); ++i) {
    json.begin_object();
    json.name("name"), json.string(definitions.definition(i).name);
    json.name("entered"), json.unsigned_integer(summary.totals.entered[i]);
    json.name("left"), json.unsigned_integer(summary.totals.left[i]);
    json.end_object();
  }
  json.end_array();
  json.name("timers_fired"), json.unsigned_integer(summary.totals.timers);
  json.name("outputs"), json.unsigned_integer(summary.totals.outputs);
  if (summary.high != kNoTime) json.name("high"), json.integer(to_ms(summary.high));
  json.name("user_table_bytes"), json.unsigned_integer(summary.memory_bytes_users);
  json.end_object();
  return out + "\n";
}

}  // namespace segue::program
