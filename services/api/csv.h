// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace segue::api {

// Appends a cell of RFC 4180. Text that a spreadsheet would run as a formula (it begins with = + - @, a tab or a carriage return) gets an apostrophe
// in front, so that an item's or a user's name cannot do anything where the export is opened.
void append_csv_text(std::string_view text, std::string& out);

}  // namespace segue::api
