// SPDX-License-Identifier: Apache-2.0
#include "services/segue/audience_check.h"

#include "lib/codec/page_codec.h"
#include "lib/codec/state_keys.h"
#include "services/tools/display.h"

namespace segue::program {
namespace {

std::string name_of(const audience::SetName& set, const segment::Definitions& definitions) {
  const profile::Plan& plan = definitions.plan();
  if (set.kind == audience::SetKind::kAll) return "all users";
  if (set.kind == audience::SetKind::kStage) {
    for (size_t i = 0; i < plan.stage_ids.size(); ++i)
      if (codec::page_id(plan.stage_ids[i]) == set.id) return "stage " + definitions.stage_name(i);
  }
  for (size_t i = 0; i < plan.definition_ids.size(); ++i)
    if (codec::page_id(plan.definition_ids[i]) == set.id)
      return definitions.definition(i).name + (set.key.empty() ? std::string() : " [" + tools::printable(set.key) + "]");
  return "a set without name";
}

// Only to name somebody: looks at every page.
std::string user_numbered(pipeline::Store& store, audience::UserNumber number) {
  std::string found = "number " + std::to_string(number) + ", who has no page";
  static_cast<void>(store.scan(codec::kPagePrefix, [&](std::string_view key, std::string_view page) -> Result<> {
    const auto header = codec::read_page_header(page);
    const auto user = codec::user_of_page_key(key);
    if (header && user && header->user_number == number) found = tools::printable(*user);
    return {};
  }));
  return found;
}

}  // namespace

Result<audience::Index> load_audiences(pipeline::Store& store, const segment::Definitions& definitions) {
  audience::Index index(definitions);
  SEGUE_TRY(store.scan(codec::kAudiencePrefix, [&](std::string_view key, std::string_view value) -> Result<> {
    const auto part = codec::part_of_audience_key(key);
    return part ? index.restore(part->set, part->chunk, value) : Result<>(fail(ErrorClass::kData, "audience index: a malformed key"));
  }));
  return index;
}

Result<> check_audiences(pipeline::Store& store, const segment::Definitions& definitions, const audience::Index& of_pages) {
  const auto stored = load_audiences(store, definitions);
  if (!stored) return tl::unexpected<Error>(stored.error());
  const auto difference = stored->first_difference(of_pages);
  if (!difference) return {};
  return fail(ErrorClass::kData, "audience index: " + name_of(difference->set, definitions) + (difference->here ? " has" : " lacks") + " user " +
                                     user_numbered(store, difference->user) + ", against the page");
}

}  // namespace segue::program
