// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

// The process's log: one line an event, a fixed message and typed fields. Thread-safe; a line is written as a whole. No user ids, no secrets and no
// bytes of records go into it.
//
//   log::info("partition taken over", {{"partition", 3}, {"reason", "rebalance"}});
//   2026-01-02T03:04:05.678Z INFO partition taken over partition=3 reason=rebalance
//   {"time":"2026-01-02T03:04:05.678Z","level":"info","message":"partition taken over","partition":3,"reason":"rebalance"}
namespace segue::telemetry::log {

enum class Level : uint8_t { kDebug, kInfo, kWarn, kError };
enum class Format : uint8_t { kText, kJson };

// "debug", "info", "warn", "error"; "text", "json": as in segue.yaml.
std::optional<Level> parse_level(std::string_view name);
std::optional<Format> parse_format(std::string_view name);

using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

// A field's name is fixed, in lower case; a raw number's ends in its unit. The text of a value must live until the call returns.
struct Field {
  template <class T>
  Field(std::string_view field_name, const T& field_value) : name(field_name), value(value_of(field_value)) {}

  std::string_view name;
  Value value;

 private:
  template <class T>
  static Value value_of(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      return value;
    } else if constexpr (std::signed_integral<T>) {
      return static_cast<int64_t>(value);
    } else if constexpr (std::unsigned_integral<T>) {
      return static_cast<uint64_t>(value);
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(value);
    } else {
      return std::string_view(value);
    }
  }
};
using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kText;
  std::FILE* out = stderr;
};

// Until then: text from info on, to standard error. Once, before other threads log.
void configure(const Options& options);
// At any time.
void set_level(Level level);
bool is_on(Level level);

void write(Level level, std::string_view message, std::span<const Field> fields);
inline void debug(std::string_view message, Fields fields = {}) { write(Level::kDebug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(Level::kInfo, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(Level::kWarn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::kError, message, fields); }

// Lets a line through once an interval, for what repeats while a fault lasts: a broker that is away. Lines are the same when message and fields are.
// The next one that gets through says how many did not, as the field `suppressed`. Thread-safe. Remembers 256 lines; of more, the one that was
// written longest ago is forgotten, and comes through again.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Throttle(Clock::duration interval) : interval_(interval) {}

  // True when the line was written.
  bool write(Level level, std::string_view message, Fields fields = {}, Clock::time_point now = Clock::now());
  bool info(std::string_view message, Fields fields = {}) { return write(Level::kInfo, message, fields); }
  bool warn(std::string_view message, Fields fields = {}) { return write(Level::kWarn, message, fields); }
  bool error(std::string_view message, Fields fields = {}) { return write(Level::kError, message, fields); }

 private:
  struct Line {
    Clock::time_point written;
    uint64_t suppressed = 0;
  };

  const Clock::duration interval_;
  std::mutex mutex_;
  std::map<std::string, Line, std::less<>> lines_;
};

}  // namespace segue::telemetry::log
