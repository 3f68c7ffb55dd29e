// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/audience/index.h"
#include "lib/base/result.h"
#include "lib/pipeline/store.h"
#include "lib/segment/definitions.h"

namespace segue::program {

// The audience index that a state has.
Result<audience::Index> load_audiences(pipeline::Store& store, const segment::Definitions& definitions);

// Whether it is the one that the pages give. kData names the first set and user that differ.
Result<> check_audiences(pipeline::Store& store, const segment::Definitions& definitions, const audience::Index& of_pages);

}  // namespace segue::program
