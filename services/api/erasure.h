// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/http/responder.h"
#include "services/api/context.h"

namespace segue::api {

// DELETE /v1/profiles/{user_id}: a delete event through the log; answers once it is safe there.
void erase_user(const Surroundings& around, const http::Request& request, const http::Responder& responder);

}  // namespace segue::api
