// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace segue::program {

// Tells systemd, where that started the process as Type=notify: "READY=1", "STOPPING=1" (sd_notify(3)). One datagram to NOTIFY_SOCKET; does nothing
// where that is not set, and nobody is worse off where it does not arrive.
void tell_systemd(std::string_view state);

}  // namespace segue::program
