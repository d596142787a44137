#include "vmm/kvm/devices/bus.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <vector>

#include "vmm/kvm/guest_memory.h"

namespace ktstr::vmm::kvm {
namespace {

/// Answers every read with `answer` and remembers the last access.
struct RecordingDevice : Device {
  explicit RecordingDevice(std::byte value) : answer(value) {}
  void read(std::uint64_t at, std::span<std::byte> data) override {
    offset = at;
    for (auto& byte : data) byte = answer;
  }
  void write(std::uint64_t at, std::span<const std::byte> data) override {
    offset = at;
    written.assign(data.begin(), data.end());
  }
  std::byte answer;
  std::uint64_t offset = 0;
  std::vector<std::byte> written;
};

std::vector<std::byte> read(const Bus& bus, std::uint64_t address, std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  bus.read(address, data);
  return data;
}

const std::vector<std::byte> kOnes(2, std::byte{0xff});

}  // namespace

TEST_CASE("an access reaches the device whose range holds it, with its offset") {
  RecordingDevice low(std::byte{1}), high(std::byte{2});
  Bus bus;
  bus.insert(0x18, 8, high);
  bus.insert(0x10, 8, low);
  CHECK(read(bus, 0x16, 2) == std::vector(2, std::byte{1}));
  CHECK(low.offset == 6);
  CHECK(read(bus, 0x18, 2) == std::vector(2, std::byte{2}));
  CHECK(high.offset == 0);
  bus.write(0x1f, std::array{std::byte{7}});
  CHECK(high.offset == 7);
  CHECK(high.written == std::vector{std::byte{7}});
}

TEST_CASE("an access that no device holds whole reads ones and writes nothing") {
  RecordingDevice device(std::byte{1});
  Bus bus;
  bus.insert(0x10, 8, device);
  CHECK(read(bus, 0xf, 2) == kOnes);
  CHECK(read(bus, 0x17, 2) == kOnes);
  CHECK(read(bus, 0x18, 2) == kOnes);
  CHECK(read(bus, std::numeric_limits<std::uint64_t>::max(), 2) == kOnes);
  bus.write(0x17, kOnes);
  CHECK(device.written.empty());
}

TEST_CASE("an access at the end of the address space stays within it") {
  RecordingDevice device(std::byte{1});
  Bus bus;
  bus.insert(std::numeric_limits<std::uint64_t>::max(), 1, device);
  CHECK(read(bus, std::numeric_limits<std::uint64_t>::max(), 1) == std::vector(1, std::byte{1}));
  CHECK(read(bus, std::numeric_limits<std::uint64_t>::max(), 2) == kOnes);
}

TEST_CASE("guest memory is sliced within one region, also where regions touch") {
  std::vector<std::byte> bytes(0x3000);
  const std::array<MemoryRegion, 2> regions{{{GuestPhys(0x1000), std::span(bytes).first(0x1000)},
                                             {GuestPhys(0x2000), std::span(bytes).subspan(0x1000)}}};
  const GuestMemory memory(regions);
  REQUIRE(memory.slice(GuestPhys(0x2000), 0x2000).has_value());
  CHECK(memory.slice(GuestPhys(0x2000), 0x2000)->data() == bytes.data() + 0x1000);
  CHECK(memory.slice(GuestPhys(0x1fff), 1).has_value());
  CHECK_FALSE(memory.slice(GuestPhys(0x1fff), 2).has_value());
  CHECK_FALSE(memory.slice(GuestPhys(0xfff), 1).has_value());
  CHECK_FALSE(memory.slice(GuestPhys(0x4000), 1).has_value());
  CHECK_FALSE(memory.slice(GuestPhys(0x2000), std::numeric_limits<std::uint64_t>::max()).has_value());
}

}  // namespace ktstr::vmm::kvm
