// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/http/message.h"

namespace segue::http {

// Bytes to one request: Beast's parser behind plain types, the only user of it with ResponseReader.
class RequestReader {
 public:
  enum class State : uint8_t { kHead, kBody, kDone, kFailed };

  explicit RequestReader(size_t max_header_bytes);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes bytes from the front and says how many; those left are to be given again with what follows them. Stops behind the head, and behind the
  // request.
  size_t feed(std::string_view bytes);
  State state() const;
  // kFailed: the status to answer with.
  unsigned failure() const;

  // From kBody on.
  Request take_head();  // method, path, query, headers; a path of "" is no path
  bool keep_alive() const;
  bool expects_continue() const;
  unsigned minor_version() const;
  // Between head and body; false where the head already says that it is longer.
  bool limit_body(size_t max_bytes);
  // kDone.
  std::string take_body();
  // For the next request.
  void reset();

 private:
  struct Parser;
  const size_t max_header_bytes_;
  std::unique_ptr<Parser> parser_;
};

// Bytes to one response.
class ResponseReader {
 public:
  // A response to HEAD has no body.
  ResponseReader(size_t max_body_bytes, bool to_head);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  size_t feed(std::string_view bytes);
  // The connection ended; completes a body without a length.
  void end();
  bool is_done() const;
  bool is_failed() const;
  bool keep_alive() const;
  // is_done.
  Response take();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace segue::http
