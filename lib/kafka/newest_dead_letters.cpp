// SPDX-License-Identifier: Apache-2.0
#include "lib/kafka/newest_dead_letters.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "lib/codec/output_json.h"

namespace segue::kafka {
namespace {

// What a letter costs besides its bytes.
constexpr size_t kOverhead = 160;
constexpr size_t kLongestTopic = 249;  // Kafka's limit

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return number;
}

bool is_topic(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kLongestTopic && std::all_of(text.begin(), text.end(), allowed);
}

// Not within a character, so that what was UTF-8 is so still.
std::string_view beginning(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  for (size_t back = 0; back < 4 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80; ++back) --most;
  return text.substr(0, most);
}

size_t cost(size_t raw, size_t topic) { return kOverhead + raw + topic; }

}  // namespace

void NewestDeadLetters::open(const std::map<int32_t, uint64_t>& places) {
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, place] : places) partitions_[partition] = {};
}

void NewestDeadLetters::take(int32_t partition, std::span<const Record> records, uint64_t /*position*/) {
  for (const Record& record : records) {
    const auto text = [&](const char* name) { return find_header(record, name).value_or(std::string_view()); };
    add(partition, {text("segue_reason"), text("segue_topic"), text("segue_partition"), text("segue_offset"), text("segue_cut")}, record.value);
  }
}

bool NewestDeadLetters::add(int32_t partition, const DeadLetterHeaders& headers, std::string_view raw) {
  const auto reason = std::find(event::kRejectReasonNames.begin(), event::kRejectReasonNames.end(), headers.reason);
  const auto source = number_of<int32_t>(headers.partition);
  const auto offset = number_of<uint64_t>(headers.offset);
  const auto cut = headers.cut.empty() ? std::optional<uint64_t>(0) : number_of<uint64_t>(headers.cut);
  if (reason == event::kRejectReasonNames.end() || !source || !offset || !cut || !is_topic(headers.topic)) return false;
  Letter letter{0, std::string(headers.topic), *source, *offset, *cut, std::string(beginning(raw, kRaw))};
  if (letter.bytes == 0 && letter.raw.size() < raw.size()) letter.bytes = raw.size();
  const std::lock_guard lock(mutex_);
  letter.number = ++number_;
  Partition& kept = partitions_[partition];
  kept.bytes += cost(letter.raw.size(), letter.topic.size());
  kept.by_reason[static_cast<size_t>(reason - event::kRejectReasonNames.begin())].push_back(std::move(letter));
  make_room(kept);
  return true;
}

// The oldest of the reason that has most go first: a flood of one does not wash the others away.
void NewestDeadLetters::make_room(Partition& partition) const {
  const auto drop = [&](Letters& letters) {
    partition.bytes -= cost(letters.front().raw.size(), letters.front().topic.size());
    letters.pop_front();
  };
  for (Letters& letters : partition.by_reason)
    if (letters.size() > kMostOfReason) drop(letters);
  const auto fewer = [](const Letters& a, const Letters& b) { return a.size() < b.size(); };
  while (partition.bytes > kBytes / partitions_.size()) {
    Letters& most = *std::max_element(partition.by_reason.begin(), partition.by_reason.end(), fewer);
    if (most.size() <= 1) return;
    drop(most);
  }
}

std::vector<std::string> NewestDeadLetters::newest(int32_t partition, size_t limit, std::string_view reason) const {
  const std::lock_guard lock(mutex_);
  const auto here = partitions_.find(partition);
  if (here == partitions_.end()) return {};
  std::vector<std::pair<const Letter*, event::RejectReason>> letters;
  for (size_t i = 0; i < event::kRejectReasons; ++i) {
    if (!reason.empty() && reason != event::kRejectReasonNames[i]) continue;
    for (const Letter& letter : here->second.by_reason[i]) letters.emplace_back(&letter, static_cast<event::RejectReason>(i));
  }
  std::sort(letters.begin(), letters.end(), [](const auto& a, const auto& b) { return a.first->number < b.first->number; });
  if (letters.size() > limit) letters.erase(letters.begin(), letters.end() - static_cast<ptrdiff_t>(limit));
  std::vector<std::string> lines;
  for (const auto& [letter, why] : letters) {
    std::string line;
    codec::append_dead_letter({letter->topic, letter->partition, letter->offset, why, letter->raw, letter->bytes}, line);
    line.pop_back();  // the newline
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace segue::kafka
