// SPDX-License-Identifier: Apache-2.0
#include "services/segue/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "lib/base/hash.h"
#include "lib/pipeline/version.h"
#include "services/segue/commands.h"
#include "services/segue/console.h"

namespace segue::program {
namespace {

constexpr size_t kMost = size_t{1} << 40;

// A whole number within limits that the help does not repeat at every flag.
CLI::Validator within(size_t most) { return CLI::Range(size_t{1}, most).description(""); }

constexpr const char* kOverview =
    "segue: a real-time customer-profile engine. It reads what the users of a shop do, keeps a profile of each, and tells every change of\n"
    "stage, segment or tag at the moment it happens, the same each time it is run.\n"
    "\n"
    "usage: segue COMMAND [ARGUMENT...]\n"
    "\n"
    "  replay LOG... --out DIR   take a recorded log into profiles and transitions; going on where an earlier run stopped\n"
    "  up DIR                    everything in one process, without a broker: log, profiles, transitions in DIR\n"
    "  engine --config FILE      run the shards of a Kafka topic, exactly once\n"
    "  collector --config FILE   take events over HTTP into Kafka or into log files\n"
    "  api --config FILE         answer the API over the engines of a Kafka topic, without shards of its own\n"
    "  audit --config FILE       take a Kafka topic again as the journal says, and compare every output\n"
    "  profile DIR USER          what is known of a user\n"
    "  explain DIR USER          how a user came to this stage, and what comes next\n"
    "  audience DIR EXPRESSION   how many users, or which, are in a stage, segment and tag\n"
    "  dump DIR                  all profiles as JSON lines, sorted by user id\n"
    "  verify DIR                count again: state, outputs and journal against the log\n"
    "  check [FILE]              read definitions or a configuration: what it says, or where it is wrong\n"
    "  generate                  make a log to try things with\n"
    "  version                   print the version\n"
    "  help [COMMAND]            this, or all about one command\n"
    "\n"
    "Start here:\n"
    "  segue generate --events 200000 --users 20000 --out log.ndjson\n"
    "  segue replay log.ndjson --out state\n"
    "\n"
    "Exit codes: 0 done; 1 not found, or not the same; 2 wrong command line, or one that does not fit the directory; 65 damaged data;\n"
    "74 a file is missing, forbidden or in use, or the disk is full; 78 a mistake in definitions or configuration;\n"
    "130 stopped by Ctrl-C or SIGTERM.\n";

// One object for the whole command line: options are read into it.
struct Arguments {
  ReplayCommand replay;
  CheckCommand check;
  LookCommand profile;
  LookCommand explain;
  VerifyCommand verify;
  GenerateCommand generate;
  UpCommand up;
  std::string engine;
  std::string collector;
  std::string api;
  AuditCommand audit;
  std::string dump;
  AudienceCommand audience;
  std::string topic;
};

void add_replay(CLI::App& app, ReplayCommand& command) {
  CLI::App& sub = *app.add_subcommand("replay", "Takes a recorded log into profiles and transitions.");
  auto& options = command.replay;
  sub.add_option("LOG", options.logs,
                 "Log files, NDJSON, plain, gzip or zstd, read one after the other as one log;\nor one directory, each of its files a partition.")
      ->required()
      ->type_name("");
  sub.add_option("--out,-o", options.out, "State directory: made, or gone on with.")->type_name("DIR");
  sub.add_option("--definitions,-d", command.definitions, "Definitions. Without: the directory's own, or the built-in ones.")->type_name("FILE");
  sub.add_option("--against", command.against, "Old definitions: replays the log under both and tells what differs.")->type_name("FILE");
  sub.add_option("--shards", options.shards, "Splits the users of one log over so many shards, each with a thread.")
      ->check(within(kKeyGroups))
      ->type_name("N")
      ->capture_default_str();
  sub.add_option("--metrics", command.metrics, "Serves Prometheus metrics there; :0 takes any free port of this machine.")->type_name("ADDRESS:PORT");
  sub.add_flag("--quiet,-q", command.quiet, "No progress and no report; errors only.");
  sub.add_flag("--json", command.json, "The report as JSON on standard output.");
  const auto number = [&](const char* flag, size_t& value, const char* text) {
    sub.add_option(flag, value, text)->check(within(kMost))->type_name("N")->capture_default_str()->group("Sizes (none of them changes a result)");
  };
  number("--batch-events", options.pipeline.batch_events, "Events applied together.");
  number("--commit-events", options.pipeline.commit_events, "Events between two commits.");
  number("--checkpoint-events", options.pipeline.checkpoint_events, "Events between two checkpoints: what a restart has to catch up.");
  number("--cache-profiles", options.pipeline.cache_profiles, "Profiles kept in memory, about 1.5 KB each.");
  number("--dirty-profiles", options.pipeline.dirty_profiles, "Changed profiles that force a checkpoint.");
  number("--chunk-bytes", options.chunk_bytes, "Bytes of the log read at a time.");
  number("--block-cache-bytes", options.block_cache_bytes, "Memory for pages read from disk.");
  sub.add_flag("--no-sync", command.no_sync, "Does not wait for the disk: a crash of the machine may cost the directory.");
  sub.footer(
      "The same command again goes on where the last commit ended, after a crash as well. Ctrl-C stops in good order; a second one at once.\n"
      "\nExamples:\n"
      "  segue replay clicks.ndjson.gz --out state --shards 2\n"
      "  segue replay clicks.ndjson --definitions new.yaml --against old.yaml\n"
      "  segue replay clicks.ndjson --out state --json | jq .moves");
}

void add_look(CLI::App& app, const char* name, const char* about, LookCommand& command, bool has_full) {
  CLI::App& sub = *app.add_subcommand(name, about);
  sub.add_option("DIR", command.directory, "State directory of a replay, which may be running.")->required()->type_name("");
  sub.add_option("USER", command.user, "User id, exactly as in the events. One that begins with - goes behind --.")->required()->type_name("");
  sub.add_flag("--json", command.json, "JSON instead of a table.");
  if (has_full) sub.add_flag("--full", command.full, "Every output from the transitions files, not only the last moves; reads them all.");
  sub.footer("Shows the state of the last checkpoint. Times are in the definitions' time zone.");
}

void add_up(CLI::App& app, UpCommand& command) {
  CLI::App& sub = *app.add_subcommand("up", "Runs everything in one process, without a broker, and keeps all of it in a directory.");
  sub.add_option("DIR", command.directory, "The directory: log, profiles, transitions, journal. Made where it is missing.")->required();
  sub.add_option("--config,-c", command.config, "Configuration, YAML. Without: defaults, and the environment.")->type_name("FILE");
  sub.footer(
      "Events are appended to DIR/log; transitions come out in DIR/transitions. Runs until Ctrl-C or SIGTERM, then commits, checkpoints and ends\n"
      "with exit code 0; SIGHUP reads the definitions file again. profile, explain, dump and verify read DIR meanwhile.\n\n"
      "Example:\n  segue up shop");
}

void add_engine(CLI::App& app, std::string& configuration) {
  CLI::App& sub = *app.add_subcommand("engine", "Runs the shards of a Kafka topic: events in, transitions out, exactly once.");
  sub.add_option("--config,-c", configuration, "Configuration, YAML (docs/configuration.md).")->required()->type_name("FILE");
  sub.footer(
      "Runs until SIGTERM or Ctrl-C, which commit, checkpoint and end with code 0; a second one ends at once, which is safe as well. SIGHUP reads "
      "the\n"
      "definitions file, certificates and tokens again. segue check --config FILE says what is wrong with a configuration.");
}

void add_collector(CLI::App& app, std::string& configuration) {
  CLI::App& sub = *app.add_subcommand("collector", "Takes what storefronts send over HTTP into the log, safe before it answers.");
  sub.add_option("--config,-c", configuration, "Configuration, YAML (docs/configuration.md, docs/collector.md).")->required()->type_name("FILE");
  sub.footer(
      "Runs until SIGTERM or Ctrl-C, which answer what was accepted and end with code 0. Example:\n"
      "  collector: {listen: \"127.0.0.1:9465\", log: DIR}");
}

void add_api(CLI::App& app, std::string& configuration) {
  CLI::App& sub = *app.add_subcommand("api", "Answers the API and serves the console over the engines of a Kafka topic, without shards of its own.");
  sub.add_option("--config,-c", configuration, "Configuration, YAML (docs/configuration.md, docs/api.md).")->required()->type_name("FILE");
  sub.footer(
      "Finds the engines that have an API (api.listen) over the topic kafka.instances, and asks them. Keeps nothing: run as many as you like.\n"
      "SIGHUP reads the definitions file again, which has to be the engines'.");
}

void add_audit(CLI::App& app, AuditCommand& command) {
  CLI::App& sub = *app.add_subcommand("audit", "Takes a Kafka topic again from its beginning as the journal says, and compares every output.");
  sub.add_option("--config,-c", command.configuration, "Configuration of the engine, YAML.")->required()->type_name("FILE");
  sub.add_option("--state", command.state, "State directory of an instance that was stopped: its pages are compared too.")->type_name("DIR");
  sub.add_option("--partition", command.partitions, "Only these partitions.")->type_name("N...");
  sub.add_flag("--json", command.json, "The report as one JSON object.");
  sub.footer(
      "Reads only, may run beside engines, and needs room beside state.directory for a second copy of the state. Exit code 0: every transition and\n"
      "dead letter is there once, with the bytes that the log gives; 65: the first difference is named; 2: a topic has lost its beginning.");
}

void add_audience(CLI::App& app, AudienceCommand& command) {
  CLI::App& sub = *app.add_subcommand("audience", "Counts the users for whom an expression over stages, segments and tags holds, or lists them.");
  sub.add_option("DIR", command.directory, "State directory of a replay or an engine, which may be running.")->required()->type_name("");
  sub.add_option("EXPRESSION", command.expressions,
                 "stage:NAME, segment:NAME, segment:NAME[KEY], tag:NAME, all; and, or, not, brackets.\n"
                 "Of several also what each two have in common.")
      ->required()
      ->expected(1, 16)
      ->type_name("");
  auto* ids = sub.add_flag("--ids", command.ids, "The user ids, one a line, sorted.");
  auto* csv = sub.add_flag("--csv", command.csv, "The users with stage, orders, spend and times, as CSV.")->excludes(ids);
  sub.add_flag("--json", command.json, "The counts as one JSON object.")->excludes(ids)->excludes(csv);
  sub.footer(
      "Exact, as of the last checkpoint. docs/audiences.md has the expressions.\n"
      "\nExamples:\n"
      "  segue audience state 'stage:lapsed and tag:cat:女装'\n"
      "  segue audience state 'tag:high-value and not stage:lapsed' --csv");
}

void add_others(CLI::App& app, Arguments& arguments) {
  CLI::App& dump = *app.add_subcommand("dump", "Prints all profiles as JSON lines, sorted by the bytes of the user id.");
  dump.add_option("DIR", arguments.dump, "State directory of a replay, which may be running.")->required()->type_name("");
  dump.footer("Needs about 24 bytes of memory a user and the ids. Two directories with the same dump hold the same profiles, bit for bit.");

  CLI::App& verify = *app.add_subcommand("verify", "Checks a state directory: checksums, and everything against the log again.");
  verify.add_option("DIR", arguments.verify.directory, "State directory of a replay, which must not be running (but for --quick).")
      ->required()
      ->type_name("");
  verify.add_flag("--quick", arguments.verify.quick, "Checks what is on disk without taking the log again.");
  verify.add_flag("--quiet,-q", arguments.verify.quiet, "The exit code and errors only.");
  verify.footer("Needs room beside DIR for a second copy of the state. Exit code 0: all is right; 65: something is damaged or differs.");

  CLI::App& check = *app.add_subcommand("check", "Reads definitions or a configuration and says what they mean, or every mistake.");
  auto* file = check.add_option("FILE", arguments.check.file, "YAML; what it is shows in its keys. Without: the definitions that are built in.");
  file->type_name("");
  check.add_option("--config", arguments.check.config, "A configuration, whatever its keys look like.")->type_name("FILE")->excludes(file);
  check.add_option("--for", arguments.check.use, "A configuration has to be good for this command: up, engine, collector or api.")
      ->check(CLI::IsMember({"up", "engine", "collector", "api"}))
      ->type_name("COMMAND");
  check.add_flag("--print", arguments.check.print,
                 "Prints the YAML itself, of a configuration all that is in force: a start for a file of one's own.");
  check.add_flag("--json", arguments.check.json, "JSON instead of a table.");
  check.footer("Mistakes come as FILE:LINE:COLUMN: what is wrong and what was expected, one a line, with exit code 78.");
  app.add_subcommand("version", "Prints the version.");
  app.add_subcommand("help", "Says what there is, or all about one command.")
      ->add_option("COMMAND", arguments.topic, "One of the commands.")
      ->type_name("");
}

void add_generate(CLI::App& app, GenerateCommand& command) {
  CLI::App& sub = *app.add_subcommand("generate", "Makes a log of a shop's events: the same options give the same bytes.");
  auto& options = command.options;
  sub.add_option("--events,-n", options.events, "Lines, duplicates and malformed ones included.")->type_name("N")->capture_default_str();
  sub.add_option("--users", options.users, "Users; a few do most (Zipf).")->type_name("N")->capture_default_str();
  sub.add_option("--seed", options.seed, "Another seed, another log.")->type_name("N")->capture_default_str();
  sub.add_option("--out,-o", command.out, "File to write; - is standard output.")->default_val("-")->type_name("FILE");
  sub.add_option("--days", command.days, "Days of event time.")->type_name("N")->capture_default_str();
  sub.add_option("--items", options.items, "Items of the shop.")->type_name("N")->capture_default_str();
  sub.add_option("--categories", options.categories, "Categories of these.")->type_name("N")->capture_default_str();
  sub.add_option("--brands", options.brands, "Brands of these.")->type_name("N")->capture_default_str();
  sub.add_option("--duplicates", options.duplicates, "Share of events that come again within 60 s.")->type_name("N")->capture_default_str();
  sub.add_option("--malformed", options.malformed, "Share of lines that are broken.")->type_name("N")->capture_default_str();
  sub.add_option("--chinese", options.chinese, "Share of categories with Chinese names.")->type_name("N")->capture_default_str();
  sub.footer("Example:\n  segue generate --events 5000000 --users 1000000 --seed 7 --out log.ndjson");
}

// Small changes between two words, for "did you mean".
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t i = 0; i <= b.size(); ++i) row[i] = i;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t k = 1; k <= b.size(); ++k) {
      const size_t above = row[k];
      row[k] = std::min({row[k] + 1, row[k - 1] + 1, corner + (a[i - 1] == b[k - 1] ? 0 : 1)});
      corner = above;
    }
  }
  return row[b.size()];
}

