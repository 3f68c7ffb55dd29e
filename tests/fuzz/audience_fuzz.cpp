// SPDX-License-Identifier: Apache-2.0
// Any bytes are an expression or a mistake with a place inside them; and a set of users in its one form, or refused.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/audience/expression.h"
#include "lib/base/assert.h"

namespace {

using namespace segue;

const segment::Definitions& definitions() {
  static const segment::Definitions parsed = *segment::Definitions::parse(segment::default_definitions(), "default");
  return parsed;
}

const audience::Index& index() {
  static const audience::Index made = [] {
    audience::Index index(definitions());
    for (audience::UserNumber user = 0; user < 70'000; user += 3) index.add_user(user, static_cast<uint8_t>(user % 5));
    return index;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto expression = audience::Expression::parse(bytes, definitions())) {
    const uint64_t users = audience::count(index(), *expression);
    SEGUE_ASSERT(users <= index().count_all());
    std::vector<audience::UserNumber> listed;
    SEGUE_ASSERT(audience::page(index(), *expression, 0, SIZE_MAX / 2, UINT32_MAX, listed) == audience::kNoUser && listed.size() == users);
  } else {
    SEGUE_ASSERT(expression.error().column >= 1 && expression.error().column <= size + 1 && !expression.error().message.empty());
  }
  if (const auto users = audience::Bitmap::read(bytes)) {
    std::string again;
    users->write(again);
    SEGUE_ASSERT(again == bytes && users->count() > 0);
  }
  return 0;
}
