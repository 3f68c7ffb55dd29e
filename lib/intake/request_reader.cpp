// SPDX-License-Identifier: Apache-2.0
#include "lib/intake/request_reader.h"

#include "lib/codec/event_json.h"

namespace segue::intake {

using event::RejectReason;

void RequestReader::clear() {
  arena_.clear();
  lines_.clear();
  users_.clear();
  ends_.clear();
  records_.clear();
  batch_ = {};
}

bool RequestReader::add(const event::Event& event) {
  const size_t begin = lines_.size();
  codec::append_json(event, lines_);
  if (lines_.size() - begin > event::kMaxRecordBytes) return lines_.resize(begin), false;
  users_.push_back(event.user_id);
  ends_.push_back(lines_.size());
  ++batch_.accepted[event::index(event.type)];
  return true;
}

// The lines lie still from here on.
void RequestReader::finish() {
  const std::string_view lines = lines_;
  size_t begin = 0;
  for (size_t i = 0; i < ends_.size(); ++i) {
    records_.push_back({users_[i], lines.substr(begin, ends_[i] - begin)});
    begin = ends_[i];
  }
  batch_.records = records_;
}

Result<> RequestReader::read_calls(std::string_view body, std::optional<codec::CallKind> kind, Time received_at) {
  clear();
  SEGUE_TRY(calls_.open(body, kind, received_at));
  uint64_t too_large = 0;
  event::Event event;
  while (calls_.next(event)) too_large += !add(event);
  batch_.calls = calls_.counts();
  batch_.calls.of(codec::SkipReason::kCallTooLarge) += too_large;
  batch_.write_key = calls_.write_key();
  finish();
  return {};
}

void RequestReader::reject(uint64_t line, RejectReason reason) {
  ++batch_.rejected[static_cast<size_t>(reason)];
  if (batch_.told.size() < IntakeBatch::kToldRejects) batch_.told.push_back({line, reason});
}

void RequestReader::read_events(std::string_view body, Time received_at) {
  clear();
  body_.assign(body).append(codec::EventDecoder::kPadding, ' ');
  std::string_view rest(body_.data(), body.size());
  event::Event event;
  for (uint64_t number = 1; !rest.empty(); ++number) {
    const size_t size = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, size);
    rest.remove_prefix(std::min(size + 1, rest.size()));
    if (line.empty() || line == "\r") continue;
    const auto rejection = decoder_.decode(line, received_at, arena_, event);
    if (rejection) {
      reject(number, *rejection);
    } else if (event.type == event::EventType::kDelete) {
      // A write key is no permission to erase.
      reject(number, RejectReason::kUnknownType);
    } else if (event.ts - received_at > codec::DecodeOptions{}.future_bound) {
      reject(number, RejectReason::kFromTheFuture);
    } else {
      event.received_at = received_at;
      if (!add(event)) reject(number, RejectReason::kRecordTooLarge);
    }
  }
  finish();
}

}  // namespace segue::intake
