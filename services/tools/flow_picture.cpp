// SPDX-License-Identifier: Apache-2.0
#include "services/tools/flow_picture.h"

#include <algorithm>
#include <map>

#include "services/tools/display.h"
#include "services/tools/wording.h"

namespace segue::tools {
namespace {

struct Layout {
  size_t name = 0;    // columns of a stage's name
  size_t number = 0;  // of a number of users
  size_t arrow = 0;   // of the longest arrow
  uint64_t most_users = 1;
  uint64_t most_moves = 1;
  uint64_t all_users = 0;
};

struct Way {
  size_t to = 0;
  uint64_t count = 0;
};

// Moves between the same two stages are one way.
std::vector<Way> ways_out(const Flow& flow, size_t stage) {
  std::map<size_t, Way> ways;
  for (const Flow::Move& move : flow.moves) {
    if (move.from != stage) continue;
    Way& way = ways[move.to];
    way.to = move.to;
    way.count += move.count;
  }
  std::vector<Way> sorted;
  for (auto& [to, way] : ways) sorted.push_back(std::move(way));
  return sorted;
}

Layout lay_out(const Flow& flow, size_t width) {
  Layout layout;
  for (const Flow::Stage& stage : flow.stages) {
    layout.name = std::max(layout.name, display_width(printable(stage.name)));
    layout.most_users = std::max(layout.most_users, stage.users);
    layout.all_users += stage.users;
  }
  for (size_t i = 0; i < flow.stages.size(); ++i)
    for (const Way& way : ways_out(flow, i)) layout.most_moves = std::max(layout.most_moves, way.count);
  layout.name = std::min(layout.name, std::max<size_t>(8, width / 4));
  layout.number = std::max(grouped(layout.most_users).size(), grouped(layout.most_moves).size());
  // Beside box, number and share: 4 + name + 4 + number + 10 columns.
  const size_t taken = layout.name + layout.number + 20;
  layout.arrow = width > taken + 8 ? std::min<size_t>(width - taken, 60) : 8;
  return layout;
}

std::string line_of_way(const Way& way, const Flow& flow, const Layout& layout, bool last, const Paint& paint) {
  std::string out = "    " + paint.faint(last ? "╰─▶ " : "├─▶ ");
  out += padded(printable(flow.stages[way.to].name), layout.name) + "  " + padded_left(grouped(way.count), layout.number) + "  ";
  // A thin line: what moved. The boxes' bars are those who stayed.
  const auto length =
      static_cast<size_t>(static_cast<double>(layout.arrow) * static_cast<double>(way.count) / static_cast<double>(layout.most_moves) + 0.5);
  out += way.count == 0 ? paint.faint("·") : paint.flow(repeated("━", std::max<size_t>(1, length)));
  return out + "\n";
}

}  // namespace

std::string draw_flow(const Flow& flow, const Terminal& terminal) {
  const Layout layout = lay_out(flow, terminal.width);
  const Paint& paint = terminal.paint;
  std::string out;
  for (size_t i = 0; i < flow.stages.size(); ++i) {
    const Flow::Stage& stage = flow.stages[i];
    const auto ways = ways_out(flow, i);
    out += "  " + paint.faint("╭─" + repeated("─", layout.name) + "─╮") + "\n";
    out += "  " + paint.faint("│ ") + paint.strong(padded(printable(stage.name), layout.name)) + paint.faint(" │") + "  ";
    out += padded_left(grouped(stage.users), layout.number + 2) + "  " + padded_left(percent(stage.users, layout.all_users), 7);
    if (stage.users > 0) {
      const size_t width = layout.arrow > 10 ? layout.arrow - 10 : 4;
      out += "  " + paint.good(bar(static_cast<double>(stage.users) / static_cast<double>(layout.most_users), width));
    }
    out += "\n";
    out += "  " + paint.faint("╰─" + std::string(ways.empty() ? "─" : "┬") + repeated("─", layout.name - 1) + "─╯") + "\n";
    for (size_t k = 0; k < ways.size(); ++k) out += line_of_way(ways[k], flow, layout, k + 1 == ways.size(), paint);
  }
  return out;
}

}  // namespace segue::tools
