// SPDX-License-Identifier: Apache-2.0
#include "services/tools/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace segue::tools {

Terminal find_terminal(int fd) {
  Terminal terminal;
  terminal.is_tty = isatty(fd) == 1;
  if (!terminal.is_tty) return terminal;
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = std::clamp<size_t>(size.ws_col, 40, 160);
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  terminal.paint = Paint(!dumb && (no_color == nullptr || *no_color == '\0'));
  return terminal;
}

}  // namespace segue::tools
