// Attaching and a full dump on a saved image with words replaced. The image is named by KTSTR_FUZZ_IMAGE, its
// kernel (a cached one) by KTSTR_FUZZ_KERNEL.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "engine/kernels/kernel_store.h"
#include "introspect/dump/dump_state.h"
#include "introspect/memory_image.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/introspect/damaged_memory.h"

using namespace ktstr;
using namespace ktstr::introspect;

namespace {

constexpr std::size_t kMaxDamages = 64;

struct Guest {
  std::shared_ptr<const KernelDebugInfo> info;
  MemoryImage image;
  std::vector<GuestPhys> pages;  ///< that an undamaged dump reads
};

Result<FailureDumpReport> dump(const Guest& guest, const PhysicalMemory& memory) {
  const Kernel kernel = KTSTR_TRY(Kernel::attach(memory, guest.info, guest.image.vcpus()));
  const DumpReaders readers(kernel);
  return dump_state({.kernel = kernel, .readers = readers});
}

Result<Guest> open_guest() {
  const char* image = std::getenv("KTSTR_FUZZ_IMAGE");
  const char* release = std::getenv("KTSTR_FUZZ_KERNEL");
  if (!image || !release)
    return Error{ErrorCode::kInvalidArgument,
                 "set KTSTR_FUZZ_IMAGE and KTSTR_FUZZ_KERNEL (tests/fuzz/README.md)"};
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto kernel = KTSTR_TRY(store.resolve(std::string(release)));
  Guest guest{
      KTSTR_TRY(KernelDebugInfo::load(kernel.symbols, kernel.btf)), KTSTR_TRY(MemoryImage::open(image)), {}};
  const test::RecordingMemory recording(guest.image.memory());
  KTSTR_TRY(dump(guest, recording));
  guest.pages = recording.pages();
  return guest;
}

const Guest& guest() {
  static const auto opened = [] {
    auto result = open_guest();
    if (result) return *std::move(result);
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(2);
  }();
  return opened;
}

}  // namespace

/// The undamaged dump takes no input's time.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  static_cast<void>(guest());
  return 0;
}

/// The input is a sequence of: which page, which word of it, what to write there. Words written are the
/// input's, or another page's address in the direct map's low bits: small inputs then lead to other
/// structures.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  test::DamagedMemory memory(guest().image.memory());
  for (std::size_t i = 0; i < kMaxDamages && !input.empty(); ++i) {
    const GuestPhys page = guest().pages[input.take<std::uint32_t>() % guest().pages.size()];
    const GuestPhys place = page + (input.take<std::uint16_t>() & test::kPageMask);
    const auto mode = input.take<std::uint8_t>();
    const auto old =
        guest().image.memory().read_value<std::uint64_t>(GuestPhys(place.value() & ~std::uint64_t{7}));
    const auto word = input.take<std::uint64_t>();
    memory.replace_word(place, mode % 2 == 0 ? word : old.value_or(0) ^ (word & 0xffff'ffff));
  }
  static_cast<void>(dump(guest(), memory));
  return 0;
}
