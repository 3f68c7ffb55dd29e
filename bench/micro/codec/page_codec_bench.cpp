// SPDX-License-Identifier: Apache-2.0
// Encoding and decoding of one page: of an average user of the reference job (five events), and of one whose every list has entries.
#include <benchmark/benchmark.h>

#include <string>

#include "lib/codec/page_codec.h"
#include "tests/unit/codec/page_samples.h"

namespace segue::codec {
namespace {

void encode(benchmark::State& state, const profile::Profile& profile) {
  const profile::Plan plan = samples::make_plan();
  std::string page;
  for (auto _ : state) {
    page.clear();
    encode_page(profile, 1, plan, page);
    benchmark::DoNotOptimize(page.data());
  }
  state.counters["page_bytes"] = static_cast<double>(page.size());
}

void decode(benchmark::State& state, const profile::Profile& profile) {
  const profile::Plan plan = samples::make_plan();
  std::string page;
  encode_page(profile, 1, plan, page);
  profile::Profile into;
  for (auto _ : state) {
    if (!decode_page(page, plan, into)) state.SkipWithError("page is refused");
    benchmark::DoNotOptimize(into);
  }
}

void encode_average(benchmark::State& state) { encode(state, samples::make_average_profile()); }
void decode_average(benchmark::State& state) { decode(state, samples::make_average_profile()); }
void encode_full(benchmark::State& state) { encode(state, samples::make_profile()); }
void decode_full(benchmark::State& state) { decode(state, samples::make_profile()); }

void read_header(benchmark::State& state) {
  std::string page;
  encode_page(samples::make_average_profile(), 1, samples::make_plan(), page);
  for (auto _ : state) {
    benchmark::DoNotOptimize(page.data());
    benchmark::DoNotOptimize(read_page_header(page)->deadline);
  }
}

BENCHMARK(encode_average);
BENCHMARK(decode_average);
BENCHMARK(encode_full);
BENCHMARK(decode_full);
BENCHMARK(read_header);

}  // namespace
}  // namespace segue::codec

BENCHMARK_MAIN();
