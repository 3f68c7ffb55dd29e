// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "lib/telemetry/metric_page.h"

namespace segue::telemetry {
namespace {

// Fields of /proc/self/stat from the third on (proc(5)); the second, the name, may hold spaces and parentheses.
std::istringstream open_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');
  return std::istringstream(name_end == std::string::npos ? std::string() : line.substr(name_end + 1));
}

// When the machine was started, as a Unix time; 0 when unknown.
double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  for (double value = 0; file >> word;)
    if (word == "btime" && file >> value) return value;
  return 0;
}

}  // namespace

void add_process_metrics(MetricPage& page) {
  auto stat = open_stat();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::string skipped;
  double user = 0, system = 0, started = 0, virtual_bytes = 0, resident_pages = 0;
  for (int field = 3; field <= 13; ++field) stat >> skipped;
  stat >> user >> system;
  for (int field = 16; field <= 21; ++field) stat >> skipped;
  if (stat >> started >> virtual_bytes >> resident_pages) {
    page.add("process_cpu_seconds_total", (user + system) / ticks);
    page.add("process_virtual_memory_bytes", virtual_bytes);
    page.add("process_resident_memory_bytes", resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
    if (const double booted = boot_time(); booted > 0) page.add("process_start_time_seconds", booted + started / ticks);
  }
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (!error) {
    double open = -1;  // the iterator's own does not count
    for (; files != std::filesystem::directory_iterator(); files.increment(error)) ++open;
    page.add("process_open_fds", open);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) page.add("process_max_fds", static_cast<double>(limit.rlim_cur));
}

}  // namespace segue::telemetry
