#include "vmm/kvm/devices/power.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kSleepTypeShift = 2;
constexpr std::uint8_t kSleepTypeMask = 0x07;
constexpr std::uint8_t kSleepEnable = 0x20;

// include/uapi/misc/pvpanic.h
constexpr std::uint8_t kPanickedBit = 0x01;
constexpr std::uint8_t kCrashLoadedBit = 0x02;

}  // namespace

Power::Power(Callback callback) : callback_(std::move(callback)) {}

std::uint8_t Power::read_register(std::uint64_t) {
  return 0;
}

void Power::write_register(std::uint64_t offset, std::uint8_t value) {
  const auto type = (value >> kSleepTypeShift) & kSleepTypeMask;
  const auto port = kSleepControlPort + offset;
  if (port == kSleepControlPort && (value & kSleepEnable) != 0 && type == kSoftOffType)
    callback_(PowerRequest::kPowerOff);
  if (port == kResetPort && value == kResetValue) callback_(PowerRequest::kReset);
}

Pvpanic::Pvpanic(Callback callback) : callback_(std::move(callback)) {}

std::uint8_t Pvpanic::read_register(std::uint64_t) {
  return kPanickedBit | kCrashLoadedBit;
}

void Pvpanic::write_register(std::uint64_t, std::uint8_t value) {
  if ((value & kPanickedBit) != 0) callback_(PanicEvent::kPanicked);
  if ((value & kCrashLoadedBit) != 0) callback_(PanicEvent::kCrashLoaded);
}

}  // namespace ktstr::vmm::kvm
