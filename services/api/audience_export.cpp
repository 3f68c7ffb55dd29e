// SPDX-License-Identifier: Apache-2.0
// POST /v1/audiences/export: a whole audience as a stream, read from one shard after the other in slices, as fast as its reader takes it.
#include <algorithm>
#include <charconv>
#include <mutex>

#include "lib/codec/json_writer.h"
#include "services/api/audience_query.h"
#include "services/api/audience_routes.h"
#include "services/api/csv.h"
#include "services/api/profile_json.h"
#include "services/api/query_reader.h"
#include "services/api/request_body.h"
#include "services/api/shard_calls.h"

namespace segue::api {
namespace {

enum class Column : uint8_t { kUserId, kStage, kStageSince, kFirstSeen, kLastSeen, kLastPurchase, kOrders, kSpend, kTags };

const std::vector<std::string_view>& column_names() {
  static const std::vector<std::string_view> names = {"user_id",       "stage",  "stage_since", "first_seen", "last_seen",
                                                      "last_purchase", "orders", "spend",       "tags"};
  return names;
}

// Users of one turn of a shard. Profiles come from the store: a hundred take about a millisecond.
constexpr size_t kIdsOfTurn = 2000;
constexpr size_t kProfilesOfTurn = 100;

struct Row {
  std::string_view user_id;
  const profile::Profile* profile;  // null where no column needs it
  const segment::Definitions& definitions;
};

Time time_of(Column column, const profile::Profile& profile) {
  if (column == Column::kStageSince) return profile.stage_since;
  if (column == Column::kFirstSeen) return profile.first_seen;
  return column == Column::kLastSeen ? profile.last_seen : profile.last_purchase;
}

void write_column(codec::JsonWriter& json, Column column, const Row& row) {
  const std::string_view name = column_names()[static_cast<size_t>(column)];
  switch (column) {
    case Column::kUserId:
      return json.name(name), json.string(row.user_id);
    case Column::kStage:
      if (row.profile->stage < row.definitions.stages().size()) json.name(name), json.string(row.definitions.stage_name(row.profile->stage));
      return;
    case Column::kOrders:
      return json.name(name), json.unsigned_integer(row.profile->orders);
    case Column::kSpend:
      return json.name(name), json.money(row.profile->spend);
    case Column::kTags:
      json.name(name), json.begin_array();
      for (const auto& tag : row.definitions.tags(*row.profile)) json.string(tag);
      return json.end_array();
    default:
      return write_time(json, name, time_of(column, *row.profile));
  }
}

void append_cell(Column column, const Row& row, std::string& out) {
  switch (column) {
    case Column::kUserId:
      return append_csv_text(row.user_id, out);
    case Column::kStage:
      if (row.profile->stage < row.definitions.stages().size()) append_csv_text(row.definitions.stage_name(row.profile->stage), out);
      return;
    case Column::kOrders:
      out += std::to_string(row.profile->orders);
      return;
    case Column::kSpend:
      return append_money(out, row.profile->spend);
    case Column::kTags: {
      std::string tags;
      for (const auto& tag : row.definitions.tags(*row.profile)) tags.append(tags.empty() ? "" : "|").append(tag);
      return append_csv_text(tags, out);
    }
    default:
      if (const Time t = time_of(column, *row.profile); t != kNoTime && t != kNever) out += std::to_string(to_ms(t));
  }
}

// Users of an audience as lines of the answer.
class Rows {
 public:
  Rows(std::shared_ptr<const AudienceQuery> query, std::vector<Column> columns, bool csv)
      : query_(std::move(query)), columns_(std::move(columns)), csv_(csv) {}

  const AudienceQuery& query() const { return *query_; }
  const std::vector<Column>& columns() const { return columns_; }
  bool csv() const { return csv_; }
  std::string_view content_type() const { return csv_ ? "text/csv; charset=utf-8" : "application/x-ndjson"; }

  // What stands before the first row.
  std::string head() const {
    std::string head;
    if (!csv_) return head;
    for (const Column column : columns_) head.append(head.empty() ? "" : ",").append(column_names()[static_cast<size_t>(column)]);
    return head + "\r\n";
  }

