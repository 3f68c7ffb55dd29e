// SPDX-License-Identifier: Apache-2.0
#include "lib/telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <iterator>
#include <memory>
#include <vector>

namespace segue::telemetry::log {
namespace {

constexpr size_t kMaxThrottledLines = 256;
constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> kUpperLevelNames = {"DEBUG", "INFO", "WARN", "ERROR"};
constexpr std::array kSpdlogLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};

template <size_t N>
std::optional<size_t> find_name(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<size_t>(found - names.begin()));
}

// ---- text of a line

// Bytes of the valid UTF-8 sequence at the start of the text; 0 when there is none.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool beyond = (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf4 && byte(1) > 0x8f);
  return overlong || beyond ? 0 : length;
}

// With JSON's escapes: whatever a value holds, the line stays one line of UTF-8, and a terminal gets no control characters.
void append_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xef\xbf\xbd";  // the replacement character
    } else if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      out.append("\\u00").append(1, kHex[static_cast<uint8_t>(c) >> 4]).append(1, kHex[c & 15]);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

// A word that can stand in text as it is.
bool is_plain(std::string_view text) {
  const auto plain = [](char c) { return static_cast<uint8_t>(c) > 0x20 && static_cast<uint8_t>(c) < 0x7f && c != '"' && c != '=' && c != '\\'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), plain);
}

struct ValueWriter {
  std::string& out;
  bool json = false;

  template <class Number>
  void append_number(Number number) {
    std::array<char, 32> digits{};
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), result.ptr);
  }
  void operator()(std::string_view text) {
    if (!json && is_plain(text)) {
      out += text;
    } else {
      append_quoted(out, text);
    }
  }
  void operator()(int64_t number) { append_number(number); }
  void operator()(uint64_t number) { append_number(number); }
  void operator()(double number) {
    // JSON has no word for these.
    if (json && !std::isfinite(number)) return (*this)(std::string_view(std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"));
    append_number(number);
  }
  void operator()(bool value) { out += value ? "true" : "false"; }
};

std::string rendered(Format format, std::string_view message, std::span<const Field> fields) {
  std::string out;
  out.reserve(message.size() + 32 * fields.size() + 16);
  if (format == Format::kText) {
    append_escaped(out, message);
    for (const Field& field : fields) {
      out.append(1, ' ').append(field.name).append(1, '=');
      std::visit(ValueWriter{out, false}, field.value);
    }
    return out;
  }
  append_quoted(out, message);
  for (const Field& field : fields) {
    out += ',';
    append_quoted(out, field.name);
    out += ':';
    std::visit(ValueWriter{out, true}, field.value);
  }
  return out;
}

// ---- the process's logger

// "%*" of the pattern: the level in capitals.
class UpperCaseLevel final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& line, const std::tm&, spdlog::memory_buf_t& out) override {
    const auto found = std::find(kSpdlogLevels.begin(), kSpdlogLevels.end(), line.level);
    const std::string_view name = kUpperLevelNames[static_cast<size_t>(found - kSpdlogLevels.begin()) % kUpperLevelNames.size()];
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<UpperCaseLevel>(); }
};

// "%~": as in segue.yaml; spdlog says "warning".
class LowerCaseLevel final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& line, const std::tm&, spdlog::memory_buf_t& out) override {
    const auto found = std::find(kSpdlogLevels.begin(), kSpdlogLevels.end(), line.level);
    const std::string_view name = kLevelNames[static_cast<size_t>(found - kSpdlogLevels.begin()) % kLevelNames.size()];
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LowerCaseLevel>(); }
};

struct ProcessLog {
  explicit ProcessLog(const Options& options) : format(options.format) {
    auto sink = std::make_shared<spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex>>(options.out);
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
    formatter->add_flag<UpperCaseLevel>('*').add_flag<LowerCaseLevel>('~');
    formatter->set_pattern(format == Format::kText ? "%Y-%m-%dT%H:%M:%S.%eZ %* %v" : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%~","message":%v})");
    sink->set_formatter(std::move(formatter));
    logger = std::make_unique<spdlog::logger>("segue", std::move(sink));
    logger->set_level(kSpdlogLevels[static_cast<size_t>(options.level)]);
  }

  Format format;
  std::unique_ptr<spdlog::logger> logger;
  ProcessLog* replaced = nullptr;  // by this one: kept in reach
};

// Never destroyed: a thread may log while the process ends. What configure() replaces stays too, for a thread that is within a line.
ProcessLog& process_log(const Options* options = nullptr) {
  static std::atomic<ProcessLog*> current = new ProcessLog(Options{});
  if (options != nullptr) {
    auto* made = new ProcessLog(*options);
    made->replaced = current.exchange(made);
  }
  return *current;
}

}  // namespace

std::optional<Level> parse_level(std::string_view name) {
  const auto index = find_name(kLevelNames, name);
  return index ? std::optional(static_cast<Level>(*index)) : std::nullopt;
}

std::optional<Format> parse_format(std::string_view name) {
  const auto index = find_name(std::array<std::string_view, 2>{"text", "json"}, name);
  return index ? std::optional(static_cast<Format>(*index)) : std::nullopt;
}

void configure(const Options& options) { process_log(&options); }

void set_level(Level level) { process_log().logger->set_level(kSpdlogLevels[static_cast<size_t>(level)]); }

bool is_on(Level level) { return process_log().logger->should_log(kSpdlogLevels[static_cast<size_t>(level)]); }

void write(Level level, std::string_view message, std::span<const Field> fields) {
  const ProcessLog& log = process_log();
  const auto spdlog_level = kSpdlogLevels[static_cast<size_t>(level)];
  if (!log.logger->should_log(spdlog_level)) return;
  const std::string text = rendered(log.format, message, fields);
  log.logger->log(spdlog_level, spdlog::string_view_t(text.data(), text.size()));
}

bool Throttle::write(Level level, std::string_view message, Fields fields, Clock::time_point now) {
  if (!is_on(level)) return false;
  std::vector<Field> all(fields);
  {
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = lines_.try_emplace(rendered(Format::kText, message, all), Line{now});
    if (!is_new && now - entry->second.written < interval_) {
      ++entry->second.suppressed;
      return false;
    }
    if (entry->second.suppressed > 0) all.emplace_back("suppressed", entry->second.suppressed);
    entry->second = {now};
    if (lines_.size() > kMaxThrottledLines)
      lines_.erase(std::min_element(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) { return a.second.written < b.second.written; }));
  }
  log::write(level, message, all);
  return true;
}

}  // namespace segue::telemetry::log
