#include "vmm/kvm/devices/pvpanic.h"

namespace ktstr::vmm::kvm {
namespace {

// include/uapi/misc/pvpanic.h
constexpr std::uint8_t kPanickedBit = 0x01;
constexpr std::uint8_t kCrashLoadedBit = 0x02;

}  // namespace

Pvpanic::Pvpanic(Callback callback) : callback_(std::move(callback)) {}

std::uint8_t Pvpanic::read_register(std::uint64_t) {
  return kPanickedBit | kCrashLoadedBit;
}

void Pvpanic::write_register(std::uint64_t, std::uint8_t value) {
  if ((value & kPanickedBit) != 0) callback_(PanicEvent::kPanicked);
  if ((value & kCrashLoadedBit) != 0) callback_(PanicEvent::kCrashLoaded);
}

}  // namespace ktstr::vmm::kvm
