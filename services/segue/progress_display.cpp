// SPDX-License-Identifier: Apache-2.0
#include "services/segue/progress_display.h"

#include <algorithm>

#include "services/tools/display.h"
#include "services/tools/wording.h"

namespace segue::program {
namespace {

using Phase = replay::ReplayStatus::Phase;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Long enough to be calm over commits and checkpoints, short enough to show a change.
constexpr auto kRateWindow = seconds(5);
constexpr auto kRedraw = milliseconds(200);
constexpr auto kLogInterval = seconds(10);
constexpr size_t kBarWidth = 20;

// "0:42", "12:05", "1:02:30".
std::string countdown(double left) {
  const auto whole = static_cast<uint64_t>(left + 0.5);
  const auto two = [](uint64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  const std::string end = two(whole % 60);
  return whole < 3600 ? std::to_string(whole / 60) + ":" + end : std::to_string(whole / 3600) + ":" + two(whole / 60 % 60) + ":" + end;
}

}  // namespace

std::string ProgressDisplay::update(const SessionSample& sample, Clock::time_point now) {
  moments_.push_back({now, sample.records + sample.replayed, sample.consumed_bytes});
  while (moments_.size() > 2 && now - moments_[1].at >= kRateWindow) moments_.pop_front();
  if (!drawn_) drawn_ = terminal_.is_tty ? now - kRedraw : now;  // the first log line comes after ten seconds
  if (now - *drawn_ < (terminal_.is_tty ? Clock::duration(kRedraw) : Clock::duration(kLogInterval))) return {};
  drawn_ = now;
  if (!terminal_.is_tty) return "segue: " + line(sample) + "\n";
  visible_ = true;
  // One column stays free: a full line would wrap on some terminals.
  return "\r\x1b[2K" + tools::truncated(line(sample), terminal_.width - 1);
}

std::string ProgressDisplay::clear() {
  if (!visible_) return {};
  visible_ = false;
  return "\r\x1b[2K";
}

std::string ProgressDisplay::line(const SessionSample& sample) const {
  if (sample.phase == Phase::kStarting) return "opening logs and state …";
  if (sample.phase == Phase::kRecovering) return "recovering: reading the users of the last checkpoint …";
  const double share = sample.total_bytes == 0 ? 1 : static_cast<double>(sample.consumed_bytes) / static_cast<double>(sample.total_bytes);
  std::string out = tools::padded_left(std::to_string(static_cast<int>(100 * share)), 3) + " % ";
  if (terminal_.is_tty) out += tools::padded(tools::bar(share, kBarWidth), kBarWidth) + " ";
  out += " " + tools::rate_text(rate(&Moment::events));
  const double bytes_rate = rate(&Moment::bytes);
  const auto left_bytes = static_cast<double>(sample.total_bytes - std::min(sample.consumed_bytes, sample.total_bytes));
  if (left_bytes == 0) {
    out += "  finishing";
  } else if (bytes_rate > 0) {
    out += "  " + countdown(left_bytes / bytes_rate) + " left";
  }
  if (sample.records == 0 && sample.replayed > 0) {
    out += "  catching up with the last commit: " + tools::grouped(sample.replayed) + " events";
  } else {
    out += "  " + tools::grouped(sample.records) + " events";
  }
  out += "  " + tools::grouped(sample.users) + " users  " + tools::grouped(sample.outputs) + " transitions";
  if (sample.dead_letters > 0) out += "  " + tools::grouped(sample.dead_letters) + " dead letters";
  return out;
}

double ProgressDisplay::rate(uint64_t Moment::*count) const {
  if (moments_.size() < 2) return 0;
  const double elapsed = std::chrono::duration<double>(moments_.back().at - moments_.front().at).count();
  const uint64_t more = moments_.back().*count - std::min(moments_.back().*count, moments_.front().*count);
  return elapsed > 0 ? static_cast<double>(more) / elapsed : 0;
}

}  // namespace segue::program
