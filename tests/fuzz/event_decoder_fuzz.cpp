// SPDX-License-Identifier: Apache-2.0
// The JSON decoder against the plain oracle: same reason, or same event, whatever the bytes, their padding and their neighbours; and what it accepts
// survives being written and read again, as JSON and as protobuf.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/codec/event_decoder.h"
#include "lib/codec/event_json.h"
#include "lib/codec/event_protobuf.h"
#include "tests/unit/codec/event_oracle.h"

namespace {

using namespace segue;

void demand(bool condition) {
  if (!condition) std::abort();
}

codec::Rejection decode(codec::EventDecoder& decoder, std::string& line, char behind, Time appended_at, Arena& arena, event::Event& event) {
  const size_t size = line.size();
  line.append(codec::EventDecoder::kPadding, behind);
  // An exact allocation, so that the address sanitizer sees a read past the padding.
  line.shrink_to_fit();
  return decoder.decode(std::string_view(line.data(), size), appended_at, arena, event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static codec::EventDecoder decoder;
  static codec::EventProtobufDecoder protobuf_decoder;
  if (size == 0) return 0;
  const char behind = static_cast<char>(data[0]);
  const Time appended_at = data[0] % 2 == 0 ? kNoTime : time_from_ms(1'700'000'000'000);
  std::string line(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string original = line;
  const codec::oracle::Oracle expected(original, appended_at);

  Arena arena;
  event::Event event;
  const auto rejection = decode(decoder, line, behind, appended_at, arena, event);
  demand(rejection == expected.reason());
  if (!rejection) {
    demand(codec::oracle::equal(event, expected.event()));
    event::Event again;
    std::string json;
    codec::append_json(event, json);
    demand(!decode(decoder, json, behind, appended_at, arena, again) && codec::oracle::equal(again, event));
    std::string bytes;
    codec::append_protobuf(event, bytes);
    if (bytes.size() <= event::kMaxRecordBytes)
      demand(!protobuf_decoder.decode(bytes, appended_at, arena, again) && codec::oracle::equal(again, event));
  }

  // Twice in a block, between lines that are right. The bytes as protobuf must only not crash.
  event::Event other;
  static_cast<void>(protobuf_decoder.decode(original, appended_at, arena, other));
  if (original.find('\n') != original.npos) return 0;
  const std::string good = R"({"event_id":"e","user_id":"u","type":"view","ts":1})";
  const std::string* const lines[] = {&good, &original, &original, &good};
  std::string block;
  for (const std::string* one : lines) block.append(*one).push_back('\n');
  const size_t block_size = block.size();
  block.append(codec::EventDecoder::kPadding, behind);
  decoder.index_lines(std::string_view(block.data(), block_size));
  const char* begin = block.data();
  for (const std::string* one : lines) {
    event::Event in_block;
    const auto verdict = decoder.decode({begin, one->size()}, one == &good ? kNoTime : appended_at, arena, in_block);
    if (one == &good) {
      demand(!verdict);
    } else {
      demand(verdict == expected.reason() && (verdict || codec::oracle::equal(in_block, expected.event())));
    }
    begin += one->size() + 1;
  }
  decoder.index_lines({});
  return 0;
}
