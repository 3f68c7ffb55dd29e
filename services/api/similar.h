// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/http/responder.h"
#include "services/api/context.h"

namespace segue::api {

// GET /v1/profiles/{user_id}/similar.
void find_similar(const Surroundings& around, const http::Request& request, const http::Responder& responder);

// POST /v1/similar: the same for a vector that the request brings.
void find_near(const Surroundings& around, const http::Request& request, const http::Responder& responder);

}  // namespace segue::api
