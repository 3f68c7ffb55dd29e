// SPDX-License-Identifier: Apache-2.0
// Counts and similar users over a million users, each beside its limit: CRoaring's AND over whole bitmaps; reading the vectors' memory once.
#include <benchmark/benchmark.h>
#include <roaring/roaring.h>

#include <numeric>
#include <random>

#include "lib/audience/expression.h"
#include "lib/audience/vectors.h"
#include "lib/base/hash.h"

namespace segue::audience {
namespace {

constexpr UserNumber kUsers = 1'000'000;

const segment::Definitions& shop() {
  static const segment::Definitions definitions = *segment::Definitions::parse(segment::default_definitions(), "default");
  return definitions;
}

uint64_t draw(UserNumber user, uint64_t salt) { return hash64(std::to_string(user * 31 + salt)); }

// Five stages, two plain tags, three of 200 categories each.
const Index& index() {
  static const Index kMade = [] {
    Index made(shop());
    uint16_t top = 0, plain = 0;
    for (uint16_t i = 0; i < shop().definitions().size(); ++i) (shop().definition(i).kind == segment::DefinitionKind::kTopTags ? top : plain) = i;
    for (UserNumber user = 0; user < kUsers; ++user) {
      made.add_user(user, static_cast<uint8_t>(draw(user, 1) % 5));
      if (draw(user, 2) % 3 == 0) made.apply(user, {.kind = segment::ChangeKind::kTagged, .index = plain});
      for (uint64_t i = 0; i < 3; ++i)
        made.apply(user, {.kind = segment::ChangeKind::kTagged, .index = top, .key = "cat:c-" + std::to_string(draw(user, 3 + i) % 200)});
    }
    return made;
  }();
  return kMade;
}

void count_of(benchmark::State& state, const char* text) {
  const auto expression = Expression::parse(text, shop());
  const Index& made = index();
  uint64_t users = 0;
  for (auto _ : state) benchmark::DoNotOptimize(users = count(made, *expression));
  state.counters["users"] = static_cast<double>(users);
}
BENCHMARK_CAPTURE(count_of, two, "stage:lapsed and tag:cart-abandoner")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(count_of, seven,
                  "(stage:lapsed or stage:buyer) and tag:cart-abandoner and not (tag:cat:c-1 or tag:cat:c-2 or tag:cat:c-3) or tag:cat:c-4")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(count_of, any_key, "not tag:cat:* or stage:new")->Unit(benchmark::kMicrosecond);

// The limit of `two`.
void croaring_and(benchmark::State& state) {
  roaring_bitmap_t *a = roaring_bitmap_create(), *b = roaring_bitmap_create();
  for (UserNumber user = 0; user < kUsers; ++user) {
    if (draw(user, 1) % 5 == 4) roaring_bitmap_add(a, user);
    if (draw(user, 2) % 3 == 0) roaring_bitmap_add(b, user);
  }
  for (auto _ : state) benchmark::DoNotOptimize(roaring_bitmap_and_cardinality(a, b));
  roaring_bitmap_free(a);
  roaring_bitmap_free(b);
}
BENCHMARK(croaring_and)->Unit(benchmark::kMicrosecond);

void one_change(benchmark::State& state) {
  Index made(shop());
  for (UserNumber user = 0; user < kUsers; ++user) made.add_user(user, 0);
  uint64_t n = 0;
  for (auto _ : state) {
    const auto user = static_cast<UserNumber>(n * 7919 % kUsers);
    const auto from = static_cast<uint8_t>(n / kUsers % 2);
    made.apply(user, {.kind = segment::ChangeKind::kMoved, .from = from, .to = static_cast<uint8_t>(1 - from)});
    ++n;
  }
}
BENCHMARK(one_change);

void similar(benchmark::State& state) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Vectors vectors;
  InterestVector vector;
  for (UserNumber user = 0; user < kUsers; ++user) {
    for (float& x : vector) x = normal(random);
    vectors.set(user, vector);
  }
  for (auto _ : state) {
    SimilarSearch search(vector, 200, kUsers - 1);
    for (UserNumber from = 0; from != kNoUser;) from = search.scan(vectors, from, kChunkUsers);
    benchmark::DoNotOptimize(search.candidates());
  }
}
BENCHMARK(similar)->Unit(benchmark::kMillisecond);

// The limit of `similar`.
void read_the_bytes(benchmark::State& state) {
  const std::vector<uint64_t> bytes(kUsers * 68 / sizeof(uint64_t), 3);
  for (auto _ : state) benchmark::DoNotOptimize(std::accumulate(bytes.begin(), bytes.end(), uint64_t{0}));
}
BENCHMARK(read_the_bytes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace segue::audience

BENCHMARK_MAIN();
