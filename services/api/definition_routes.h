// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/http/router.h"
#include "services/api/chores.h"
#include "services/api/context.h"
#include "services/api/previews.h"

namespace segue::api {

// Adds /v1/definitions/…. All outlive the router.
void add_definition_routes(http::Router& router, const Surroundings& around, Chores& chores, Previews& previews);

}  // namespace segue::api
