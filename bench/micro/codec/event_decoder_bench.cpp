// SPDX-License-Identifier: Apache-2.0
// Decoding the reference job's records, beside the limit: simdjson's on-demand parser going once over the same lines, looking at the first byte of
// each name and checking nothing. Times are CPU ns a record.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lib/codec/event_decoder.h"
#include "lib/codec/event_json.h"
#include "lib/codec/event_protobuf.h"
#include "services/tools/generate/generate.h"

namespace segue::codec {
namespace {

struct Lines {
  std::string text;  // with padding
  std::vector<std::string_view> lines;
  size_t size = 0;
};

const Lines& lines() {
  static const Lines kLines = [] {
    Lines made;
    generate::GenerateOptions options;
    options.events = 50'000;
    generate::Generator generator(options);
    while (generator.append_line(made.text)) {
    }
    made.size = made.text.size();
    made.text.append(EventDecoder::kPadding, '\0');
    for (size_t begin = 0, end; begin < made.size; begin = end + 1) {
      end = made.text.find('\n', begin);
      made.lines.emplace_back(made.text.data() + begin, end - begin);
    }
    return made;
  }();
  return kLines;
}

void report(benchmark::State& state, size_t records) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(records));
  state.counters["ns_per_record"] =
      benchmark::Counter(static_cast<double>(records) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void decode_lines_alone(benchmark::State& state) {
  EventDecoder decoder;
  Arena arena;
  event::Event event;
  for (auto _ : state)
    for (const std::string_view line : lines().lines) benchmark::DoNotOptimize(decoder.decode(line, kNoTime, arena, event));
  report(state, lines().lines.size());
}
BENCHMARK(decode_lines_alone)->Unit(benchmark::kMillisecond);

void decode_lines_indexed_together(benchmark::State& state) {
  const auto block_bytes = static_cast<size_t>(state.range(0));
  EventDecoder decoder;
  Arena arena;
  event::Event event;
  for (auto _ : state) {
    const char* indexed = lines().text.data();
    for (const std::string_view line : lines().lines) {
      if (line.data() >= indexed) {
        const auto begin = static_cast<size_t>(line.data() - lines().text.data());
        const size_t end = lines().text.rfind('\n', std::min(begin + block_bytes, lines().size) - 1) + 1;
        decoder.index_lines(std::string_view(lines().text).substr(begin, end - begin));
        indexed = lines().text.data() + end;
      }
      benchmark::DoNotOptimize(decoder.decode(line, kNoTime, arena, event));
    }
  }
  report(state, lines().lines.size());
}
BENCHMARK(decode_lines_indexed_together)->Arg(16 << 10)->Arg(64 << 10)->Arg(256 << 10)->Unit(benchmark::kMillisecond);

// The limit. Any real use of the fields comes on top.
void simdjson_one_pass(benchmark::State& state) {
  simdjson::ondemand::parser parser;
  const auto look = [](simdjson::ondemand::field field) {
    simdjson::ondemand::value value = field.value();
    double number = 0;
    std::string_view text;
    int64_t whole = 0;
    switch (const char* name = field.key().raw(); *name) {
      case 'p':
        benchmark::DoNotOptimize(value.get_double().get(number));
        break;
      case 't':
        if (name[1] == 's')
          benchmark::DoNotOptimize(value.get_int64().get(whole));
        else
          benchmark::DoNotOptimize(value.get_string().get(text));
        break;
      case 'q':
        if (name[2] == 'a')
          benchmark::DoNotOptimize(value.get_int64().get(whole));
        else
          benchmark::DoNotOptimize(value.get_string().get(text));
        break;
      default:
        benchmark::DoNotOptimize(value.get_string().get(text));
    }
  };
  for (auto _ : state)
    for (const std::string_view line : lines().lines) {
      simdjson::ondemand::document document;
      simdjson::ondemand::object object;
      if (parser.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING).get(document)) continue;
      if (document.get_object().get(object)) continue;
      for (auto field : object) {
        if (field.error()) break;
        look(field.value_unsafe());
      }
    }
  report(state, lines().lines.size());
}
BENCHMARK(simdjson_one_pass)->Unit(benchmark::kMillisecond);

// What no parser that uses simdjson can do without: finding the tokens.
void tokens_only(benchmark::State& state) {
  JsonIndex index;
  for (auto _ : state)
    for (const std::string_view line : lines().lines) benchmark::DoNotOptimize(index.build(line));
  report(state, lines().lines.size());
}
BENCHMARK(tokens_only)->Unit(benchmark::kMillisecond);

void decode_protobuf(benchmark::State& state) {
  EventDecoder decoder;
  EventProtobufDecoder protobuf_decoder;
  Arena arena;
  event::Event event;
  std::vector<std::string> messages;
  for (const std::string_view line : lines().lines)
    if (!decoder.decode(line, kNoTime, arena, event)) append_protobuf(event, messages.emplace_back());
  for (auto _ : state) {
    arena.clear();
    for (const std::string& message : messages) benchmark::DoNotOptimize(protobuf_decoder.decode(message, kNoTime, arena, event));
  }
  report(state, messages.size());
}
BENCHMARK(decode_protobuf)->Unit(benchmark::kMillisecond);

void write_json(benchmark::State& state) {
  EventDecoder decoder;
  Arena arena;
  std::vector<event::Event> events;
  for (const std::string_view line : lines().lines)
    if (event::Event event; !decoder.decode(line, kNoTime, arena, event)) events.push_back(event);
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (const event::Event& event : events) append_json(event, out);
    benchmark::DoNotOptimize(out.data());
  }
  report(state, events.size());
}
BENCHMARK(write_json)->Unit(benchmark::kMillisecond);

void generate_lines(benchmark::State& state) {
  generate::GenerateOptions options;
  options.events = ~uint64_t{0} >> 24;
  options.users = 100'000;
  generate::Generator generator(options);
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (int i = 0; i < 1000; ++i) generator.append_line(out);
    benchmark::DoNotOptimize(out.data());
  }
  report(state, 1000);
}
BENCHMARK(generate_lines)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::codec

BENCHMARK_MAIN();
