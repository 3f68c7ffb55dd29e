// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lib/http/router.h"
#include "lib/serving/transition_feed.h"

namespace segue::api {

// Which lines of docs/formats/outputs.md a stream lets through. Empty: all.
struct TransitionFilter {
  std::vector<std::string> types;
  std::string name;
  std::string user_id;

  bool passes(std::string_view line) const;
};

// Server-Sent Events of the transitions, for many readers, on one thread of its own. Each reader is at a place of his own in the feed; one who takes
// nothing waits there and costs no memory but his queue's.
class TransitionStreams {
 public:
  static constexpr size_t kMaxStreams = 64;
  static constexpr std::chrono::seconds kHeartbeat{15};
  // A reader who takes nothing for as long is cut off.
  static constexpr std::chrono::seconds kPatience{30};

  // The feed outlives it.
  explicit TransitionStreams(serving::TransitionFeed& feed);
  // Ends every stream.
  ~TransitionStreams();
  TransitionStreams(const TransitionStreams&) = delete;
  TransitionStreams& operator=(const TransitionStreams&) = delete;

  // GET /v1/transitions.
  void open(const http::Request& request, const http::Responder& responder);
  size_t size() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Reader {
    http::Stream stream;
    TransitionFilter filter;
    serving::FeedCursor cursor;
    std::string waiting;  // refused by the stream's queue: the first to be written
    bool is_blocked = false;
    Clock::time_point blocked_since;
    Clock::time_point written_at;
  };

  std::string id_line(const serving::FeedCursor& cursor) const;
  bool admit();
  void run();
  void wake();
  // False: the stream has come to its end.
  bool serve(Reader& reader, Clock::time_point now);
  bool write(Reader& reader, std::string bytes, Clock::time_point now);
  Result<bool> read_slice(Reader& reader, std::string& out);

  serving::TransitionFeed& feed_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_
  std::vector<std::unique_ptr<Reader>> arriving_;
  size_t streams_ = 0;
  bool news_ = false;
  bool stopping_ = false;

  std::list<std::unique_ptr<Reader>> readers_;  // the thread's
  std::unique_ptr<serving::TransitionFeed::Watch> watch_;
  std::thread thread_;
};

}  // namespace segue::api
