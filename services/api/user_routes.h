// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/http/router.h"
#include "services/api/context.h"

namespace segue::api {

// Adds /v1/profiles/…. The surroundings outlive the router.
void add_user_routes(http::Router& router, const Surroundings& around);

}  // namespace segue::api
