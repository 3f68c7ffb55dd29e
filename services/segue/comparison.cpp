// SPDX-License-Identifier: Apache-2.0
#include "services/segue/comparison.h"

#include <algorithm>

#include "lib/base/hash.h"
#include "lib/codec/page_codec.h"
#include "services/segue/output_file.h"
#include "services/tools/display.h"
#include "services/tools/transition_line.h"
#include "services/tools/wording.h"

namespace segue::program {
namespace {

// Calls `visit` for every line of a directory.
Result<> for_each_line(StateReader& reader, const std::function<void(const tools::TransitionLine&)>& visit) {
  filelog::PosixFileSystem files;
  tools::TransitionReader lines;
  for (size_t shard = 0; shard < reader.shards(); ++shard)
    SEGUE_TRY(for_each_transition(files, reader.directory().path, reader.directory().shard_name(shard), [&](std::string_view text) -> Result<> {
      const auto line = lines.read(text);
      if (!line) return tl::unexpected<Error>(line.error());
      visit(*line);
      return {};
    }));
  return {};
}

}  // namespace

Result<> Comparison::read_moves(StateReader& reader, Side side, Users& users) {
  std::string step;
  return for_each_line(reader, [&](const tools::TransitionLine& line) {
    if (line.type != "move") return;
    step.assign(line.name).append("\n").append(std::to_string(to_ms(line.at)));
    uint64_t& hash = users[hash64(line.user_id)].hash[side];
    hash = hash64(step, hash);
  });
}

Result<> Comparison::read_stages(StateReader& reader, Side side, Users& users) {
  const auto& ids = reader.definitions().plan().stage_ids;
  for (size_t shard = 0; shard < reader.shards(); ++shard) {
    if (reader.store(shard) == nullptr) continue;
    SEGUE_TRY(reader.store(shard)->scan(codec::kPagePrefix, [&](std::string_view key, std::string_view page) -> Result<> {
      const auto id = codec::user_of_page_key(key);
      const auto header = codec::read_page_header(page);
      if (!id) return fail(ErrorClass::kData, "a page's key is malformed");
      if (!header) return tl::unexpected<Error>(header.error());
      const auto stage = std::find_if(ids.begin(), ids.end(), [&](uint64_t one) { return codec::page_id(one) == header->stage_id; });
      if (stage == ids.end()) return {};
      UserMoves& user = users[hash64(*id)];
      user.stage[side] = static_cast<uint8_t>(stage - ids.begin());
      user.sides = static_cast<uint8_t>(user.sides | 1u << side);
      return {};
    }));
  }
  return {};
}

void Comparison::count_users(const Users& all) {
  users_by_stage.assign(stages[kOld].size(), std::vector<uint64_t>(stages[kNew].size()));
  for (const auto& [id, user] : all) {
    ++users;
    if (user.hash[kOld] != user.hash[kNew]) ++users_with_other_moves;
    if (user.sides == 3) ++users_by_stage[user.stage[kOld]][user.stage[kNew]];
  }
}

Result<> Comparison::find_examples(std::array<std::unique_ptr<StateReader>, 2>& readers, const Users& all) {
  if (users_with_other_moves == 0) return {};
  std::set<std::string, std::less<>> first;
  for (auto& reader : readers)
    SEGUE_TRY(for_each_line(*reader, [&](const tools::TransitionLine& line) {
      const UserMoves& user = all.at(hash64(line.user_id));
      if (line.type != "move" || user.hash[kOld] == user.hash[kNew] || first.contains(line.user_id)) return;
      if (first.size() == kExamples && line.user_id > *first.rbegin()) return;
      first.emplace(line.user_id);
      if (first.size() > kExamples) first.erase(std::prev(first.end()));
    }));
  for (const std::string& id : first) examples.push_back({id, {}});
  for (const Side side : {kOld, kNew}) {
    const tools::LocalClock clock(readers[side]->definitions().time_zone());
    SEGUE_TRY(for_each_line(*readers[side], [&](const tools::TransitionLine& line) {
      if (line.type != "move" || !first.contains(line.user_id)) return;
      auto& example = examples[static_cast<size_t>(std::distance(first.begin(), first.find(line.user_id)))];
      example.moves[side].push_back(clock.text(line.at) + "  " + tools::printable(line.from) + " → " + tools::printable(line.to));
    }));
  }
  return {};
}

Result<Comparison> Comparison::make(const std::array<std::string, 2>& directories, const std::array<const replay::ReplaySummary*, 2>& summaries) {
  Comparison comparison;
  Users users;
  std::array<std::unique_ptr<StateReader>, 2> readers;
  for (const Side side : {kOld, kNew}) {
    auto reader = StateReader::open(directories[side]);
    if (!reader) return tl::unexpected<Error>(reader.error());
    readers[side] = std::move(*reader);
    const segment::Definitions& definitions = readers[side]->definitions();
    comparison.stages[side] = definitions.stages();
    for (size_t i = 0; i < definitions.moves().size(); ++i)
      comparison.moves[definitions.move(i).name].happened[side] += summaries[side]->totals.moves[i];
    for (size_t i = 0; i < definitions.definitions().size(); ++i)
      comparison.entered[definitions.definition(i).name].happened[side] += summaries[side]->totals.entered[i];
    SEGUE_TRY(read_moves(*readers[side], side, users));
    SEGUE_TRY(read_stages(*readers[side], side, users));
  }
  comparison.count_users(users);
  SEGUE_TRY(comparison.find_examples(readers, users));
  return comparison;
}

}  // namespace segue::program
