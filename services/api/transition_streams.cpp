// SPDX-License-Identifier: Apache-2.0
#include "services/api/transition_streams.h"

#include <algorithm>
#include <utility>

#include "lib/codec/json_writer.h"
#include "lib/telemetry/log.h"
#include "services/api/cursor.h"
#include "services/api/query_reader.h"

namespace segue::api {
namespace {

// Bytes of lines read for one reader before the others have their turn.
constexpr size_t kSliceBytes = 64 << 10;

const std::vector<std::string_view>& type_names() {
  static const std::vector<std::string_view> names = {"move", "entered", "left", "tagged", "untagged", "erased"};
  return names;
}

constexpr std::string_view kLost = "transitions behind the last event id are no longer there";
constexpr std::string_view kForeign =
    "the last event id is of another stream, such as an earlier version's or another topic's: what lies behind it is not told, this stream begins "
    "now";

std::string gap_event(std::string_view detail) { return "event: gap\ndata: {\"detail\":\"" + std::string(detail) + "\"}\n\n"; }

// A member with its value, as a line of outputs has it. A string's own quotes are escaped, so that this stands nowhere within one.
std::string member(std::string_view name, std::string_view value) {
  std::string out = ",\"" + std::string(name) + "\":";
  codec::append_json_string(out, value);
  return out;
}

}  // namespace

bool TransitionFilter::passes(std::string_view line) const {
  const auto has = [&](const std::string& text) {
    const size_t at = line.find(text);
    return at != std::string_view::npos && at + text.size() < line.size() && (line[at + text.size()] == ',' || line[at + text.size()] == '}');
  };
  if (!user_id.empty() && !has(member("user_id", user_id))) return false;
  if (!name.empty() && !has(member("name", name))) return false;
  return types.empty() || std::any_of(types.begin(), types.end(), [&](const std::string& type) { return has(member("type", type)); });
}

TransitionStreams::TransitionStreams(serving::TransitionFeed& feed) : feed_(feed) {
  watch_ = feed_.watch([this] { wake(); });
  thread_ = std::thread([this] { run(); });
}

TransitionStreams::~TransitionStreams() {
  watch_.reset();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

size_t TransitionStreams::size() const {
  const std::lock_guard lock(mutex_);
  return streams_;
}

void TransitionStreams::wake() {
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
  }
  changed_.notify_one();
}

void TransitionStreams::open(const http::Request& request, const http::Responder& responder) {
  QueryReader query(request);
  auto reader = std::make_unique<Reader>();
  for (const size_t type : query.choices("type", type_names())) reader->filter.types.emplace_back(type_names()[type]);
  reader->filter.name = query.text("name", 512).value_or("");
  reader->filter.user_id = query.text("user_id", 256).value_or("");
  std::string last = query.text("last_event_id", kMaxCursorBytes).value_or("");
  Mistakes mistakes = query.finish();
  // The header is what a browser sends when it comes again: newer than what the page's address says.
  if (!request.header("Last-Event-ID").empty()) last = request.header("Last-Event-ID");
  reader->cursor = feed_.end();
  reader->waiting = "retry: 2000\n";
  // The partitions of a topic are found all at once: a cursor has all of them.
  const bool is_found = feed_.options().places == serving::FeedPlaces::kBytes || !reader->cursor.empty();
  if (!last.empty()) {
    const auto cursor = parse_feed_cursor(last, feed_.options().name);
    if (cursor) {
      reader->cursor = *cursor;
    } else if (is_feed_cursor(last)) {
      reader->waiting += gap_event(kForeign);
    } else {
      mistakes.push_back({.at = "Last-Event-ID", .message = "not an id of this stream"});
    }
  }
  if (!mistakes.empty()) return responder.send(mistakes_problem(400, mistakes));
  if (!is_found) return responder.send(away_problem("the transitions topic has not been found yet"));
  if (!admit()) {
    http::Response full = http::problem(429, "too many streams are open");
    full.headers.push_back({"Retry-After", "15"});
    return responder.send(std::move(full));
  }
  // Not under the lock: a client that is gone already has the callback called at once. Proxies must not collect a stream.
  reader->stream = responder.stream({.content_type = "text/event-stream", .headers = {{"X-Accel-Buffering", "no"}}});
  reader->stream.on_drain([this] { wake(); });
  reader->waiting += id_line(reader->cursor) + "\n";
  {
    const std::lock_guard lock(mutex_);
    arriving_.push_back(std::move(reader));
    news_ = true;
  }
  changed_.notify_one();
}

std::string TransitionStreams::id_line(const serving::FeedCursor& cursor) const { return "id: " + to_text(cursor, feed_.options().name) + "\n"; }

bool TransitionStreams::admit() {
  const std::lock_guard lock(mutex_);
  if (streams_ == kMaxStreams || stopping_) return false;
  ++streams_;
  return true;
}

void TransitionStreams::run() {
  for (bool more = false;;) {
    {
      std::unique_lock lock(mutex_);
      // Heartbeats are due at the latest then; they need no exact time.
      if (!more) changed_.wait_for(lock, std::chrono::seconds(1), [this] { return news_ || stopping_; });
      if (stopping_) break;
      news_ = false;
      for (auto& reader : arriving_) readers_.push_back(std::move(reader));
      arriving_.clear();
    }
    more = false;
    const auto now = Clock::now();
    for (auto reader = readers_.begin(); reader != readers_.end();) {
      const bool stays = serve(**reader, now);
      more |= stays && !(*reader)->is_blocked && (*reader)->written_at == now;
      const auto next = std::next(reader);
      if (!stays) {
        readers_.erase(reader);
        const std::lock_guard lock(mutex_);
        --streams_;
      }
      reader = next;
    }
  }
  for (auto& reader : readers_) reader->stream.end();
  readers_.clear();
}

bool TransitionStreams::write(Reader& reader, std::string bytes, Clock::time_point now) {
  switch (reader.stream.write(bytes)) {
    case http::StreamWrite::kTaken:
      reader.is_blocked = false;
      reader.written_at = now;
      return true;
    case http::StreamWrite::kFull:
      if (!reader.is_blocked) reader.blocked_since = now;
      reader.is_blocked = true;
      reader.waiting = std::move(bytes);
      return now - reader.blocked_since < kPatience;
    case http::StreamWrite::kGone:
      return false;
  }
  return false;
}

Result<bool> TransitionStreams::read_slice(Reader& reader, std::string& out) {
  serving::FeedCursor seen = reader.cursor;
  const auto progress = feed_.read(reader.cursor, kSliceBytes, [&](const serving::TransitionFeed::Line& line) {
    seen[line.partition] = line.end;
    if (!reader.filter.passes(line.text)) return;
    out += id_line(seen) + "event: transition\ndata: ";
    out.append(line.text).append("\n\n");
  });
  if (!progress) return tl::unexpected<Error>(progress.error());
  if (progress->gap) out.insert(0, gap_event(kLost));
  return progress->more;
}

bool TransitionStreams::serve(Reader& reader, Clock::time_point now) {
  if (reader.stream.is_gone()) return false;
  if (!reader.waiting.empty() && !write(reader, std::exchange(reader.waiting, {}), now)) return false;
  if (reader.is_blocked) return true;
  std::string out;
  const auto more = read_slice(reader, out);
  if (!more && more.error().kind == ErrorClass::kUsage) {
    // Another directory's id, or one from a log that was cut back: what it has seen is not known.
    reader.cursor = feed_.end();
    out = gap_event(kLost) + id_line(reader.cursor) + "\n";
  } else if (!more) {
    telemetry::log::error("a transition stream ends", {{"reason", more.error().message}});
    return false;
  }
  if (out.empty() && now - reader.written_at >= kHeartbeat) out = ":\n" + id_line(reader.cursor) + "\n";
  if (!out.empty()) return write(reader, std::move(out), now);
  if (more && *more) wake();
  return true;
}

}  // namespace segue::api
