// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "services/replay/replay.h"
#include "services/tools/generate/generate.h"

// One function a command: does the whole of it, messages included, and gives the exit code.
namespace segue::program {

struct ReplayCommand {
  replay::ReplayOptions replay;  // definitions are loaded by the command
  std::string definitions;       // file; empty: the directory's own, or the built-in ones
  std::string against;           // file of the old definitions; empty: no comparison
  std::string metrics;           // ADDRESS:PORT; empty: none
  bool quiet = false;
  bool json = false;
  bool no_sync = false;
};
int run_replay(const ReplayCommand& command);
// replay --against.
int run_comparison(const ReplayCommand& command);

struct CheckCommand {
  std::string file;    // definitions or a configuration; empty: the built-in definitions
  std::string config;  // a configuration; instead of `file`
  std::string use;     // the command that a configuration has to be good for; empty: any
  bool print = false;
  bool json = false;
};
int run_check(const CheckCommand& command);

struct LookCommand {
  std::string directory;
  std::string user;
  bool json = false;
  bool full = false;  // explain: all outputs, not only the moves that the page remembers
};
int run_profile(const LookCommand& command);
int run_explain(const LookCommand& command);

int run_dump(const std::string& directory);

struct AudienceCommand {
  std::string directory;
  std::vector<std::string> expressions;
  bool ids = false;
  bool csv = false;
  bool json = false;
};
int run_audience(const AudienceCommand& command);

struct VerifyCommand {
  std::string directory;
  bool quick = false;
  bool quiet = false;
};
int run_verify(const VerifyCommand& command);

// services/engine with the configuration of a file.
int run_engine(const std::string& configuration);

struct UpCommand {
  std::string directory;
  std::string config;  // empty: defaults and the environment
};
int run_up(const UpCommand& command);

// services/collector with the configuration of a file.
int run_collector(const std::string& configuration);

// The API without shards, with the configuration of a file.
int run_api(const std::string& configuration);

struct AuditCommand {
  std::string configuration;
  std::string state;  // directory of an instance that is stopped; empty: only the topics
  std::vector<int32_t> partitions;
  bool json = false;
};
int run_audit(const AuditCommand& command);

struct GenerateCommand {
  generate::GenerateOptions options;
  std::string out;  // "-": standard output
  double days = 120;
};
int run_generate(GenerateCommand command);

}  // namespace segue::program
