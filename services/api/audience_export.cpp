// SPDX-License-Identifier: Apache-2.0
// POST /v1/audiences/export: a whole audience as a stream, read from one shard after the other in slices, as fast as its reader takes it.
#include <algorithm>
#include <atomic>
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

// One export under way. Its steps follow one another, on shards' threads and on the server's; the mutex is for the moment at which a refused write
// and the news of room may cross.
class Export : public std::enable_shared_from_this<Export> {
 public:
  Export(const Surroundings& around, std::shared_ptr<const AudienceQuery> query, std::vector<Column> columns, bool csv)
      : around_(around), query_(std::move(query)), columns_(std::move(columns)), csv_(csv) {}

  void start(const http::Responder& responder) {
    responder_ = responder;
    if (csv_) {
      for (const Column column : columns_) bytes_.append(bytes_.empty() ? "" : ",").append(column_names()[static_cast<size_t>(column)]);
      bytes_ += "\r\n";
    }
    visit();
  }

 private:
  void visit() {
    ask_shard(around_.directory, partition_, [self = shared_from_this()](serving::ShardReader* reader) { return self->turn(reader); });
  }

  bool turn(serving::ShardReader* reader) {
    if (reader == nullptr) return fail(away_problem("a shard is not here at the moment"));
    if (!query_->fits(*reader)) return fail(away_problem("new definitions are coming into force"));
    const auto read = take_users(*reader);
    if (!read) return fail(error_problem(read.error()));
    if (!started_) begin();
    if (next_ == audience::kNoUser) ++partition_, next_ = 0;
    done_ = static_cast<size_t>(partition_) >= around_.directory.partitions();
    const bool same_shard = next_ != 0 && !done_;
    if (!write()) return true;
    if (done_) return stream_.end(), true;
    if (same_shard) return false;
    visit();
    return true;
  }

  Result<> take_users(serving::ShardReader& reader) {
    const bool needs_profiles = std::any_of(columns_.begin(), columns_.end(), [](Column column) { return column != Column::kUserId; });
    std::vector<audience::UserNumber> users;
    next_ = audience::page(reader.shard().audiences(), query_->expressions().front(), next_, needs_profiles ? kProfilesOfTurn : kIdsOfTurn, 4, users);
    if (!needs_profiles) {
      for (const auto user : users) append_row({reader.shard().user_id(user), nullptr, reader.definitions()}, bytes_);
      return {};
    }
    // Those in memory come first, whatever their place.
    std::vector<std::string> rows(users.size());
    SEGUE_TRY(
        reader.find_many(std::span<const audience::UserNumber>(users), [&](size_t index, shard::UserNumber user, const profile::Profile* profile) {
          if (profile != nullptr) append_row({reader.shard().user_id(user), profile, reader.definitions()}, rows[index]);
        }));
    for (const auto& row : rows) bytes_ += row;
    return {};
  }

  void append_row(const Row& row, std::string& out) const {
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

  void begin() {
    started_ = true;
    stream_ = responder_->stream(
        {.content_type = csv_ ? "text/csv; charset=utf-8" : "application/x-ndjson",
         .headers = {{"Content-Disposition", csv_ ? "attachment; filename=\"audience.csv\"" : "attachment; filename=\"audience.ndjson\""}}});
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
  const std::shared_ptr<const AudienceQuery> query_;
  const std::vector<Column> columns_;
  const bool csv_;
  std::optional<http::Responder> responder_;
  http::Stream stream_;
  int32_t partition_ = 0;
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
  std::shared_ptr<const AudienceQuery> audience;
  if (mistakes.empty()) audience = AudienceQuery::make({text}, *around.definitions(), {"/expression"}, mistakes);
  if (!mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  std::vector<Column> chosen;
  for (const size_t column : columns) chosen.push_back(static_cast<Column>(column));
  std::make_shared<Export>(around, std::move(audience), std::move(chosen), format.value_or(0) == 1)->start(responder);
}

}  // namespace segue::api
