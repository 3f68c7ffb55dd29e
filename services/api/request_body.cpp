// SPDX-License-Identifier: Apache-2.0
#include "services/api/request_body.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace segue::api {
namespace {

// Watches the parser: nlohmann takes any depth, and of two members of one name the last.
class Watch {
 public:
  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) names_.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) names_.pop_back();
    const bool opens = event == nlohmann::json::parse_event_t::object_start || event == nlohmann::json::parse_event_t::array_start;
    if (opens && static_cast<size_t>(depth) >= kMaxBodyDepth) too_deep = true;
    if (event == nlohmann::json::parse_event_t::key && !names_.back().insert(parsed.get<std::string>()).second) twice = true;
    return !too_deep;
  }

  bool too_deep = false;
  bool twice = false;

 private:
  std::vector<std::set<std::string>> names_;
};

// Line and column, counted from 1 in characters, of the byte that was read last.
void place(std::string_view body, size_t bytes, Mistake& mistake) {
  const std::string_view before = body.substr(0, std::min(bytes == 0 ? 0 : bytes - 1, body.size()));
  const size_t line_start = before.rfind('\n') + 1;
  mistake.line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  const auto is_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  mistake.column = static_cast<int>(std::count_if(before.begin() + static_cast<ptrdiff_t>(line_start), before.end(), is_character)) + 1;
}

std::string pointer(std::string_view name) { return "/" + std::string(name); }

}  // namespace

std::optional<http::Response> refuse_unless_json(const http::Request& request) {
  const std::string_view type = request.header("Content-Type");
  const std::string_view media = type.substr(0, type.find_first_of("; \t"));
  if (http::equal_ignoring_case(media, "application/json")) return {};
  return http::problem(415, "the body has to be application/json");
}

BodyReader::BodyReader(std::string_view body) {
  Watch watch;
  try {
    body_ = nlohmann::json::parse(body.begin(), body.end(), std::ref(watch));
  } catch (const nlohmann::json::parse_error& error) {
    Mistake mistake{.message = "the body is not JSON"};
    place(body, error.byte, mistake);
    mistakes_.push_back(std::move(mistake));
  } catch (const nlohmann::json::exception&) {
    // A number beyond the range of a double.
    refuse("", "the body is not JSON that can be taken");
  }
  if (!mistakes_.empty()) return;
  if (watch.too_deep)
    refuse("", "the body is nested more than " + std::to_string(kMaxBodyDepth) + " deep");
  else if (watch.twice)
    refuse("", "a member is given twice");
  else if (!body_.is_object())
    refuse("", "the body is not an object");
}

const nlohmann::json* BodyReader::find(std::string_view name, bool required) {
  known_.push_back(name);
  if (!body_.is_object()) return nullptr;
  const auto found = body_.find(name);
  if (found != body_.end()) return &*found;
  if (required) refuse(pointer(name), "this member is required");
  return nullptr;
}

std::optional<std::string> BodyReader::text(std::string_view name, size_t most, bool required) {
  const nlohmann::json* value = find(name, required);
  if (value == nullptr) return {};
  const auto* text = value->get_ptr<const std::string*>();
  if (text != nullptr && !text->empty() && text->size() <= most) return *text;
  refuse(pointer(name), "not a text of 1 to " + std::to_string(most) + " bytes");
  return {};
}

std::optional<bool> BodyReader::boolean(std::string_view name) {
  const nlohmann::json* value = find(name, false);
  if (value == nullptr) return {};
  if (value->is_boolean()) return value->get<bool>();
  refuse(pointer(name), "neither true nor false");
  return {};
}

std::optional<uint64_t> BodyReader::number(std::string_view name, uint64_t low, uint64_t high) {
  const nlohmann::json* value = find(name, false);
  if (value == nullptr) return {};
  // 10.0 is the number 10 to JSON schema and to many writers of JSON.
  const double number = value->is_number() ? value->get<double>() : -1;
  const auto whole = number >= 0 && number <= static_cast<double>(high) ? static_cast<uint64_t>(number) : high + 1;
  if (whole >= low && whole <= high && static_cast<double>(whole) == number) return whole;
  refuse(pointer(name), "not a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return {};
}

std::optional<std::vector<float>> BodyReader::floats(std::string_view name, size_t count) {
  const nlohmann::json* value = find(name, true);
  if (value == nullptr) return {};
  const auto fits = [](const nlohmann::json& one) { return one.is_number() && std::abs(one.get<double>()) <= std::numeric_limits<float>::max(); };
  if (value->is_array() && value->size() == count && std::all_of(value->begin(), value->end(), fits)) return value->get<std::vector<float>>();
  refuse(pointer(name), "not a list of " + std::to_string(count) + " numbers");
  return {};
}

std::optional<std::vector<std::string>> BodyReader::texts(std::string_view name, size_t least, size_t most, size_t most_bytes, bool required,
                                                          bool distinct) {
  const nlohmann::json* value = find(name, required);
  if (value == nullptr) return {};
  if (!value->is_array() || value->size() < least || value->size() > most) {
    refuse(pointer(name), "not a list of " + std::to_string(least) + " to " + std::to_string(most));
    return {};
  }
  std::vector<std::string> texts;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < value->size(); ++i) {
    const auto* text = (*value)[i].get_ptr<const std::string*>();
    const std::string at = pointer(name) + "/" + std::to_string(i);
    if (text == nullptr || text->empty() || text->size() > most_bytes) {
      refuse(at, "not a text of 1 to " + std::to_string(most_bytes) + " bytes");
      continue;
    }
    if (distinct && !seen.insert(*text).second) refuse(at, "the same as one before");
    texts.push_back(*text);
  }
  return texts;
}

std::optional<std::vector<size_t>> BodyReader::choices(std::string_view name, const std::vector<std::string_view>& allowed, size_t least) {
  const auto words = texts(name, least, allowed.size(), 256, false, true);
  if (!words) return {};
  std::vector<size_t> indices;
  for (size_t i = 0; i < words->size(); ++i) {
    const auto found = std::find(allowed.begin(), allowed.end(), (*words)[i]);
    if (found == allowed.end())
      refuse(pointer(name) + "/" + std::to_string(i), "none of the names allowed here" + did_you_mean((*words)[i], allowed));
    if (found != allowed.end()) indices.push_back(static_cast<size_t>(found - allowed.begin()));
  }
  return indices;
}

const Mistakes& BodyReader::finish() {
  if (!body_.is_object()) return mistakes_;
  for (const auto& [name, value] : body_.items())
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      refuse(name.size() <= 100 ? pointer(name) : std::string(), "unknown member" + did_you_mean(name, known_));
  return mistakes_;
}

}  // namespace segue::api
