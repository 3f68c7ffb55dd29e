// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/output_records.h"

#include <array>
#include <cstdio>

namespace segue::kafka {
namespace {

void add(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(), static_cast<ssize_t>(value.size()));
}

std::string_view between(const std::string& text, size_t begin, size_t end) { return std::string_view(text).substr(begin, end - begin); }

}  // namespace

std::string time_text(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                                 static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<size_t>(size)};
}

OutputRecords::OutputRecords(std::string_view application, int32_t partition, std::string_view input_topic)
    : source_("/segue/" + std::string(application) + "/" + std::to_string(partition)),
      input_topic_(input_topic),
      partition_(std::to_string(partition)) {}

OutputRecord OutputRecords::transition(const pipeline::Outputs& outputs, size_t index) const {
  const auto& entry = outputs.transitions[index];
  const size_t line_begin = index == 0 ? 0 : outputs.transitions[index - 1].line_end;
  const size_t user_begin = index == 0 ? 0 : outputs.transitions[index - 1].user_id_end;
  OutputRecord record;
  record.key = between(outputs.user_ids, user_begin, entry.user_id_end);
  record.value = between(outputs.transition_lines, line_begin, entry.line_end - 1);  // without the newline
  std::string id(record.key);
  id += '#';
  id += std::to_string(entry.n);
  std::string type = "segue.";
  type += entry.type;
  record.headers.reset(rd_kafka_headers_new(7));
  rd_kafka_headers_t* headers = record.headers.get();
  add(headers, "ce_specversion", "1.0");
  add(headers, "ce_id", id);
  add(headers, "ce_source", source_);
  add(headers, "ce_type", type);
  add(headers, "ce_subject", record.key);
  add(headers, "ce_time", time_text(entry.at));
  add(headers, "content-type", "application/json");
  return record;
}

OutputRecord OutputRecords::dead_letter(const pipeline::Outputs& outputs, size_t index) const {
  const auto& entry = outputs.dead_letters[index];
  const size_t raw_begin = index == 0 ? 0 : outputs.dead_letters[index - 1].raw_end;
  const size_t key_begin = index == 0 ? 0 : outputs.dead_letters[index - 1].key_end;
  OutputRecord record;
  record.key = between(outputs.raw_keys, key_begin, entry.key_end);
  record.has_key = !record.key.empty();
  record.value = between(outputs.raw_records, raw_begin, entry.raw_end);
  record.headers.reset(rd_kafka_headers_new(5));
  rd_kafka_headers_t* headers = record.headers.get();
  add(headers, "segue_reason", event::name(entry.reason));
  add(headers, "segue_topic", input_topic_);
  add(headers, "segue_partition", partition_);
  add(headers, "segue_offset", std::to_string(entry.offset));
  if (record.value.size() > kLongestDeadLetter) {
    add(headers, "segue_cut", std::to_string(record.value.size()));
    record.value = record.value.substr(0, kLongestDeadLetter);
  }
  return record;
}

}  // namespace segue::kafka
