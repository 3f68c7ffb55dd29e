// SPDX-License-Identifier: Apache-2.0
#include "lib/http/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "lib/base/assert.h"

namespace segue::http {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, and gzip's header instead of zlib's

struct Inflater {
  Inflater() { SEGUE_ASSERT(inflateInit2(&stream, kGzipWindow) == Z_OK); }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream stream{};
};

Bytef* writable(std::string_view bytes) { return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data())); }  // zlib only reads it

}  // namespace

tl::expected<std::string, GunzipError> gunzip(std::string_view bytes, size_t max_bytes) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  stream.next_in = writable(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  // Text shrinks to a fifth or so: mostly one round. One byte over the limit tells a body of exactly that size from a larger one.
  std::string out(std::min(bytes.size() * 6 + 256, max_bytes) + 1, '\0');
  size_t made = 0;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream.avail_out = static_cast<uInt>(out.size() - made);
    const int result = inflate(&stream, Z_NO_FLUSH);
    made = out.size() - stream.avail_out;
    if (made > max_bytes) return tl::unexpected(GunzipError::kTooLarge);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return out.resize(made), out;
      if (inflateReset(&stream) != Z_OK) return tl::unexpected(GunzipError::kDamaged);
    } else if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      return tl::unexpected(GunzipError::kDamaged);
    }
    // Only when it is full: a member of 20 bytes, of which a body may have thousands, must not cost a buffer's worth of zeros.
    if (stream.avail_out == 0) out.resize(std::min(2 * out.size(), max_bytes + 1));
  }
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  SEGUE_ASSERT(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = writable(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  SEGUE_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace segue::http
