#include "vmm/kvm/devices/power.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kSleepTypeShift = 2;
constexpr std::uint8_t kSleepTypeMask = 0x07;
constexpr std::uint8_t kSleepEnable = 0x20;

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

}  // namespace ktstr::vmm::kvm
