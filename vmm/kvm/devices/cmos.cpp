#include "vmm/kvm/devices/cmos.h"

#include <ctime>

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kIndexMask = 0x7f;  // the top bit masks NMIs on a PC
constexpr std::uint8_t kStatusA = 0x26;    // 32.768 kHz, 1024 Hz; no update in progress
constexpr std::uint8_t kStatusB = 0x02;    // 24-hour mode, BCD
constexpr std::uint8_t kStatusD = 0x80;    // time and memory are valid

std::uint8_t bcd(int value) {
  return static_cast<std::uint8_t>((value / 10 % 10) << 4 | value % 10);
}

std::uint8_t memory(std::uint8_t index, const std::tm& utc) {
  switch (index) {
    case 0x00:
      return bcd(utc.tm_sec);
    case 0x02:
      return bcd(utc.tm_min);
    case 0x04:
      return bcd(utc.tm_hour);
    case 0x06:
      return bcd(utc.tm_wday + 1);
    case 0x07:
      return bcd(utc.tm_mday);
    case 0x08:
      return bcd(utc.tm_mon + 1);
    case 0x09:
      return bcd(utc.tm_year % 100);
    case 0x0a:
      return kStatusA;
    case 0x0b:
      return kStatusB;
    case 0x0d:
      return kStatusD;
    case 0x32:
      return bcd((utc.tm_year + 1900) / 100);
    default:
      return 0;
  }
}

}  // namespace

// The C library reads the time zone's file once, even for UTC: here, as the vCPUs' threads may open none.
Cmos::Cmos(Clock clock) : clock_(std::move(clock)) {
  ::tzset();
}

Cmos::State Cmos::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Cmos::restore(const State& state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
}

std::uint8_t Cmos::read_register(std::uint64_t offset) {
  if (offset == 0) return 0xff;  // the index can't be read back
  const std::time_t now = std::chrono::system_clock::to_time_t(clock_());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return memory(state().index, utc);
}

void Cmos::write_register(std::uint64_t offset, std::uint8_t value) {
  if (offset != 0) return;
  const std::lock_guard lock(mutex_);
  state_.index = value & kIndexMask;
}

}  // namespace ktstr::vmm::kvm