CLI::App* find_command(CLI::App& app, const std::string& name) {
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
    if (sub->get_name() == name) return sub;
  return nullptr;
}

int unknown_command(CLI::App& app, const std::string& word) {
  std::string message = "there is no command \"" + word + "\"";
  for (const CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
    if (edit_distance(word, sub->get_name()) <= 2) {
      message += "; did you mean " + sub->get_name() + "?";
      break;
    }
  complain(message + " (segue help lists the commands)");
  return kUsage;
}

int run_help(CLI::App& app, const std::string& topic) {
  if (topic.empty() || topic == "help") {
    print(kOverview);
    return kOk;
  }
  const CLI::App* sub = find_command(app, topic);
  if (sub == nullptr) return unknown_command(app, topic);
  print(sub->help("segue"));
  return kOk;
}

int dispatch(CLI::App& app, Arguments& arguments) {
  const std::string command = app.get_subcommands().front()->get_name();
  if (command == "replay") {
    if (arguments.replay.replay.out.empty() && arguments.replay.against.empty()) {
      complain("replay: --out DIR is missing: where profiles and transitions go (segue help replay)");
      return kUsage;
    }
    return run_replay(arguments.replay);
  }
  if (command == "up") return run_up(arguments.up);
  if (command == "engine") return run_engine(arguments.engine);
  if (command == "collector") return run_collector(arguments.collector);
  if (command == "api") return run_api(arguments.api);
  if (command == "audit") return run_audit(arguments.audit);
  if (command == "profile") return run_profile(arguments.profile);
  if (command == "explain") return run_explain(arguments.explain);
  if (command == "audience") return run_audience(arguments.audience);
  if (command == "dump") return run_dump(arguments.dump);
  if (command == "verify") return run_verify(arguments.verify);
  if (command == "check") return run_check(arguments.check);
  if (command == "generate") return run_generate(arguments.generate);
  if (command == "help") return run_help(app, arguments.topic);
  print(std::string("segue ") + pipeline::kProgramVersion + "\n");
  return kOk;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App app;
  Arguments arguments;
  app.name("segue");
  app.require_subcommand(1);
  app.get_formatter()->column_width(33);
  app.get_formatter()->label("REQUIRED", "");
  add_replay(app, arguments.replay);
  add_up(app, arguments.up);
  add_engine(app, arguments.engine);
  add_collector(app, arguments.collector);
  add_api(app, arguments.api);
  add_audit(app, arguments.audit);
  add_look(app, "profile", "Shows what is known of a user.", arguments.profile, false);
  add_look(app, "explain", "Shows how a user came to this stage, and what comes next.", arguments.explain, true);
  add_audience(app, arguments.audience);
  add_others(app, arguments);
  add_generate(app, arguments.generate);

  const std::string first = argc > 1 ? argv[1] : "";
  if (first.empty()) {
    print_error(kOverview);
    return kUsage;
  }
  if (first == "--help" || first == "-h") return run_help(app, "");
  if (first == "--version") {
    print(std::string("segue ") + pipeline::kProgramVersion + "\n");
    return kOk;
  }
  if (find_command(app, first) == nullptr) return unknown_command(app, first);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return run_help(app, first);
  } catch (const CLI::ConversionError& error) {
    // "Could not convert: --events = x"
    const std::string what = error.what();
    complain(first + ": not a number: " + what.substr(std::min(what.size(), what.find(": ") + 2)) + " (segue help " + first + ")");
    return kUsage;
  } catch (const CLI::ParseError& error) {
    complain(first + ": " + error.what() + " (segue help " + first + ")");
    return kUsage;
  }
  return dispatch(app, arguments);
}

}  // namespace segue::program
