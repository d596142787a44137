// Content as virt/kvm/binary_stats.c lays it out, and damaged.
#include "vmm/kvm/statistics.h"

#include <doctest/doctest.h>
#include <linux/kvm.h>

#include <cstring>
#include <vector>

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kNameBytes = 48;
constexpr std::uint32_t kDescriptorBytes = 16 + kNameBytes;
constexpr std::uint32_t kDescriptors = sizeof(kvm_stats_header) + kNameBytes;

struct Made {
  std::string name;
  std::uint32_t type = KVM_STATS_TYPE_CUMULATIVE;
  std::vector<std::uint64_t> values;
};

class Content {
 public:
  explicit Content(const std::vector<Made>& statistics) {
    const auto count = static_cast<std::uint32_t>(statistics.size());
    data_ = kDescriptors + count * kDescriptorBytes;
    for (const std::uint32_t word :
         {0U, kNameBytes, count, std::uint32_t{sizeof(kvm_stats_header)}, kDescriptors, data_})
      append(word);
    bytes_.resize(kDescriptors);
    std::uint32_t offset = 0;
    for (const auto& made : statistics) {
      append(made.type | KVM_STATS_UNIT_SECONDS | KVM_STATS_BASE_POW10);
      append(static_cast<std::int16_t>(-9));
      append(static_cast<std::uint16_t>(made.values.size()));
      append(offset);
      append(std::uint32_t{0});
      auto name = made.name;
      name.resize(kNameBytes);
      for (const char c : name) append(c);
      offset += static_cast<std::uint32_t>(8 * made.values.size());
    }
    for (const auto& made : statistics)
      for (const auto value : made.values) append(value);
  }

  /// Overwrites what is at `offset`.
  template <class T>
  Content& put(std::size_t offset, T value) {
    std::memcpy(&bytes_[offset], &value, sizeof(value));
    return *this;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  template <class T>
  void append(T value) {
    bytes_.resize(bytes_.size() + sizeof(value));
    put(bytes_.size() - sizeof(value), value);
  }
  std::vector<std::byte> bytes_;
  std::uint32_t data_ = 0;
};

Content two() {
  return Content({{"exits", KVM_STATS_TYPE_CUMULATIVE, {12}}, {"guest_mode", KVM_STATS_TYPE_INSTANT, {1}}});
}

std::string damage_of(const Content& content) {
  const auto values = parse_statistics(content.bytes());
  REQUIRE_FALSE(values.has_value());
  CHECK(values.error().code == ErrorCode::kCorrupt);
  return values.error().message;
}

constexpr std::size_t kSecond = kDescriptors + kDescriptorBytes;

}  // namespace

TEST_CASE("single values are read by name, of whatever kind; histograms are left out") {
  const Content content({{"exits", KVM_STATS_TYPE_CUMULATIVE, {12}},
                         {"halt_wait_hist", KVM_STATS_TYPE_LOG_HIST, {1, 2, 3}},
                         {"one_bucket", KVM_STATS_TYPE_LINEAR_HIST, {9}},
                         {"guest_mode", KVM_STATS_TYPE_INSTANT, {1}},
                         {"max_mmu_rmap_size", KVM_STATS_TYPE_PEAK, {UINT64_MAX}}});
  const auto values = parse_statistics(content.bytes());
  REQUIRE_MESSAGE(values.has_value(), values.error().message);
  CHECK(*values == StatisticValues{{"exits", 12}, {"guest_mode", 1}, {"max_mmu_rmap_size", UINT64_MAX}});
}

TEST_CASE("a file without statistics has none") {
  const auto values = parse_statistics(Content({}).bytes());
  REQUIRE(values.has_value());
  CHECK(values->empty());
}

TEST_CASE("content that ends anywhere before its end is refused") {
  const auto content = two();
  for (std::size_t size = 0; size < content.bytes().size(); ++size) {
    CAPTURE(size);
    const auto values = parse_statistics(content.bytes().first(size));
    REQUIRE_FALSE(values.has_value());
    CHECK(values.error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("offsets and counts that lead outside are refused") {
  CHECK(damage_of(two().put(offsetof(kvm_stats_header, num_desc), UINT32_MAX)) ==
        "KVM's statistics: a descriptor lies outside");
  CHECK(damage_of(two().put(offsetof(kvm_stats_header, desc_offset), UINT32_MAX)) ==
        "KVM's statistics: a descriptor lies outside");
  CHECK(damage_of(two().put(offsetof(kvm_stats_header, data_offset), UINT32_MAX)) ==
        "KVM's statistics: a value lies outside");
  CHECK(damage_of(two().put(kSecond + offsetof(kvm_stats_desc, offset), UINT32_MAX)) ==
        "KVM's statistics: a value lies outside");
}

TEST_CASE("names that have no size, no end, or are there twice are refused") {
  CHECK(damage_of(two().put(offsetof(kvm_stats_header, name_size), std::uint32_t{0})) ==
        "KVM's statistics: its names have no size or too much of it");
  CHECK(damage_of(two().put(offsetof(kvm_stats_header, name_size), UINT32_MAX)) ==
        "KVM's statistics: its names have no size or too much of it");
  auto endless = two();
  for (std::size_t i = 0; i < kNameBytes; ++i) endless.put(kSecond + 16 + i, 'x');
  CHECK(damage_of(endless) == "KVM's statistics: a descriptor lies outside");
  CHECK(damage_of(Content({{"exits", 0, {1}}, {"exits", 0, {2}}})) ==
        "KVM's statistics: a name is there twice");
}

}  // namespace ktstr::vmm::kvm
