#include "shifted_clock.hpp"

#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace cc::test {

ShiftedClock::ShiftedClock() {
  const int fd = ::open(folder_.file("clock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || ::ftruncate(fd, sizeof(std::int64_t)) != 0) {
    throw std::runtime_error("can't make " + folder_.file("clock"));
  }
  void* page = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (page == MAP_FAILED) throw std::runtime_error("can't map " + folder_.file("clock"));
  shift_ = static_cast<std::atomic<std::int64_t>*>(page);
}

ShiftedClock::~ShiftedClock() {
  ::munmap(shift_, sizeof(std::int64_t));
}

std::int64_t ShiftedClock::now_ms() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count() + *shift_;
}

}  // namespace cc::test
