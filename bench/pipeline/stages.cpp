// SPDX-License-Identifier: Apache-2.0
// How fast each stage of a replay is by itself, on one thread, over one log: what the whole replay is held against.
//   stages LOG [--definitions FILE]
// Prints one line a stage: name, events, seconds, events/s.
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "lib/filelog/log_reader.h"
#include "lib/filelog/posix_file_system.h"
#include "lib/pipeline/shard_pipeline.h"
#include "services/replay/log_run.h"

namespace segue {
namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }
  // Of the whole process: what a busy machine cannot stretch.
  double cpu_seconds() const { return static_cast<double>(std::clock() - cpu_begin_) / CLOCKS_PER_SEC; }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::clock_t cpu_begin_ = std::clock();
};

void report(const char* stage, uint64_t events, const Stopwatch& watch) {
  const auto count = static_cast<double>(events);
  std::printf("%-10s %10llu events %8.3f s %10.0f events/s %7.1f ns/event %7.1f CPU ns/event\n", stage, static_cast<unsigned long long>(events),
              watch.seconds(), count / watch.seconds(), watch.seconds() * 1e9 / count, watch.cpu_seconds() * 1e9 / count);
}

// A store and a commit log that keep nothing.
class NoStore final : public pipeline::Store {
 public:
  Result<> load(std::span<const std::string_view> keys, const Found& found) override {
    for (size_t i = 0; i < keys.size(); ++i) found(i, std::nullopt);
    return {};
  }
  Result<> scan(std::string_view, const Visit&) override { return {}; }
  void put(std::string_view, std::string_view) override {}
  void remove(std::string_view) override {}
  size_t collected_bytes() const override { return 0; }
  void seal() override {}
  Result<bool> written() override { return true; }
  Result<> install() override { return {}; }
};
class NoCommits final : public pipeline::CommitPort {
 public:
  Result<> for_each_since(uint64_t, uint64_t, const Visit&) override { return {}; }
  Result<> submit(pipeline::Commit& commit) override {
    commit.outputs.clear();
    return {};
  }
  Result<bool> settled() override { return true; }
  Result<> wait() override { return {}; }
  uint64_t journal_hint() const override { return 0; }
};

template <class Use>
uint64_t read_chunks(const std::string& path, const Use& use) {
  filelog::PosixFileSystem files;
  auto reader = filelog::LogReader::open(files, {path}, Position{});
  if (!reader) std::fprintf(stderr, "%s\n", reader.error().message.c_str()), std::exit(1);
  filelog::Chunk chunk;
  uint64_t lines = 0;
  do {
    if (auto read = (*reader)->next(chunk); !read) std::fprintf(stderr, "%s\n", read.error().message.c_str()), std::exit(1);
    lines += chunk.lines.size();
    use(chunk);
  } while (!chunk.last);
  return lines;
}

// One pass over each line with simdjson's on-demand parser, as its documentation shows it: every field is looked at, none is kept.
void parse_plainly(const filelog::Chunk& chunk, simdjson::ondemand::parser& parser, uint64_t& checksum) {
  for (size_t i = 0; i < chunk.lines.size(); ++i) {
    const std::string_view line = chunk.line(i);
    simdjson::ondemand::document document;
    if (parser.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING).get(document)) continue;
    simdjson::ondemand::object object;
    if (document.get_object().get(object)) continue;
    for (auto field : object) {
      simdjson::ondemand::raw_json_string key;
      simdjson::ondemand::value value;
      if (field.key().get(key) || field.value().get(value)) break;
      simdjson::ondemand::json_type type;
      if (value.type().get(type)) break;
      std::string_view text;
      double number = 0;
      if (type == simdjson::ondemand::json_type::string && !value.get_string().get(text)) checksum += text.size();
      if (type == simdjson::ondemand::json_type::number && !value.get_double().get(number)) checksum += static_cast<uint64_t>(number);
    }
  }
}

int run(const std::string& log, const std::string& yaml) {
  Stopwatch read_watch;
  const uint64_t lines = read_chunks(log, [](const filelog::Chunk&) {});
  report("read", lines, read_watch);

  simdjson::ondemand::parser parser;
  uint64_t checksum = 0;
  Stopwatch parse_watch;
  read_chunks(log, [&](const filelog::Chunk& chunk) { parse_plainly(chunk, parser, checksum); });
  report("simdjson", lines, parse_watch);

  codec::EventDecoder decoder;
  Arena arena;
  pipeline::DecodedChunk decoded;
  decoded.shares.resize(1);
  Stopwatch decode_watch;
  read_chunks(log, [&](const filelog::Chunk& chunk) {
    arena.clear();
    replay::decode_chunk(chunk, decoder, arena, decoded);
    checksum += decoded.records.size();
  });
  report("decode", lines, decode_watch);

  auto parsed = segment::Definitions::parse(yaml, "definitions");
  if (!parsed) return std::fprintf(stderr, "%s\n", segment::to_string(parsed.error()).c_str()), 1;
  NoStore store;
  NoCommits commits;
  pipeline::ShardPipeline::Options options;
  options.partition = "log";
  options.cache_profiles = SIZE_MAX / 2;
  options.checkpoint_events = UINT64_MAX;
  options.dirty_profiles = SIZE_MAX;
  pipeline::ShardPipeline pipeline(options, {std::make_shared<const segment::Definitions>(std::move(*parsed)), {}, {}}, store);
  if (!pipeline.recover() || !pipeline.own(commits)) return 1;
  Stopwatch memory_watch;
  read_chunks(log, [&](const filelog::Chunk& chunk) {
    arena.clear();
    replay::decode_chunk(chunk, decoder, arena, decoded);
    if (auto taken = pipeline.take_all(decoded); !taken) std::fprintf(stderr, "%s\n", taken.error().message.c_str()), std::exit(1);
  });
  report("memory", lines, memory_watch);
  std::printf("%-10s %10zu users %10.1f bytes/user of map and timers; checksum %llu\n", "users", pipeline.shard().users(),
              static_cast<double>(pipeline.shard().memory_bytes()) / static_cast<double>(std::max<size_t>(1, pipeline.shard().users())),
              static_cast<unsigned long long>(checksum));
  return 0;
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: stages LOG [--definitions FILE]\n"), 2;
  std::string yaml(segue::segment::default_definitions());
  if (argc == 4) {
    std::ifstream file(argv[3]);
    yaml.assign(std::istreambuf_iterator<char>(file), {});
  }
  return segue::run(argv[1], yaml);
}
