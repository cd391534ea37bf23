// Preloaded into a process (LD_PRELOAD): its clock is ahead of the machine's by as many
// milliseconds as the file that CC_CLOCK names says, a binary int64 which a test may change at any
// moment. With CC_CLOCK_MONOTONIC its monotonic clock too, so that its timers fall due. So hours
// pass in seconds, as often as they are needed.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace {

struct Shift {
  Shift() {
    const char* path = std::getenv("CC_CLOCK");
    const int fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    void* page = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    if (page != MAP_FAILED) milliseconds = static_cast<std::atomic<std::int64_t>*>(page);
    monotonic = std::getenv("CC_CLOCK_MONOTONIC") != nullptr;
  }
  std::int64_t get() const noexcept { return milliseconds == nullptr ? 0 : milliseconds->load(); }

  const std::atomic<std::int64_t>* milliseconds = nullptr;  // shared with the test
  bool monotonic = false;
};

// A function's static, since other libraries' constructors may ask for the time before ours ran.
const Shift& shift() {
  static const Shift one;
  return one;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_shifted(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
      return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      return shift().monotonic;
    default:
      return false;
  }
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const next = real<int(clockid_t, timespec*)>("clock_gettime");
  const int result = next(clock, time);
  if (result != 0 || !is_shifted(clock)) return result;
  const std::int64_t ms = shift().get();
  time->tv_sec += ms / 1000;
  time->tv_nsec += ms % 1000 * 1'000'000;
  if (time->tv_nsec >= 1'000'000'000) {
    time->tv_nsec -= 1'000'000'000;
    ++time->tv_sec;
  }
  return 0;
}

// The kernel's timers know nothing of the shift. Whoever wakes too early looks at the clock again
// and waits anew, as Asio does.
__attribute__((visibility("default"))) int timerfd_settime(int fd, int flags,
                                                           const itimerspec* value,
                                                           itimerspec* before) noexcept {
  static auto* const next = real<int(int, int, const itimerspec*, itimerspec*)>("timerfd_settime");
  constexpr long longest_ns = 5'000'000;
  itimerspec soon = *value;
  const bool far = soon.it_value.tv_sec > 0 || soon.it_value.tv_nsec > longest_ns;
  if (shift().monotonic && (flags & TFD_TIMER_ABSTIME) == 0 && far) {
    soon.it_value = {0, longest_ns};
  }
  return next(fd, flags, &soon, before);
}

__attribute__((visibility("default"))) int gettimeofday(timeval* time, void* zone) noexcept {
  (void)zone;  // obsolete
  timespec now{};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return result;
}

__attribute__((visibility("default"))) time_t time(time_t* result) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
