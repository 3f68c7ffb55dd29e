// SPDX-License-Identifier: Apache-2.0
#include "services/segue/interruption.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "services/segue/exit_code.h"
#include "services/segue/systemd.h"

namespace segue::program {

void hold_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

bool run_watched(const WatchedWork& watched) {
  sigset_t signals, before;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, number);
  if (watched.hangup) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, &before);

  std::atomic<bool> done{false};
  const pthread_t watcher = pthread_self();
  std::thread worker([&] {
    watched.work();
    done = true;
    pthread_kill(watcher, SIGUSR1);  // wakes the watcher below
  });
  // A command opens what it needs before: who asks it now gets an answer.
  tell_systemd("READY=1");
  bool interrupted = false;
  const auto nanoseconds = std::chrono::nanoseconds(watched.interval).count();
  const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
  while (!done) {
    const int number = sigtimedwait(&signals, nullptr, &timeout);
    if (number == SIGINT || number == SIGTERM) {
      if (interrupted) _exit(kInterrupted);
      interrupted = true;
      tell_systemd("STOPPING=1");
      watched.stop();
    }
    if (number == SIGHUP && !interrupted) watched.hangup();
    if (!done && watched.tick) watched.tick();
  }
  worker.join();
  // What came in the last moment must not kill the process once the signals are let through.
  const timespec none{};
  while (sigtimedwait(&signals, nullptr, &none) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return interrupted;
}

}  // namespace segue::program
