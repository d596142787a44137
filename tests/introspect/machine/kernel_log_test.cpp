#include "introspect/machine/kernel_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "tests/introspect/machine/log_guest.h"

namespace ktstr::introspect::test {
namespace {

std::vector<KernelLogRecord> find(const LogGuest& guest, std::string_view beginning) {
  const auto kernel = guest.attach();
  auto found = find_log_records(kernel, beginning);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  return std::move(*found);
}

/// A log of 4096 records: so many of a program's, then so many of the kernel's own.
LogGuest long_log(std::uint64_t programs, std::uint64_t kernels) {
  constexpr std::uint32_t kCountBits = 12, kSizeBits = 16;
  LogGuest guest(kCountBits, kSizeBits);
  for (std::uint64_t i = 0; i < programs + kernels; ++i) guest.add(i, i, i < programs ? 1 : 0, "x", 16 * i);
  return guest;
}

/// A guest's memory that changes after its `moment`th read from now, once.
class ChangingMemory final : public PhysicalMemory {
 public:
  explicit ChangingMemory(const PhysicalMemory& whole) : whole_(whole) {}

  void change_after(int moment, std::function<void()> change) {
    left_ = moment;
    change_ = std::move(change);
  }
  [[nodiscard]] bool has_changed() const { return left_ <= 0; }

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override {
    const bool is_read = whole_.read(address, out);
    if (--left_ == 0) change_();
    return is_read;
  }
  [[nodiscard]] GuestPhys end() const override { return whole_.end(); }

 private:
  const PhysicalMemory& whole_;
  mutable int left_ = 0;
  std::function<void()> change_;
};

}  // namespace

TEST_CASE("records come oldest first, and tell the kernel's words from a program's") {
  LogGuest guest;
  guest.add(0, 9, 0, "Oops: int3: 0000", 64);
  guest.add(1, 8, 1, "Oops: int3: forged", 128);
  guest.add(2, 7, 0, "a line that quotes Oops: int3", 0);
  const auto found = find(guest, "Oops: int3");
  REQUIRE(found.size() == 2);
  CHECK(found[0].text == "Oops: int3: forged");
  CHECK(found[0].sequence == 8);
  CHECK_FALSE(found[0].is_kernels());
  CHECK(found[1].text == "Oops: int3: 0000");
  CHECK(found[1].is_kernels());
}

TEST_CASE("a text that did not fit before the end of the buffer is at its beginning") {
  LogGuest guest;
  guest.add(0, 1, 0, "wrapped text", 256 + 248);
  CHECK(find(guest, "wrapped").size() == 1);
}

TEST_CASE("a text that ends with the buffer is where it begins") {
  LogGuest guest;
  guest.add(0, 1, 0, "12345678", 256 + 240);
  const auto found = find(guest, "12345678");
  REQUIRE(found.size() == 1);
  CHECK(found[0].text == "12345678");
}

TEST_CASE("records that are being written or have been given up hold nothing") {
  LogGuest guest;
  guest.add(0, 1, 0, "text", 0, 0);
  guest.add(1, 2, 0, "text", 64, 3);
  guest.add(2, 3, 0, "text", 128, 1);
  const auto found = find(guest, "text");
  REQUIRE(found.size() == 1);
  CHECK(found[0].sequence == 3);
}

TEST_CASE(
    "of the kernel's own records and of programs' 1 024 each are kept, and neither crowds out the other") {
  const auto counts = [](std::uint64_t programs, std::uint64_t kernels) {
    const auto guest = long_log(programs, kernels);
    const auto found = find(guest, "x");
    const auto own = std::ranges::count_if(found, &KernelLogRecord::is_kernels);
    return std::pair(std::ssize(found) - own, own);
  };
  constexpr std::ptrdiff_t kMost = kMostLogRecords;
  CHECK(counts(1024, 1024) == std::pair(kMost, kMost));
  CHECK(counts(1025, 1025) == std::pair(kMost, kMost));
  CHECK(counts(3000, 1) == std::pair(kMost, std::ptrdiff_t{1}));
  CHECK(counts(1, 3000) == std::pair(std::ptrdiff_t{1}, kMost));
}

TEST_CASE("a record that the guest overwrites while it is read is the former one, the later one or none") {
  const auto shown = [](const KernelLogRecord& record) {
    return std::to_string(record.sequence) + (record.is_kernels() ? " kernel: " : " program: ") + record.text;
  };
  const std::set<std::string> true_ones = {"", "1 program: panic forged",
                                           "9 kernel: panic, and a longer text"};
  std::set<std::string> seen;
  bool has_changed = true;
  for (int moment = 1; has_changed; ++moment) {
    LogGuest guest;
    guest.add(1, 1, 1, "panic forged", 64);
    ChangingMemory memory(guest.memory());
    const auto kernel = guest.attach(memory);
    memory.change_after(moment, [&] { guest.add(1, 9, 0, "panic, and a longer text", 128); });
    const auto found = find_log_records(kernel, "panic");
    REQUIRE(found.has_value());
    REQUIRE(found->size() <= 1);
    const auto text = found->empty() ? "" : shown(found->front());
    CHECK_MESSAGE(true_ones.contains(text), text);
    seen.insert(text);
    has_changed = memory.has_changed();
  }
  CHECK(seen == true_ones);
}

TEST_CASE("a log whose size is not plausible is not read") {
  LogGuest guest;
  guest.set(guest.ring(), "printk_ringbuffer", "desc_ring.count_bits", std::uint32_t{40});
  const auto found = find_log_records(guest.attach(), "");
  REQUIRE_FALSE(found);
  CHECK(found.error().message == "the size of the kernel's log is not plausible");
}

TEST_CASE("a log that points nowhere is an error") {
  LogGuest guest;
  guest.write(guest.symbol("prb"), std::uint64_t{0});
  const auto found = find_log_records(guest.attach(), "");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kOutOfRange);
}

}  // namespace ktstr::introspect::test
