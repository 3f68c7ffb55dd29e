// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace segue::http {

enum class StreamWrite : uint8_t {
  kTaken,
  kFull,  // not taken: the queue is at its limit; the drain callback says when there is room
  kGone,  // not taken: the client went away, was too slow, or the server drains; nothing will be taken any more
};

// What a stream's writers and its connection share: bytes that wait for the socket. Thread-safe.
class StreamQueue {
 public:
  // `changed` tells the connection that there is something to take; called on the writer's thread, once until take().
  StreamQueue(size_t max_bytes, std::function<void()> changed) : max_bytes_(max_bytes), changed_(std::move(changed)) {}

  StreamWrite write(std::string_view bytes);
  void end();
  void abort();
  void on_drain(std::function<void()> callback);
  size_t queued_bytes() const;
  bool is_gone() const;

  // The connection's side, on its thread.
  struct Taken {
    std::string bytes;
    bool ended = false;    // nothing comes behind them
    bool aborted = false;  // the connection is to break
  };
  Taken take();
  // The bytes taken last are in the kernel: calls the drain callback where a write was refused.
  void written();
  // The client is gone, or has everything. Lets go of the drain callback, and calls it a last time where the body was not ended.
  void close();

 private:
  const size_t max_bytes_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::string waiting_;
  size_t in_flight_bytes_ = 0;
  bool told_ = false;
  bool refused_ = false;
  bool ended_ = false;
  bool aborted_ = false;
  bool gone_ = false;
  std::shared_ptr<std::function<void()>> drain_;
};

// A body that goes on: Server-Sent Events, an export. A handle; copies are the same stream. When the last one goes, the body ends.
// Any thread.
class Stream {
 public:
  Stream() = default;
  explicit Stream(std::shared_ptr<StreamQueue> queue);

  // Bytes of the body, whole or not at all. A single write larger than the limit is taken when the queue is empty.
  StreamWrite write(std::string_view bytes);
  // The body is complete; a client can tell that from a broken connection.
  void end();
  // It will not be: breaks the connection, so that nobody takes a part for the whole.
  void abort();
  // Called on the server's thread when there is room after a refused write, and once when the client has gone. Must not block.
  void on_drain(std::function<void()> callback);
  size_t queued_bytes() const;
  bool is_gone() const;

 private:
  class Ender;
  std::shared_ptr<Ender> ender_;
};

}  // namespace segue::http
