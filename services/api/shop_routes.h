// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/http/router.h"
#include "services/api/chores.h"
#include "services/api/context.h"

namespace segue::api {

// Adds /v1/lifecycle, /v1/dead-letters and /v1/status. Surroundings and chores outlive the router.
void add_shop_routes(http::Router& router, const Surroundings& around, Chores& chores);

}  // namespace segue::api
