// SPDX-License-Identifier: Apache-2.0
// What a page costs on its way to the disk and back: checkpoints of the most recently changed pages of a Zipf-like population, then random reads with
// a small block cache, then a scan. Prints one figure a line.
//   bench_rocks_checkpoint DIRECTORY [users] [pages a checkpoint] [checkpoints] [block cache MiB]
#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/base/hash.h"
#include "lib/rocks/rocks_store.h"

namespace {

using segue::rocks::RocksStore;

double seconds_of(const timespec& t) { return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec); }
double now(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return seconds_of(t);
}

struct Stopwatch {
  double wall = now(CLOCK_MONOTONIC), own = now(CLOCK_THREAD_CPUTIME_ID), all = now(CLOCK_PROCESS_CPUTIME_ID);
  double wall_us() const { return 1e6 * (now(CLOCK_MONOTONIC) - wall); }
  double own_us() const { return 1e6 * (now(CLOCK_THREAD_CPUTIME_ID) - own); }
  double background_us() const { return 1e6 * (now(CLOCK_PROCESS_CPUTIME_ID) - all) - own_us(); }
};

void expect(const segue::Result<>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

// Draws users with a density falling as 1/rank, which is near enough to Zipf(1.05) and needs no table.
class Users {
 public:
  explicit Users(uint32_t count) : count_(count) {}
  uint32_t draw() {
    const double u = static_cast<double>(random_()) / 18446744073709551616.0;
    return static_cast<uint32_t>(std::exp(u * std::log(static_cast<double>(count_)))) % count_;
  }
  std::mt19937_64& random() { return random_; }

 private:
  uint32_t count_;
  std::mt19937_64 random_{7};
};

std::string key_of(uint32_t user) {
  char id[16];
  std::snprintf(id, sizeof id, "u-%07u", user);
  const uint16_t group = segue::key_group(id);
  return std::string{'p', static_cast<char>(group >> 8), static_cast<char>(group)} + id;
}

// 350 bytes, two thirds random as the floats of a page are.
void fill(std::string& value, std::mt19937_64& random) {
  value.assign(350, '\0');
  for (size_t i = 0; i + 8 <= 232; i += 8) {
    const uint64_t word = random();
    value.replace(i, 8, reinterpret_cast<const char*>(&word), 8);
  }
}

void read_back(RocksStore& store, Users& users, const std::vector<std::string>& keys, size_t batch) {
  const size_t reads = 200'000;
  std::vector<std::string_view> wanted(batch);
  const auto before = store.statistics();
  Stopwatch watch;
  size_t found = 0;
  for (size_t done = 0; done < reads; done += batch) {
    for (auto& key : wanted) key = keys[users.random()() % keys.size()];
    expect(store.load(wanted, [&](size_t, std::optional<std::string_view> value) { found += value.has_value(); }));
  }
  const auto after = store.statistics();
  const double hits = static_cast<double>(after.block_cache_hits - before.block_cache_hits);
  const double misses = static_cast<double>(after.block_cache_misses - before.block_cache_misses);
  std::printf("load of %4zu uniform keys: %.2f us/key (cpu %.2f), %.0f %% found, block cache hits %.0f %%\n", batch, watch.wall_us() / reads,
              watch.own_us() / reads, 100.0 * static_cast<double>(found) / reads, 100 * hits / (hits + misses));
}

struct Job {
  uint32_t users, pages, checkpoints;
  // The first checkpoints bring every user once; the others are drawn.
  uint32_t initial() const { return (users + pages - 1) / pages; }
  uint32_t all() const { return initial() + checkpoints; }
};

struct Costs {
  double put_us = 0, install_us = 0, wait_us = 0, pages = 0, bytes = 0;
};

void pause_ms(long ms) {
  const timespec pause{0, ms * 1'000'000};
  nanosleep(&pause, nullptr);
}

void write_checkpoint(RocksStore& store, const std::vector<std::string>& keys, const std::vector<std::pair<uint32_t, std::string>>& changed,
                      Costs& costs) {
  Stopwatch put;
  for (const auto& [user, page] : changed) store.put(keys[user], page);
  costs.put_us += put.own_us();
  for (const auto& [user, page] : changed) costs.bytes += static_cast<double>(keys[user].size() + page.size());
  costs.pages += static_cast<double>(changed.size());
  Stopwatch wait;
  store.seal();
  for (bool done = false; !done; pause_ms(1)) {
    const auto written = store.written();
    if (!written) expect(tl::unexpected(written.error()));
    done = *written;
  }
  costs.wait_us += wait.wall_us();
  Stopwatch install;
  expect(store.install());
  costs.install_us += install.own_us();
}

Costs write_all(RocksStore& store, Users& users, const std::vector<std::string>& keys, const Job& job) {
  Costs costs;
  for (uint32_t checkpoint = 0; checkpoint < job.all(); ++checkpoint) {
    std::unordered_set<uint32_t> chosen;
    const bool first = checkpoint < job.initial();
    while (!first && chosen.size() < job.pages) chosen.insert(users.draw());
    for (uint32_t i = 0; first && i < job.pages && checkpoint * job.pages + i < job.users; ++i) chosen.insert(checkpoint * job.pages + i);
    std::vector<std::pair<uint32_t, std::string>> changed;
    for (const uint32_t user : chosen) fill(changed.emplace_back(user, "").second, users.random());
    write_checkpoint(store, keys, changed, costs);
  }
  // Until nothing is left to merge.
  for (int still = 0; still < 10; store.statistics().pending_compaction_bytes == 0 ? ++still : still = 0) pause_ms(20);
  return costs;
}

void report(const Job& job, const Costs& costs, double background_us, const segue::rocks::StoreStatistics& figures) {
  std::printf("%u users, %u checkpoints of %u pages\n", job.users, job.all(), job.pages);
  std::printf("foreground: put %.3f us/page, install %.3f us/page (%.1f ms each)\n", costs.put_us / costs.pages, costs.install_us / costs.pages,
              1e-3 * costs.install_us / job.all());
  std::printf("seal to written: %.1f ms each\n", 1e-3 * costs.wait_us / job.all());
  std::printf("background: %.2f us cpu/page\n", background_us / costs.pages);
  std::printf("write amplification %.2f, live %.0f MB, table readers %.1f MB, level 0 files %llu\n",
              static_cast<double>(figures.bytes_written) / costs.bytes, 1e-6 * static_cast<double>(figures.live_sst_bytes),
              1e-6 * static_cast<double>(figures.table_reader_bytes), static_cast<unsigned long long>(figures.level0_files));
}

void scan_back(RocksStore& store) {
  Stopwatch scan;
  size_t seen = 0, sum = 0;
  expect(store.scan("p", [&](std::string_view, std::string_view page) -> segue::Result<> {
    ++seen, sum += static_cast<uint8_t>(page[0]);
    return {};
  }));
  const double pages = static_cast<double>(seen);
  std::printf("scan: %.3f us/page wall, %.3f cpu, %zu pages (%zu)\n", scan.wall_us() / pages, scan.own_us() / pages, seen, sum % 10);
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, uint32_t fallback) { return argc > i ? static_cast<uint32_t>(std::atoll(argv[i])) : fallback; };
  segue::rocks::RocksOptions options;
  options.path = argc > 1 ? argv[1] : (std::filesystem::temp_directory_path() / "segue_bench_rocks").string();
  const Job job{argument(2, 1'000'000), argument(3, 200'000), argument(4, 20)};
  options.block_cache_bytes = size_t{argument(5, 32)} << 20;
  std::filesystem::remove_all(options.path);
  auto opened = RocksStore::open(options);
  if (!opened) expect(tl::unexpected(opened.error()));
  RocksStore& store = **opened;

  Users users(job.users);
  std::vector<std::string> keys(job.users);
  for (uint32_t i = 0; i < job.users; ++i) keys[i] = key_of(i);
  Stopwatch whole;
  const Costs costs = write_all(store, users, keys, job);
  report(job, costs, whole.background_us(), store.statistics());
  for (const size_t batch : {256, 1024, 4096}) read_back(store, users, keys, batch);
  scan_back(store);
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory %.0f MB\n", 1e-3 * static_cast<double>(usage.ru_maxrss));
  opened->reset();
  std::filesystem::remove_all(options.path);
}
