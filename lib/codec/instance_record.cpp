// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/instance_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/codec/json_writer.h"

namespace segue::codec {
namespace {

using nlohmann::json;

constexpr size_t kMaxHashBytes = 128;

tl::unexpected<Error> wrong(const char* what) { return fail(ErrorClass::kData, std::string("not the record of an instance: ") + what); }

// Printable ASCII without blanks: such texts go into logs, headers and addresses.
bool is_plain(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

const std::string* find_text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get_ptr<const std::string*>() : nullptr;
}

bool read_partitions(const json& list, std::vector<int32_t>& partitions) {
  if (!list.is_array()) return false;
  for (const auto& one : list) {
    if (!one.is_number_unsigned() || one.get<uint64_t>() > INT32_MAX) return false;
    const auto partition = one.get<int32_t>();
    if (!partitions.empty() && partitions.back() >= partition) return false;
    partitions.push_back(partition);
  }
  return true;
}

}  // namespace

std::string to_json(const InstanceRecord& record) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("instance"), writer.string(record.instance);
  writer.name("address"), writer.string(record.address);
  writer.name("partitions"), writer.begin_array();
  for (const int32_t partition : record.partitions) writer.integer(partition);
  writer.end_array();
  if (!record.definitions.empty()) writer.name("definitions"), writer.string(record.definitions);
  writer.name("at"), writer.integer(to_ms(record.at));
  writer.end_object();
  return out;
}

Result<InstanceRecord> parse_instance_record(std::string_view text) {
  if (text.size() > kMaxInstanceRecordBytes) return wrong("too long");
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return wrong("no JSON object");
  InstanceRecord record;
  const std::string* const instance = find_text(object, "instance");
  if (instance == nullptr || !is_plain(*instance, 1, kMaxInstanceNameBytes)) return wrong("no instance");
  record.instance = *instance;
  const std::string* const address = find_text(object, "address");
  if (address == nullptr || !is_plain(*address, 1, kMaxInstanceAddressBytes)) return wrong("no address");
  record.address = *address;
  const auto partitions = object.find("partitions");
  if (partitions == object.end() || !read_partitions(*partitions, record.partitions)) return wrong("no ascending partitions");
  if (object.contains("definitions")) {
    const std::string* const hash = find_text(object, "definitions");
    if (hash == nullptr || !is_plain(*hash, 1, kMaxHashBytes)) return wrong("definitions without a hash");
    record.definitions = *hash;
  }
  const auto at = object.find("at");
  if (at == object.end() || !at->is_number_unsigned() || at->get<uint64_t>() > static_cast<uint64_t>(to_ms(kLatestTime))) return wrong("no time");
  record.at = time_from_ms(at->get<int64_t>());
  return record;
}

}  // namespace segue::codec
