// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "lib/http/server.h"

namespace segue::http {

// For Server::Options::on_answer. A line at debug level for every request, and a warning for every login that was refused (401, 403): from the same
// address to the same route once in ten seconds, with how many there were. No path, no query, no token.
std::function<void(const AccessRecord&)> access_log();

// Server::reload() of the listener of that name, told in the log. False: something could not be used.
bool reload_and_tell(Server& server, std::string_view listener);

}  // namespace segue::http
