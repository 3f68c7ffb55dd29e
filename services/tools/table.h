// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/tools/terminal.h"

namespace segue::tools {

// Rows of cells in columns as wide as their widest cell. Cells are printable text.
class Table {
 public:
  enum class Align : uint8_t { kLeft, kRight };

  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}
  // A first row that is underlined.
  void header(std::vector<std::string> cells) { header_ = std::move(cells); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }

  // Every line indented by two. On a terminal none is longer than that: the last column is cut.
  std::string text(const Terminal& terminal) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace segue::tools
