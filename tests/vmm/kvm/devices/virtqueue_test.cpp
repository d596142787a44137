#include "vmm/kvm/devices/virtqueue.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/vmm/kvm/devices/driver_queue.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint16_t kSize = 8;

/// A queue and its driver.
struct Queue {
  Queue() {
    device.set_layout(driver.layout());
    REQUIRE(device.enable().has_value());
  }
  /// Offers the chain that begins at descriptor 0, and gives what the device says.
  std::string complaint() {
    driver.make_available(0);
    const auto chain = device.peek();
    return chain ? "" : chain.error().message;
  }
  /// Takes the next chain and gives it back.
  void serve(std::uint32_t written) {
    const auto chain = device.peek();
    REQUIRE(chain->has_value());
    device.pop();
    REQUIRE(device.push((*chain)->head, written).has_value());
  }

  test::GuestRam ram;
  test::DriverQueue driver{ram, kSize};
  GuestPhys buffer = ram.allocate(0x1000);
  Virtqueue device{ram.memory(), kSize};
};

}  // namespace

TEST_CASE_FIXTURE(Queue, "an empty queue gives no chain, and nor does one that is not enabled") {
  CHECK_FALSE(device.peek()->has_value());
  driver.offer({{buffer, 16}});
  Virtqueue disabled(ram.memory(), kSize);
  disabled.set_layout(driver.layout());
  CHECK_FALSE(disabled.peek()->has_value());
}

TEST_CASE_FIXTURE(Queue, "a chain comes with its segments, readable before writable") {
  const auto head = driver.offer({{buffer, 16}, {buffer + 0x100, 32}, {buffer + 0x200, 64, true}});
  const auto chain = device.peek();
  REQUIRE(chain->has_value());
  CHECK((*chain)->head == head);
  REQUIRE((*chain)->readable.size() == 2);
  CHECK((*chain)->readable[1].data() == ram.bytes(buffer + 0x100, 32).data());
  CHECK(total_bytes((*chain)->readable) == 48);
  CHECK(total_bytes((*chain)->writable) == 64);
  CHECK((*device.peek())->head == head);
}

TEST_CASE_FIXTURE(Queue,
                  "chains given back reach the driver in order, around the ring and around the index") {
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < 70'000; ++i) {
    const auto head = driver.offer({{buffer, 16, true}});
    serve(i);
    if (driver.take_used() != test::DriverQueue::Used{head, i}) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK_FALSE(device.peek()->has_value());
}

TEST_CASE_FIXTURE(Queue, "the driver's flag suppresses interrupts") {
  CHECK(device.wants_interrupt().value());
  driver.suppress_interrupts(true);
  CHECK_FALSE(device.wants_interrupt().value());
}

TEST_CASE_FIXTURE(Queue, "an empty segment is left out") {
  driver.offer({{GuestPhys(0), 0}, {buffer, 4}});
  CHECK((*device.peek())->readable.size() == 1);
}

TEST_CASE_FIXTURE(Queue, "a full queue is served whole") {
  for (int i = 0; i < kSize; ++i) driver.offer({{buffer, 1}});
  for (std::uint16_t i = 0; i < kSize; ++i) serve(0);
  CHECK_FALSE(device.peek()->has_value());
  CHECK(driver.used_index() == kSize);
}

TEST_CASE_FIXTURE(Queue, "a chain of every descriptor is good, one that comes back to itself is not") {
  for (std::uint16_t i = 0; i < kSize; ++i)
    driver.set_descriptor(i, buffer, 1, test::kNext, static_cast<std::uint16_t>(i + 1));
  driver.set_descriptor(kSize - 1, buffer, 1, 0, 0);
  CHECK(complaint().empty());
  driver.set_descriptor(kSize - 1, buffer, 1, test::kNext, 3);
  CHECK(complaint() == "virtqueue: chain longer than the queue");
  driver.set_descriptor(0, buffer, 1, test::kNext, 0);
  CHECK(complaint() == "virtqueue: chain longer than the queue");
}

TEST_CASE_FIXTURE(Queue, "a descriptor outside of RAM is refused, also where its end wraps") {
  for (const auto& [address, bytes] :
       {std::pair{ram.end() - 8, 16U}, std::pair{ram.end(), 1U}, std::pair{GuestPhys(0), 1U},
        std::pair{test::GuestRam::kBase, ~0U}, std::pair{GuestPhys(~std::uint64_t{0}), 2U}}) {
    CAPTURE(address.value());
    driver.set_descriptor(0, address, bytes, 0, 0);
    CHECK(complaint() == "virtqueue: buffer outside of RAM");
  }
}

