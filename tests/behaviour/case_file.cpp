// SPDX-License-Identifier: Apache-2.0
#include "tests/behaviour/case_file.h"

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "lib/base/time.h"

namespace segue::behaviour {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void wrong(const std::string& line, const std::string& why) { throw std::runtime_error(why + ": " + line); }

// The words of a line; one in double quotes, or with a part in double quotes, may have spaces within.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  bool quoted = false, open = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back(), open = true;
    if (c != '"') words.back().push_back(c);
  }
  if (quoted) wrong(line, "a quotation mark is missing");
  return words;
}

// UTC, to the minute, second or millisecond.
int64_t read_time(const std::string& date, const std::string& time, const std::string& line) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
  const int fields = std::sscanf((date + " " + time).c_str(), "%d-%d-%d %d:%d:%d.%3d", &year, &month, &day, &hour, &minute, &second, &ms);
  const std::chrono::year_month_day on{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                       std::chrono::day{static_cast<unsigned>(day)}};
  if (fields < 5 || !on.ok()) wrong(line, "expected a date and a time such as 2024-03-01 10:00");
  return to_ms(Time{std::chrono::sys_days{on}}) + ((hour * 60 + minute) * 60 + second) * int64_t{1000} + ms;
}

std::string print_time(int64_t ms) {
  const auto day = std::chrono::floor<std::chrono::days>(time_from_ms(ms));
  const std::chrono::year_month_day on{day};
  const int64_t rest = ms - to_ms(Time{day});
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(on.year()), static_cast<unsigned>(on.month()),
                static_cast<unsigned>(on.day()), static_cast<int>(rest / 3'600'000), static_cast<int>(rest / 60'000 % 60),
                static_cast<int>(rest / 1000 % 60));
  std::string out = text;
  if (rest % 1000 == 0) return out;
  std::snprintf(text, sizeof text, ".%03d", static_cast<int>(rest % 1000));
  return out + text;
}

// A number, true, false or null is itself; all else is text.
Json value_of(const std::string& text) {
  const Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() || parsed.is_structured() ? Json(text) : parsed;
}

void read_field(const std::string& word, const std::string& line, bool traits, Json& out) {
  static const std::map<std::string, std::string> kTexts = {{"id", "event_id"},       {"order", "order_id"},   {"item", "item_id"},
                                                            {"category", "category"}, {"brand", "brand"},      {"channel", "channel"},
                                                            {"query", "query"},       {"coupon", "coupon_id"}, {"campaign", "campaign_id"}};
  const size_t equals = word.find('=');
  if (equals == std::string::npos) wrong(line, "expected name=value, found '" + word + "'");
  const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
  const auto text = kTexts.find(name);
  if (name != "id" && traits)
    out["traits"][name] = value_of(value);
  else if (text != kTexts.end())
    out[text->second] = value;
  else if (name == "price" || name == "quantity" || name == "rating")
    out[name] = value_of(value);
  else
    wrong(line, "there is no field '" + name + "'");
}

std::vector<std::string> lines_of(const std::string& block) {
  std::vector<std::string> lines;
  std::istringstream in(block);
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find_first_not_of(' ');
    if (first != std::string::npos && line[first] != '#') lines.push_back(line.substr(first));
  }
  return lines;
}

void read_events(const std::string& block, Case& out) {
  std::vector<Json> events;
  std::vector<std::string> raw;  // beside each event: the line as it is, where it is given so
  for (const std::string& line : lines_of(block)) {
    if (line.starts_with("raw ")) {
      events.emplace_back(), raw.push_back(line.substr(4));
      continue;
    }
    const auto words = words_of(line);
    if (words[0] == "+") {
      if (events.empty()) wrong(line, "nothing to belong to");
      Json item;
      for (size_t i = 1; i < words.size(); ++i) read_field(words[i], line, false, item);
      events.back()["items"].push_back(item);
      continue;
    }
    if (words.size() < 4) wrong(line, "expected date, time, user and what the user did");
    Json event = {{"event_id", "e" + std::to_string(events.size() + 1)}, {"type", words[3]}, {"user_id", words[2]}};
    event["ts"] = read_time(words[0], words[1], line);
    for (size_t i = 4; i < words.size(); ++i) read_field(words[i], line, words[3] == "identify", event);
    out.what[event["event_id"]] = words[3];
    events.push_back(std::move(event)), raw.emplace_back();
  }
  for (size_t i = 0; i < events.size(); ++i) out.log += (raw[i].empty() ? events[i].dump() : raw[i]) + "\n";
}

std::shared_ptr<const segment::Definitions> read_definitions(const std::string& given) {
  const bool named = given.find('\n') == std::string::npos;
  const std::string file = named ? "examples/definitions/" + given + ".yaml" : "the case's definitions";
  auto parsed = segment::Definitions::parse(named ? read_text(file) : given, file);
  if (!parsed) throw std::runtime_error(segment::to_string(parsed.error()));
  return std::make_shared<const segment::Definitions>(std::move(*parsed));
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string change_of(const Json& output) {
  const std::string type = output["type"], name = output.value("name", ""), key = output.value("key", "");
  const std::string of_key = key.empty() ? "" : " for " + key;
  if (type == "erased") return "is erased";
  if (type == "entered") return "enters " + name + of_key;
  if (type == "left") return "leaves " + name + of_key;
  if (type == "tagged") return "gets the tag " + name;
  if (type == "untagged") return "loses the tag " + name;
  const std::string from = output["from"], to = output["to"];
  return (name == from + "-to-" + to ? "" : name + ": ") + from + " -> " + to;
}

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream in(std::string(SEGUE_SOURCE_FOLDER) + "/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> describe(const std::string& transitions, const std::map<std::string, std::string>& what) {
  std::vector<std::string> sentences;
  std::istringstream in(transitions);
  for (std::string line; std::getline(in, line);) {
    const Json output = Json::parse(line);
    const std::string cause = output["cause"];
    const std::string by = cause == "event" ? what.at(output["event_id"]) : cause == "timer" ? "time" : cause;
    sentences.push_back(print_time(output["at"]) + " " + output["user_id"].get<std::string>() + " " + change_of(output) + ", by " + by);
  }
  return sentences;
}

Case read_case(const std::string& path) {
  Case out;
  const YAML::Node root = YAML::Load(read_text(path));
  for (const auto& entry : root) {
    const auto key = entry.first.as<std::string>();
    const YAML::Node& value = entry.second;
    if (key == "story") {
      out.story = value.as<std::string>();
    } else if (key == "definitions") {
      out.definitions = read_definitions(value.as<std::string>());
    } else if (key == "events") {
      read_events(value.as<std::string>(), out);
    } else if (key == "happens") {
      // Columns may be lined up: runs of blanks count as one.
      for (const std::string& line : lines_of(value.as<std::string>())) out.happens.push_back(join(words_of(line)));
    } else if (key == "users") {
      out.users = value.as<std::map<std::string, uint64_t>>();
      out.states_users = true;
    } else if (key == "unusable") {
      out.unusable = value.as<std::vector<std::string>>();
    } else if (key == "duplicates" || key == "refused" || key == "timers") {
      out.counts[key] = value.as<uint64_t>();
    } else {
      throw std::runtime_error(path + ": there is no '" + key + "' in a case");
    }
  }
  if (out.story.empty() || !out.definitions || out.log.empty()) throw std::runtime_error(path + ": a case has a story, definitions and events");
  return out;
}

}  // namespace segue::behaviour
