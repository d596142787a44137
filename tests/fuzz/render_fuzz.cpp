// render_value() of any bytes by any type table: the input is a length, that many bytes of BTF, the number of
// the first type to take, and the value. What leads out of it is followed too, as while a guest stands still.
#include "introspect/render/pointer_places.h"
#include "introspect/render/render.h"
#include "tests/fuzz/fuzz_input.h"

using namespace ktstr;
using namespace ktstr::introspect;

namespace {

// More of either costs time and shows nothing new.
constexpr std::uint32_t kTypes = 4;
constexpr int kMaxReads = 32;  // of what pointers lead to
constexpr std::uint64_t kMaxFollowedBytes = 4096;

/// An arena and kernel memory that repeat the value's bytes, so that pointers lead somewhere.
class EchoContext final : public RenderContext {
 public:
  explicit EchoContext(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool is_arena_address(std::uint64_t address) const override { return address % 3 != 0; }
  bool read_arena(std::uint64_t address, std::span<std::byte> out) const override {
    return echo(address, out);
  }
  bool read_kernel(std::uint64_t address, std::span<std::byte> out) const override {
    return echo(address, out);
  }
  std::optional<InferredPointer> infer_pointer(const Btf& btf, BtfTypeId structure,
                                               std::uint64_t byte_offset) const override {
    if (byte_offset % 16 != 0) return {};
    return InferredPointer{{&btf, structure}, PointerSpace::kArena};
  }

 private:
  bool echo(std::uint64_t address, std::span<std::byte> out) const {
    if (bytes_.empty() || address % 7 == 0 || ++reads_ > kMaxReads) return false;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = bytes_[(address + i) % bytes_.size()];
    return true;
  }
  std::span<const std::byte> bytes_;
  mutable int reads_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const auto length = input.take<std::uint16_t>();
  const auto btf = Btf::parse(input.take_bytes(length));
  if (!btf) return 0;
  const std::uint32_t first = input.take<std::uint16_t>();
  const auto value = input.rest();
  ReadBudget budget(kMaxFollowedBytes);
  for (std::uint32_t id = first; id < first + kTypes; ++id) {
    static_cast<void>(to_text(render_value(*btf, BtfTypeId{id}, value, EchoContext(value))));
    const EchoContext context(value);
    PointerFollower(context, &budget).follow(*btf, BtfTypeId{id}, value, {});
  }
  return 0;
}
