// Dumps of a real guest in whose memory 1 000 pages are damaged, a few at a time: every other one among all
// that a dump reads, the rest among those that maps' headers and types are in.
//
// Whatever the damage, nothing crashes, no dump takes 5 s, and no map is shown by a wrong type. What that can
// mean is bounded: memory is all there is to tell a type by, so that the type which a map had before its
// header or its BTF was overwritten may be gone. Hence, of every map in every dump:
//
// - Its header is that in the damaged memory, and its keys and values are of the types which that header and
//   the BTF it points to declare there (read again for this, apart from the dump), or bytes with a reason.
// - If header, BTF object and BTF data are as they were, keys and values are of the types they were of in the
//   undamaged guest, and bytes are wrong: damage elsewhere changes values and how many can be read, not what
//   they are.
//
// What pointers lead to is not compared: other memory than the map's decides that.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "engine/kernels/kernel_store.h"
#include "introspect/dump/dump_state.h"
#include "introspect/memory_image.h"
#include "tests/introspect/dump/declared_types.h"
#include "tests/introspect/dump/map_check.h"
#include "tests/introspect/dump/mutator.h"
#include "tests/introspect/dump/scheduler_image.h"
#include "tests/introspect/scratch_file.h"
#include "tests/introspect/scx/scheduler_guest.h"
#include "tests/skip.h"

namespace ktstr::introspect::test {
namespace {

using TypesByMap = std::map<std::uint64_t, DeclaredTypes>;  ///< by the map's address

constexpr std::clock_t kLongestDump = 5 * CLOCKS_PER_SEC;  // CPU time: how busy the machine is does not count
constexpr Damage kDamages[] = {Damage::kNoise, Damage::kFlippedBit, Damage::kForeignPointers};
constexpr std::size_t kDumpsOfEach = 84;
constexpr std::size_t kPagesOfEach = 4;

/// A guest's memory in a file, and its kernel.
struct SavedGuest {
  std::shared_ptr<const KernelDebugInfo> info;
  MemoryImage image;

  [[nodiscard]] Result<Kernel> attach(const PhysicalMemory& memory) const {
    return Kernel::attach(memory, info, image.vcpus());
  }
};

Result<SavedGuest> save_guest(const std::filesystem::path& file) {
  const auto store = KTSTR_TRY(engine::KernelStore::open());
  const auto kernel = KTSTR_TRY(store.resolve(std::nullopt));
  KTSTR_TRY(save_scheduler_image(file, std::nullopt));
  auto info = KTSTR_TRY(KernelDebugInfo::load(kernel.symbols, kernel.btf));
  auto image = KTSTR_TRY(MemoryImage::open(file));
  return SavedGuest{std::move(info), std::move(image)};
}

struct Dumped {
  FailureDumpReport report;
  TypesByMap types;
};

Dumped dump(const Kernel& kernel) {
  const DumpReaders readers(kernel);
  Dumped dumped{dump_state({.kernel = kernel, .readers = readers}), {}};
  for (const auto& map : dumped.report.maps)
    if (auto types = read_declared_types(kernel, *readers.bpf, KernelVirt(map.map_kva)))
      dumped.types.emplace(map.map_kva, *std::move(types));
  return dumped;
}

/// What the undamaged guest showed, and where that was read.
struct Undamaged {
  Dumped dumped;
  std::vector<GuestPhys> pages;       ///< that attaching and dumping read
  std::vector<GuestPhys> type_pages;  ///< with maps' headers and BTF, and the page tables that lead there
};

Undamaged dump_undamaged(const SavedGuest& guest) {
  const RecordingMemory all(guest.image.memory());
  Undamaged undamaged{dump(guest.attach(all).value()), all.pages(), {}};
  const auto attached = guest.attach(guest.image.memory()).value();
  const auto layouts = BpfLayouts::resolve(attached.btf()).value();
  const RecordingMemory of_types(guest.image.memory());
  const Kernel kernel = guest.attach(of_types).value();
  const auto by_attaching = of_types.pages();
  for (const auto& [map, types] : undamaged.dumped.types)
    REQUIRE(read_declared_types(kernel, layouts, KernelVirt(map)).has_value());
  std::ranges::set_difference(of_types.pages(), by_attaching, std::back_inserter(undamaged.type_pages));
  return undamaged;
}

std::string wrong_types(const Dumped& dumped, const TypesByMap& undamaged) {
  std::string problems;
  for (const auto& map : dumped.report.maps) {
    const auto now = dumped.types.find(map.map_kva);
    const auto before = undamaged.find(map.map_kva);
    REQUIRE(now != dumped.types.end());
    const bool whole = before != undamaged.end() && before->second.source == now->second.source;
    const auto problem =
        whole ? wrong_type(map, before->second, Whole::kYes) : wrong_type(map, now->second, Whole::kNo);
    if (!problem.empty()) problems += problem + "\n";
  }
  return problems;
}

/// Attaches to damaged memory where that is possible, and dumps; else dumps as who had attached before.
void check_damaged(const SavedGuest& guest, const Undamaged& undamaged, Damage kind) {
  DamagedMemory memory(guest.image.memory());
  const Kernel before = guest.attach(memory).value();
  Mutator mutator(before, undamaged.pages, static_cast<std::uint64_t>(kind) + 1);
  for (std::size_t round = 0; round < kDumpsOfEach; ++round) {
    CAPTURE(round);
    memory.heal();
    for (std::size_t page = 0; page < kPagesOfEach; page += 2) {
      mutator.damage(memory, mutator.choose(undamaged.pages), kind);
      mutator.damage(memory, mutator.choose(undamaged.type_pages), kind);
    }
    const std::clock_t begin = std::clock();
    const auto attached = guest.attach(memory);
    const auto dumped = dump(attached ? *attached : Kernel(before));
    CHECK(std::clock() - begin < kLongestDump);
    CHECK(wrong_types(dumped, undamaged.dumped.types) == "");
  }
}

}  // namespace

TEST_CASE("1 000 damaged pages of a guest crash no dump, delay none, and give no map a wrong type") {
  if (const auto missing = missing_for_scheduler(std::nullopt)) SKIP_TEST(*missing);
  const ScratchFile file;
  const auto guest = save_guest(file.path());
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  const auto undamaged = dump_undamaged(*guest);
  REQUIRE(undamaged.dumped.report.maps.size() > 20);
  REQUIRE(undamaged.dumped.types.size() == undamaged.dumped.report.maps.size());
  CHECK(wrong_types(undamaged.dumped, undamaged.dumped.types) == "");
  for (const Damage kind : kDamages) {
    CAPTURE(static_cast<int>(kind));
    check_damaged(*guest, undamaged, kind);
  }
}

}  // namespace ktstr::introspect::test