  // Appends the rows of one turn of the shard, from user `next` on; moves it, to kNoUser at the end.
  Result<> take(serving::ShardReader& reader, audience::UserNumber& next, std::string& out) const {
    const bool needs_profiles = std::any_of(columns_.begin(), columns_.end(), [](Column column) { return column != Column::kUserId; });
    std::vector<audience::UserNumber> users;
    next = audience::page(reader.shard().audiences(), query_->expressions().front(), next, needs_profiles ? kProfilesOfTurn : kIdsOfTurn, 4, users);
    if (!needs_profiles) {
      for (const auto user : users) append({reader.shard().user_id(user), nullptr, reader.definitions()}, out);
      return {};
    }
    // Those in memory come first, whatever their place.
    std::vector<std::string> rows(users.size());
    SEGUE_TRY(
        reader.find_many(std::span<const audience::UserNumber>(users), [&](size_t index, shard::UserNumber user, const profile::Profile* profile) {
          if (profile != nullptr) append({reader.shard().user_id(user), profile, reader.definitions()}, rows[index]);
        }));
    for (const auto& row : rows) out += row;
    return {};
  }

 private:
  void append(const Row& row, std::string& out) const {
    if (csv_) {
      for (size_t i = 0; i < columns_.size(); ++i) {
        if (i > 0) out += ',';
        append_cell(columns_[i], row, out);
      }
      out += "\r\n";
      return;
    }
    codec::JsonWriter json(out);
    json.begin_object();
    for (const Column column : columns_) write_column(json, column, row);
    json.end_object();
    out += '\n';
  }

  const std::shared_ptr<const AudienceQuery> query_;
  const std::vector<Column> columns_;
  const bool csv_;
};

// For another instance that makes the stream: rows of one shard, without the head, until they are this many bytes; the answer names the user to go on
// from.
constexpr size_t kPartBytes = 256 << 10;

struct ExportPart {
  Rows rows;
  http::Responder responder;
  audience::UserNumber next = 0;
  std::string bytes;
};

bool export_part_slice(serving::ShardReader* reader, ExportPart& part) {
  if (reader == nullptr) return part.responder.send(away_problem("a shard is not here at the moment")), true;
  if (!part.rows.query().fits(*reader)) return part.responder.send(definitions_change()), true;
  const auto read = part.rows.take(*reader, part.next, part.bytes);
  if (!read) return part.responder.send(error_problem(read.error())), true;
  if (part.next != audience::kNoUser && part.bytes.size() < kPartBytes) return false;
  http::Response response{.content_type = std::string(part.rows.content_type()), .body = std::move(part.bytes)};
  if (part.next != audience::kNoUser) response.headers.push_back({std::string(kNextHeader), std::to_string(part.next)});
  return part.responder.send(std::move(response)), true;
}

std::optional<audience::UserNumber> parse_user(std::string_view text) {
  audience::UserNumber user = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), user);
  return error == std::errc() && stop == text.data() + text.size() && user != audience::kNoUser ? std::optional(user) : std::nullopt;
}

void export_part(const Surroundings& around, const Reach& reach, Rows rows, const http::Request& request, const http::Responder& responder) {
  const auto from = request.find_header(kFromHeader);
  const auto next = parse_user(from.value_or("0"));
  if (!next || reach.partitions.size() != 1)
    return responder.send(http::problem(400, "a part of an export is of one partition, and goes on from a user's number"));
  auto part = std::make_shared<ExportPart>(ExportPart{.rows = std::move(rows), .responder = responder, .next = *next, .bytes = {}});
  ask_shard(around.directory, reach.partitions.front(), [part](serving::ShardReader* reader) { return export_part_slice(reader, *part); });
}

// One export under way. Its steps follow one another, on shards' threads, the client's and the server's; the mutex is for the moment at which a
// refused write and the news of room may cross.
class Export : public std::enable_shared_from_this<Export> {
 public:
  Export(const Surroundings& around, Reach reach, Rows rows) : around_(around), reach_(std::move(reach)), rows_(std::move(rows)) {}

  void start(const http::Responder& responder) {
    responder_ = responder;
    bytes_ = rows_.head();
    visit();
  }

 private:
  void visit() {
    const int32_t partition = reach_.partitions[at_];
    if (const auto instance = elsewhere(around_, reach_, partition)) return ask(*instance, partition);
    ask_shard(around_.directory, partition, [self = shared_from_this()](serving::ShardReader* reader) { return self->turn(reader); });
  }

  bool turn(serving::ShardReader* reader) {
    if (reader == nullptr) return fail(away_problem("a shard is not here at the moment"));
    if (!rows_.query().fits(*reader)) return fail(definitions_change());
    if (const auto read = rows_.take(*reader, next_, bytes_); !read) return fail(error_problem(read.error()));
    if (!step()) return true;
    if (next_ != 0) return false;  // the same shard
    visit();
    return true;
  }

