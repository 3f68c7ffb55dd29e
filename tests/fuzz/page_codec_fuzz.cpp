// SPDX-License-Identifier: Apache-2.0
// Any bytes: decoding refuses them, or gives a profile that encodes to a page that decodes to the same profile, and prints.
#include <cstdint>
#include <string>

#include "lib/base/assert.h"
#include "lib/codec/page_codec.h"
#include "lib/codec/profile_json.h"
#include "tests/unit/codec/page_samples.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace segue;
  static const profile::Plan plan = codec::samples::make_plan();
  static const std::vector<std::string> stages(plan.stage_ids.size(), "stage");
  static const std::vector<std::string> definitions(plan.definition_ids.size(), "definition");
  static const std::vector<std::string> moves(plan.move_ids.size(), "move");
  // Kept from one input to the next: what an earlier page left behind must not show.
  static profile::Profile profile;
  if (!codec::decode_page({reinterpret_cast<const char*>(data), size}, plan, profile)) return 0;
  std::string page;
  codec::encode_page(profile, 1, plan, page);
  profile::Profile again;
  SEGUE_ASSERT(codec::decode_page(page, plan, again));
  SEGUE_ASSERT(codec::samples::difference_of(profile, again).empty());
  std::string twice;
  codec::encode_page(again, 1, plan, twice);
  SEGUE_ASSERT(page == twice);
  std::string json;
  codec::append_profile_json("u", profile, plan, {stages, definitions, moves}, kNoTime, json);
  SEGUE_ASSERT(json.back() == '}');
  return 0;
}
