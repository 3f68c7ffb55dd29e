// SPDX-License-Identifier: Apache-2.0
#include "lib/filelog/journal_file.h"

#include <algorithm>
#include <cstring>

#include "lib/base/assert.h"
#include "lib/base/bytes.h"
#include "lib/base/hash.h"

namespace segue::filelog {
namespace {

constexpr std::string_view kMagic = "SEGUEJNL";
constexpr size_t kFixedHeaderBytes = 8 + 4 + 4;
constexpr size_t kWindowBytes = 1 << 20;

uint64_t word_at(std::string_view bytes, size_t offset) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return word;
}

uint32_t length_at(std::string_view frame) {
  uint32_t length = 0;
  std::memcpy(&length, frame.data() + 16, sizeof length);
  return length;
}

bool is_length(uint32_t length) { return length >= 1 && length <= kMaxJournalPayloadBytes; }

}  // namespace

std::string journal_header(std::string_view shard) {
  SEGUE_ASSERT(!shard.empty() && shard.size() <= kMaxShardNameBytes);
  std::string header(kMagic);
  ByteWriter writer(header);
  writer.fixed(kJournalVersion);
  writer.fixed(static_cast<uint32_t>(shard.size()));
  header.append(shard);
  const uint64_t checksum = hash64(header);
  writer.fixed(checksum);
  return header;
}

uint64_t journal_header_checksum(std::string_view shard) {
  const std::string header = journal_header(shard);
  return word_at(header, header.size() - 8);
}

uint64_t append_journal_frame(std::string& out, std::string_view payload, uint64_t previous) {
  SEGUE_ASSERT(!payload.empty() && payload.size() <= kMaxJournalPayloadBytes);
  const size_t begin = out.size();
  ByteWriter writer(out);
  writer.fixed(uint64_t{0});
  writer.fixed(previous);
  writer.fixed(static_cast<uint32_t>(payload.size()));
  out.append(payload);
  const uint64_t checksum = hash64(std::string_view(out).substr(begin + 8));
  std::memcpy(out.data() + begin, &checksum, sizeof checksum);
  return checksum;
}

Result<bool> JournalReader::read_header() {
  const auto size = file_.size();
  if (!size) return tl::unexpected(size.error());
  file_bytes_ = *size;
  const std::string expected = journal_header(shard_);
  const auto head = window(0, kFixedHeaderBytes + kMaxShardNameBytes + 8);
  if (!head) return tl::unexpected(head.error());
  if (head->starts_with(expected)) {
    valid_bytes_ = expected.size();
    checksum_ = word_at(expected, expected.size() - 8);
    return true;
  }
  if (head->size() >= kFixedHeaderBytes && head->starts_with(kMagic)) {
    uint32_t version = 0;
    uint32_t name_bytes = 0;
    std::memcpy(&version, head->data() + 8, sizeof version);
    std::memcpy(&name_bytes, head->data() + 12, sizeof name_bytes);
    const size_t checked = kFixedHeaderBytes + std::min<size_t>(name_bytes, kMaxShardNameBytes);
    const bool whole = head->size() >= checked + 8 && hash64(head->substr(0, checked)) == word_at(*head, checked);
    if (whole && version != kJournalVersion) {
      return fail(ErrorClass::kData,
                  path_ + ": journal file of version " + std::to_string(version) + "; this program reads version " + std::to_string(kJournalVersion));
    }
    if (whole) return fail(ErrorClass::kData, path_ + ": journal of another shard, " + std::string(head->substr(kFixedHeaderBytes, name_bytes)));
  }
  if (file_bytes_ <= expected.size()) return false;
  return damaged("its header is damaged");
}

Result<std::optional<codec::JournalRecord>> JournalReader::next() {
  const auto frame = frame_at(valid_bytes_);
  if (!frame) return tl::unexpected(frame.error());
  if (!*frame) {
    const auto more = any_frame_after(valid_bytes_);
    if (!more) return tl::unexpected(more.error());
    if (*more) return damaged("the record is damaged, and whole records follow");
    return std::nullopt;
  }
  if (word_at(**frame, 8) != checksum_) return damaged("a record is missing, repeated or out of order");
  auto record = codec::decode_journal_record((*frame)->substr(kFrameHeadBytes));
  if (!record) return damaged(record.error().message);
  SEGUE_TRY(check_order(*record));
  checksum_ = word_at(**frame, 0);
  valid_bytes_ += (*frame)->size();
  last_ = *record;
  return std::optional<codec::JournalRecord>(std::move(*record));
}

// What two neighbours must agree on besides the chain: a program's mistake would show here.
Result<> JournalReader::check_order(const codec::JournalRecord& record) const {
  if (record.sequence != last_.sequence + 1) {
    return damaged("commit " + std::to_string(record.sequence) + " follows commit " + std::to_string(last_.sequence));
  }
  const auto goes_on = [](const codec::OutputMark& before, const codec::OutputMark& now) {
    return now.count == 0 ? now.length == before.length : now.length > before.length;
  };
  if (!goes_on(last_.transitions, record.transitions) || !goes_on(last_.dead_letters, record.dead_letters)) {
    return damaged("commit " + std::to_string(record.sequence) + " states output lengths that do not follow from the commit before");
  }
  return {};
}

tl::unexpected<Error> JournalReader::damaged(const std::string& what) const {
  return fail(ErrorClass::kData, path_ + ": damaged at offset " + std::to_string(valid_bytes_) + ": " + what);
}

// `bytes` of the file from `offset` on, fewer at its end. Valid until the next call.
Result<std::string_view> JournalReader::window(uint64_t offset, size_t bytes) {
  bytes = static_cast<size_t>(std::min<uint64_t>(bytes, file_bytes_ > offset ? file_bytes_ - offset : 0));
  if (offset < buffer_offset_ || offset + bytes > buffer_offset_ + buffer_.size()) {
    buffer_.resize(static_cast<size_t>(std::min<uint64_t>(std::max(bytes, kWindowBytes), file_bytes_ - offset)));
    buffer_offset_ = offset;
    const auto got = file_.read_at(offset, buffer_);
    if (!got) return tl::unexpected(got.error());
    buffer_.resize(*got);
    if (*got < bytes) return fail(ErrorClass::kRetry, path_ + ": became shorter while it was read");
  }
  return std::string_view(buffer_).substr(static_cast<size_t>(offset - buffer_offset_), bytes);
}

// The whole frame at `offset`; empty when the bytes there are none.
Result<std::optional<std::string_view>> JournalReader::frame_at(uint64_t offset) {
  const auto head = window(offset, kFrameHeadBytes);
  if (!head) return tl::unexpected(head.error());
  if (head->size() < kFrameHeadBytes || !is_length(length_at(*head))) return std::nullopt;
  const size_t bytes = kFrameHeadBytes + length_at(*head);
  const auto frame = window(offset, bytes);
  if (!frame) return tl::unexpected(frame.error());
  if (frame->size() < bytes || hash64(frame->substr(8)) != word_at(*frame, 0)) return std::nullopt;
  return std::optional<std::string_view>(*frame);
}

// Looks at every byte: the damage may be in a length. Few places have a possible length, so this costs about as much as reading.
Result<bool> JournalReader::any_frame_after(uint64_t offset) {
  for (uint64_t at = offset + 1; at + kFrameHeadBytes < file_bytes_; ++at) {
    const auto frame = frame_at(at);
    if (!frame) return tl::unexpected(frame.error());
    if (*frame) return true;
  }
  return false;
}

}  // namespace segue::filelog
