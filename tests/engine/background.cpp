// SPDX-License-Identifier: Apache-2.0
#include "services/engine/background.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace segue::engine {
namespace {

TEST(Background, EveryJobIsRunBeforeItEnds) {
  std::atomic<int> run{0};
  {
    Background background(2);
    for (int i = 0; i < 100; ++i) background.put([&] { ++run; });
  }
  EXPECT_EQ(run, 100);
}

TEST(Background, DrainWaitsForWhatRuns) {
  std::atomic<int> run{0};
  std::promise<void> go;
  Background background(2);
  background.put([&] { go.get_future().wait(), ++run; });
  background.put([&] { ++run, go.set_value(); });
  background.drain();
  EXPECT_EQ(run, 2);
}

TEST(Background, AJobMayPutAnother) {
  std::atomic<int> run{0};
  Background background(1);
  background.put([&] { background.put([&] { ++run; }); });
  background.drain();
  EXPECT_EQ(run, 1);
}

}  // namespace
}  // namespace segue::engine
