// SPDX-License-Identifier: Apache-2.0
#include "services/segue/live_api.h"

#include "lib/pipeline/version.h"
#include "services/api/dead_letters.h"
#include "services/segue/preview.h"

namespace segue::program {
namespace {

PreviewSource preview_source(live::LiveEngine& engine) {
  PreviewSource source{.state = engine.directory().path, .logs = engine.log_files(), .log_ends = {}};
  for (const std::string& path : source.logs) source.log_ends[path] = 0;
  for (const auto& status : engine.statuses()) source.log_ends[source.logs[static_cast<size_t>(status.partition)]] = status.log_end;
  return source;
}

}  // namespace

api::ApiOptions api_options(const config::ApiConfig& config) {
  api::ApiOptions options{.listen = config.listen, .tokens_file = config.tokens_file};
  options.certificate_file = config.certificate_file;
  options.key_file = config.key_file;
  options.console = config.console;
  options.instance_token_file = config.instance_token_file;
  options.ca_file = config.ca_file;
  return options;
}

api::Surroundings live_surroundings(filelog::FileSystem& files, live::LiveEngine& engine, intake::EventSink* sink, const std::string& instance) {
  api::Surroundings around{.directory = engine.places(), .feed = engine.feed()};
  around.mode = api::Mode::kEmbedded;
  around.instance = instance;
  around.version = pipeline::kProgramVersion;
  around.sink = sink;
  around.definitions = [&engine] { return engine.wanted(); };
  around.put_definitions = [&engine](auto definitions) { return engine.want(std::move(definitions)); };
  around.preview = [&engine](auto draft, api::PreviewProgress& progress) {
    return run_preview(preview_source(engine), engine.wanted(), std::move(draft), progress);
  };
  around.log_end = [&engine](int32_t partition) -> std::optional<uint64_t> {
    for (const auto& status : engine.statuses())
      if (status.partition == partition) return status.log_end;
    return std::nullopt;
  };
  around.dead_letters = [&files, &engine](int32_t partition, size_t limit, std::string_view reason) {
    const std::string name = engine.directory().shard_name(static_cast<size_t>(partition));
    return api::read_newest(files, engine.directory().path + "/dead-letters/" + name + ".ndjson", limit, reason);
  };
  return around;
}

}  // namespace segue::program
