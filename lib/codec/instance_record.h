// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/time.h"

namespace segue::codec {

inline constexpr size_t kMaxInstanceRecordBytes = 65536;
inline constexpr size_t kMaxInstanceNameBytes = 249;
inline constexpr size_t kMaxInstanceAddressBytes = 261;  // a name of 255, a colon, a port

// What an instance tells the others of itself (docs/formats/topics.md, "Instances").
struct InstanceRecord {
  std::string instance;
  std::string address;              // host:port
  std::vector<int32_t> partitions;  // ascending
  std::string definitions;          // hash; empty: not told
  Time at = kNoTime;

  friend bool operator==(const InstanceRecord&, const InstanceRecord&) = default;
};

std::string to_json(const InstanceRecord& record);
// kData: not such a record. Further members are passed over.
Result<InstanceRecord> parse_instance_record(std::string_view text);

}  // namespace segue::codec