  // The next rows of a shard elsewhere.
  void ask(const serving::Instance& instance, int32_t partition) {
    std::string body;
    codec::JsonWriter json(body);
    json.begin_object();
    json.name("expression"), json.string(rows_.query().texts().front());
    json.name("columns"), json.begin_array();
    for (const Column column : rows_.columns()) json.string(column_names()[static_cast<size_t>(column)]);
    json.end_array();
    json.end_object();
    Neighbours::Question question{.method = "POST", .target = rows_.csv() ? "/v1/audiences/export?format=csv" : "/v1/audiences/export"};
    question.partitions = {partition};
    question.definitions = rows_.query().definitions();
    question.body = std::move(body);
    question.headers = {{std::string(kFromHeader), std::to_string(next_)}};
    around_.neighbours->ask(instance, std::move(question), [self = shared_from_this()](const http::Response& answer) { self->take(answer); });
  }

  void take(const http::Response& answer) {
    if (answer.status != 200) {
      fail(answer);
      return;
    }
    const auto header =
        std::find_if(answer.headers.begin(), answer.headers.end(), [](const auto& one) { return http::equal_ignoring_case(one.name, kNextHeader); });
    const bool is_last = header == answer.headers.end();
    const auto next = is_last ? std::optional(audience::kNoUser) : parse_user(header->value);
    if (!next || *next <= next_) {
      fail(away_problem("another instance gave no part of an export that can be used"));
      return;
    }
    next_ = *next;
    bytes_ += answer.body;
    if (step()) visit();
  }

  // Moves on behind the rows that were taken, and writes them. True: go on.
  bool step() {
    if (!started_) begin();
    if (next_ == audience::kNoUser) ++at_, next_ = 0;
    done_ = at_ == reach_.partitions.size();
    if (!write()) return false;
    if (done_) stream_.end();
    return !done_;
  }

  void begin() {
    started_ = true;
    stream_ = responder_->stream(
        {.content_type = std::string(rows_.content_type()),
         .headers = {{"Content-Disposition", rows_.csv() ? "attachment; filename=\"audience.csv\"" : "attachment; filename=\"audience.ndjson\""}}});
    responder_.reset();
    stream_.on_drain([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->drained();
    });
  }

  // True: go on. False: the reader is gone, or drained() goes on.
  bool write() {
    if (bytes_.empty()) return true;
    const std::lock_guard lock(mutex_);
    switch (stream_.write(bytes_)) {
      case http::StreamWrite::kTaken:
        bytes_.clear();
        return true;
      case http::StreamWrite::kFull:
        held_ = shared_from_this();
        return false;
      case http::StreamWrite::kGone:
        return false;
    }
    return false;
  }

  void drained() {
    std::shared_ptr<Export> self;
    {
      const std::lock_guard lock(mutex_);
      if (!held_) return;
      self = std::move(held_);
    }
    if (!write()) return;
    if (done_) return stream_.end();
    visit();
  }

  bool fail(http::Response response) {
    if (!started_) responder_->send(std::move(response));
    if (started_) stream_.abort();
    return true;
  }

  const Surroundings& around_;
  const Reach reach_;
  const Rows rows_;
  std::optional<http::Responder> responder_;
  http::Stream stream_;
  size_t at_ = 0;  // in reach_.partitions: whose turn it is
  audience::UserNumber next_ = 0;
  std::string bytes_;
  bool started_ = false;
  bool done_ = false;
  std::mutex mutex_;
  std::shared_ptr<Export> held_;  // itself, while it waits for room; guarded by mutex_
};

}  // namespace

void export_audience(const Surroundings& around, const http::Request& request, const http::Responder& responder) {
  QueryReader query(request);
  const auto format = query.choice("format", {"ndjson", "csv"});
  if (const auto& mistakes = query.finish(); !mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  BodyReader body(request.body);
  const auto text = body.text("expression", audience::kMaxExpressionBytes, true).value_or("");
  const auto columns = body.choices("columns", column_names(), 1).value_or(std::vector<size_t>{0});
  Mistakes mistakes = body.finish();
  auto reach = reach_of(around, request, responder);
  if (!reach) return;
  if (reach->is_stale) return responder.send(definitions_change());
  std::shared_ptr<const AudienceQuery> audience;
  if (mistakes.empty()) audience = AudienceQuery::make({text}, *around.definitions(), {"/expression"}, mistakes);
  if (!mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  std::vector<Column> chosen;
  for (const size_t column : columns) chosen.push_back(static_cast<Column>(column));
  if (reach->partitions.empty()) return responder.send(away_problem("no shard is here at the moment"));
  Rows rows(std::move(audience), std::move(chosen), format.value_or(0) == 1);
  if (reach->only_here) return export_part(around, *reach, std::move(rows), request, responder);
  std::make_shared<Export>(around, std::move(*reach), std::move(rows))->start(responder);
}

}  // namespace segue::api