TEST_CASE_FIXTURE(Queue, "indices beyond the queue are refused") {
  driver.make_available(kSize);
  CHECK(device.peek().error().message == "virtqueue: descriptor index beyond the queue");
  CHECK(device.peek().error().code == ErrorCode::kCorrupt);
}

TEST_CASE_FIXTURE(Queue, "a next beyond the queue is refused") {
  driver.set_descriptor(0, buffer, 1, test::kNext, 0xffff);
  CHECK(complaint() == "virtqueue: descriptor index beyond the queue");
}

TEST_CASE_FIXTURE(Queue, "a readable descriptor behind a writable one, and an indirect one, are refused") {
  driver.set_descriptor(0, buffer, 1, test::kNext | test::kWrite, 1);
  driver.set_descriptor(1, buffer, 1, 0, 0);
  CHECK(complaint() == "virtqueue: readable after writable descriptor");
  driver.set_descriptor(0, buffer, 16, test::kIndirect, 0);
  CHECK(complaint() == "virtqueue: indirect descriptor was not negotiated");
}

TEST_CASE_FIXTURE(Queue, "an available index that jumps, or goes back, is refused") {
  for (const std::uint16_t index : {kSize + 1, 0x8000, 0xffff}) {
    CAPTURE(index);
    driver.set_available_index(index);
    CHECK(device.peek().error().message == "virtqueue: more chains available than the queue has");
  }
}

TEST_CASE_FIXTURE(Queue, "what the guest writes to the used ring does not lead the device astray") {
  ram.at<std::uint16_t>(driver.layout().used + 2) = 0xffff;
  driver.offer({{buffer, 1}});
  serve(7);
  CHECK(driver.used_index() == 1);
}

TEST_CASE("a queue is a power of two in size, at most its maximum") {
  const test::GuestRam ram;
  Virtqueue queue(ram.memory(), kSize);
  for (const std::uint16_t size : {0, 3, 16, 0xffff, 0x8000}) {
    CAPTURE(size);
    queue.set_layout({size, GuestPhys(0x1000), {}, {}});
    CHECK(queue.layout() == VirtqueueLayout{kSize, {}, {}, {}});
  }
  queue.set_layout({4, GuestPhys(0x1000), {}, {}});
  CHECK(queue.layout().size == 4);
}

TEST_CASE("a queue with rings misaligned or outside of RAM can't be enabled") {
  test::GuestRam ram;
  const auto good = test::DriverQueue(ram, kSize).layout();
  Virtqueue queue(ram.memory(), kSize);
  for (const auto& bad :
       {VirtqueueLayout{kSize, good.descriptors + 8, good.available, good.used},
        VirtqueueLayout{kSize, good.descriptors, good.available + 1, good.used},
        VirtqueueLayout{kSize, good.descriptors, good.available, good.used + 2},
        VirtqueueLayout{kSize, ram.end() - 112, good.available, good.used},
        VirtqueueLayout{kSize, good.descriptors, ram.end() - 18, good.used},
        VirtqueueLayout{kSize, good.descriptors, good.available, GuestPhys(~std::uint64_t{3})}}) {
    queue.set_layout(bad);
    CHECK(queue.enable().error().code == ErrorCode::kCorrupt);
    CHECK_FALSE(queue.enabled());
  }
  queue.set_layout(good);
  CHECK(queue.enable().has_value());
  queue.set_layout({4, {}, {}, {}});
  CHECK(queue.layout() == good);
}

TEST_CASE_FIXTURE(Queue, "a restored queue goes on with the next chain") {
  driver.offer({{buffer, 1}});
  const auto second = driver.offer({{buffer, 2}});
  serve(0);
  Virtqueue fresh(ram.memory(), kSize);
  fresh.restore(device.state());
  CHECK(fresh.state() == device.state());
  CHECK((*fresh.peek())->head == second);
  fresh.pop();
  CHECK(fresh.push(second, 0).has_value());
  CHECK(driver.used_index() == 2);
}

TEST_CASE_FIXTURE(Queue, "a state whose rings are not in RAM gives a disabled queue") {
  auto state = device.state();
  state.layout.used = ram.end();
  Virtqueue fresh(ram.memory(), kSize);
  fresh.restore(state);
  CHECK_FALSE(fresh.enabled());
}

}  // namespace ktstr::vmm::kvm
