// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "lib/audience/expression.h"
#include "lib/codec/json_writer.h"
#include "lib/codec/page_codec.h"
#include "services/segue/audience_check.h"
#include "services/segue/commands.h"
#include "services/segue/console.h"
#include "services/segue/state_reader.h"
#include "services/tools/table.h"
#include "services/tools/wording.h"

namespace segue::program {
namespace {

using audience::Expression;

// Bytes printed at a time.
constexpr size_t kPrintBytes = 1 << 16;

Result<std::vector<Expression>> parse_all(const std::vector<std::string>& texts, const segment::Definitions& definitions) {
  std::vector<Expression> expressions;
  for (const std::string& text : texts) {
    auto parsed = Expression::parse(text, definitions);
    if (!parsed)
      return fail(ErrorClass::kUsage, "audience " + text + ": column " + std::to_string(parsed.error().column) + ": " + parsed.error().message);
    expressions.push_back(std::move(*parsed));
  }
  return expressions;
}

// Calls `visit` with each shard that has a checkpoint, and its index.
Result<> for_each_index(StateReader& reader, const std::function<Result<>(size_t shard, const audience::Index& index)>& visit) {
  for (size_t shard = 0; shard < reader.shards(); ++shard) {
    if (reader.store(shard) == nullptr) continue;
    const auto meta = reader.meta(shard);
    if (!meta) return tl::unexpected<Error>(meta.error());
    if (!*meta) continue;
    const std::string name = reader.directory().shard_name(shard);
    if (!(*meta)->has_audiences)
      return fail(ErrorClass::kUsage, name + ": has no audience index yet: it is of an older version; replay or engine make one when they go on");
    if ((*meta)->definitions != reader.definitions().hash())
      return fail(ErrorClass::kUsage, name + ": has other definitions than the first shard: new ones are coming into force; try again later");
    const auto index = load_audiences(*reader.store(shard), reader.definitions());
    if (!index) return fail(index.error().kind, name + ": " + index.error().message);
    SEGUE_TRY(visit(shard, *index));
  }
  return {};
}

// Users by expression, and what each pair has in common.
std::string counts_text(const AudienceCommand& command, const std::vector<uint64_t>& counts, uint64_t users) {
  const size_t n = command.expressions.size();
  if (command.json) {
    std::string out;
    codec::JsonWriter json(out);
    json.begin_object();
    json.name("users");
    json.unsigned_integer(users);
    json.name("counts");
    json.begin_array();
    for (size_t i = 0; i < n; ++i) json.unsigned_integer(counts[i * n + i]);
    json.end_array();
    json.name("overlaps");
    json.begin_array();
    for (size_t i = 0; i < n; ++i) {
      json.begin_array();
      for (size_t j = 0; j < n; ++j) json.unsigned_integer(counts[i * n + j]);
      json.end_array();
    }
    json.end_array();
    json.end_object();
    return out + "\n";
  }
  if (n == 1) return std::to_string(counts[0]) + "\n";
  using tools::Table;
  std::vector<Table::Align> columns(n + 2, Table::Align::kRight);
  columns.back() = Table::Align::kLeft;
  Table table(columns);
  std::vector<std::string> head = {""};
  for (size_t i = 0; i < n; ++i) head.push_back("and " + std::to_string(i + 1));
  head.push_back("");
  table.header(head);
  for (size_t i = 0; i < n; ++i) {
    std::vector<std::string> row = {std::to_string(i + 1)};
    for (size_t j = 0; j < n; ++j) row.push_back(tools::grouped(counts[i * n + j]));
    row.push_back(command.expressions[i]);
    table.row(row);
  }
  return table.text(tools::find_terminal(1));
}

// As RFC 4180 wants it.
void append_cell(std::string_view text, std::string& out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

void append_row(std::string_view user, const profile::Profile& profile, const segment::Definitions& definitions, const tools::LocalClock& clock,
                std::string& out) {
  append_cell(user, out);
  out += ',';
  append_cell(definitions.stage_name(profile.stage), out);
  out += ',' + std::to_string(profile.orders) + ',';
  append_money(out, profile.spend);
  for (const Time t : {profile.first_seen, profile.last_seen, profile.last_purchase}) out += ',' + (t == kNoTime ? std::string() : clock.text(t));
}

// The users of one shard as lines, in the order of their pages: a walk over all pages, since only they know the ids.
Result<> list_users(StateReader& reader, size_t shard, const audience::Index& index, const Expression& expression, bool csv,
                    std::vector<std::string>& lines) {
  std::vector<audience::UserNumber> users;
  audience::page(index, expression, 0, SIZE_MAX / 2, UINT32_MAX, users);
  const tools::LocalClock clock(reader.definitions().time_zone());
  profile::Profile profile;
  size_t found = 0;
  SEGUE_TRY(reader.store(shard)->scan(codec::kPagePrefix, [&](std::string_view key, std::string_view page) -> Result<> {
    const auto header = codec::read_page_header(page);
    if (!header) return tl::unexpected<Error>(header.error());
    if (!std::binary_search(users.begin(), users.end(), header->user_number)) return {};
    const auto user = codec::user_of_page_key(key);
    if (!user) return fail(ErrorClass::kData, "a page's key is malformed");
    ++found;
    std::string& line = lines.emplace_back();
    if (!csv) {
      line = *user;
      return {};
    }
    auto decoded = codec::decode_page(page, reader.definitions().plan(), profile);
    if (decoded) append_row(*user, profile, reader.definitions(), clock, line);
    return decoded;
  }));
  if (found != users.size()) return fail(ErrorClass::kData, "audience index: has users without a page");
  return {};
}

Result<> show(StateReader& reader, const AudienceCommand& command) {
  const auto expressions = parse_all(command.expressions, reader.definitions());
  if (!expressions) return tl::unexpected<Error>(expressions.error());
  if ((command.ids || command.csv) && expressions->size() != 1) return fail(ErrorClass::kUsage, "audience: --ids and --csv take one expression");
  std::vector<uint64_t> counts(expressions->size() * expressions->size());
  uint64_t users = 0;
  std::vector<std::string> lines;
  SEGUE_TRY(for_each_index(reader, [&](size_t shard, const audience::Index& index) -> Result<> {
    if (command.ids || command.csv) return list_users(reader, shard, index, expressions->front(), command.csv, lines);
    users += index.count_all();
    audience::add_overlaps(index, *expressions, 0, UINT32_MAX, counts);
    return {};
  }));
  if (!command.ids && !command.csv) {
    print(counts_text(command, counts, users));
    return {};
  }
  // Whatever the shards.
  std::sort(lines.begin(), lines.end());
  std::string text = command.csv ? "user_id,stage,orders,spend,first_seen,last_seen,last_purchase\r\n" : "";
  for (const std::string& line : lines) {
    text.append(line).append(command.csv ? "\r\n" : "\n");
    if (text.size() < kPrintBytes) continue;
    if (!print(text)) return {};
    text.clear();
  }
  print(text);
  return {};
}

}  // namespace

int run_audience(const AudienceCommand& command) {
  auto reader = StateReader::open(command.directory);
  if (!reader) return complain_about(reader.error());
  const auto shown = show(**reader, command);
  if (shown) return kOk;
  if (shown.error().kind != ErrorClass::kUsage) return complain_about(shown.error());
  complain(shown.error().message);
  return kUsage;
}

}  // namespace segue::program
