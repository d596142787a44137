#include "engine/kernels/kernel_store.h"

#include <bpf/btf.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "engine/base/durable_file.h"
#include "engine/base/elf_image.h"
#include "engine/base/mapped_file.h"
#include "engine/kernels/sched_ext_support.h"
#include "introspect/symbols/symbol_table.h"
#include "tests/introspect/symbols/kallsyms_encoder.h"
#include "tests/skip.h"
#include "tests/temporary_directory.h"
#include "tests/vmm/kernels/cache_fixture.h"
#include "vmm/kernels/file_records.h"

using namespace ktstr;
using namespace ktstr::test;
using engine::KernelStore;
using introspect::SymbolTable;

namespace {

constexpr std::uint64_t kTables = 0xffffffff82000000;

/// BTF with one function per name; those whose name ends in '*' take the implicit argument.
Bytes btf_with(std::initializer_list<std::string> functions) {
  const std::unique_ptr<btf, decltype(&btf__free)> made(btf__new_empty(), &btf__free);
  const int number = btf__add_int(made.get(), "int", 4, BTF_INT_SIGNED);
  btf__add_struct(made.get(), "sched_ext_ops", 0);
  for (std::string name : functions) {
    const bool implicit = name.ends_with('*');
    if (implicit) name.pop_back();
    const int prototype = btf__add_func_proto(made.get(), number);
    btf__add_func_param(made.get(), "dsq_id", number);
    if (implicit) btf__add_func_param(made.get(), "aux", number);
    btf__add_func(made.get(), name.c_str(), BTF_FUNC_STATIC, prototype);
  }
  __u32 size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(made.get(), &size));
  return {raw, raw + size};
}

Bytes kernel(const std::string& release, const Bytes& btf) {
  std::vector<KallsymsSymbol> symbols = {{0xffffffff81000000, "T_text"}};
  for (int i = 0; i < 600; ++i)
    symbols.push_back(
        {0xffffffff81000000 + static_cast<std::uint64_t>(i) * 16, fmt::format("tfunction_{}", i)});
  return ElfBuilder()
      .segment(0xffffffff81000000, bytes_of("Linux version " + release + " (x)\n"), 1 << 20)
      .segment(kTables, KallsymsEncoder(symbols, {}, kTables).encode())
      .section(".BTF", 0, btf)
      .build_id(release)
      .build();
}

struct Fixture {
  TemporaryDirectory directory;
  KernelStore store = *KernelStore::open(directory.path() / "cache");

  std::filesystem::path file(const std::string& name, const Bytes& bytes) const {
    std::filesystem::create_directories((directory.path() / name).parent_path());
    REQUIRE(write_new_file(directory.path() / name, bytes));
    return directory.path() / name;
  }
  engine::CachedKernel add(const std::string& release, std::initializer_list<std::string> functions) const {
    auto added = store.add(file(release, bzimage(zstd_payload(kernel(release, btf_with(functions))))));
    REQUIRE_MESSAGE(added, added.error().message);
    return *added;
  }
};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an added kernel has its symbol index and BTF beside it") {
  const auto added = add("9.1.2", {"scx_bpf_create_dsq"});
  const auto symbols = SymbolTable::load(added.symbols);
  REQUIRE(symbols);
  CHECK(symbols->size() == 601);
  CHECK(symbols->address("function_5") == KernelVirt(0xffffffff81000050));
  const auto btf = MappedFile::open(added.btf);
  REQUIRE(btf);
  CHECK(std::ranges::equal(btf->bytes(), btf_with({"scx_bpf_create_dsq"})));
  CHECK(added.metadata.can_run_schedulers());
  CHECK_FALSE(added.bzimage.empty());
}

TEST_CASE_FIXTURE(Fixture, "a kernel whose kfuncs can't be called is kept, but never the default") {
  add("9.1.2", {"scx_bpf_create_dsq*", "scx_bpf_create_dsq_impl*"});
  const auto defective = add("9.2.0", {"scx_bpf_create_dsq*"});
  REQUIRE(defective.metadata.sched_ext_defect);
  CHECK(defective.metadata.sched_ext_defect->find("scx_bpf_create_dsq_impl") != std::string::npos);
  CHECK(add("9.3.0", {"other"}).metadata.sched_ext_defect == "its BTF lacks scx_bpf_create_dsq");
  CHECK(store.resolve(std::nullopt)->metadata.release == "9.1.2");
  CHECK(store.resolve("9.2")->metadata.release == "9.2.0");
}

TEST_CASE_FIXTURE(Fixture, "damaged or missing index files are made anew") {
  const auto added = add("9.1.2", {"scx_bpf_create_dsq"});
  std::ofstream(added.symbols) << "rubbish";
  REQUIRE(std::filesystem::remove(added.btf));
  const auto again = store.resolve("9.1.2");
  REQUIRE(again);
  CHECK(SymbolTable::load(again->symbols)->size() == 601);
  CHECK(std::filesystem::file_size(again->btf) > 0);
}

TEST_CASE_FIXTURE(Fixture, "what can be made again of a damaged kernel is, and told") {
  const auto added = add("9.1.2", {"scx_bpf_create_dsq"});
  std::vector<std::string> told;
  const auto noticing =
      *KernelStore::open(directory.path() / "cache", [&](const std::string& text) { told.push_back(text); });
  std::filesystem::resize_file(added.btf, std::filesystem::file_size(added.btf) / 2);
  flip_byte(added.elf);
  const auto again = noticing.resolve("9.1.2");
  REQUIRE_MESSAGE(again, again.error().message);
  CHECK(std::ranges::equal(MappedFile::open(again->btf)->bytes(), btf_with({"scx_bpf_create_dsq"})));
  CHECK(std::ranges::equal(MappedFile::open(again->elf)->bytes(),
                           kernel("9.1.2", btf_with({"scx_bpf_create_dsq"}))));
  CHECK(told ==
        std::vector<std::string>{"cached kernel 9.1.2: btf, vmlinux damaged, made again from bzImage"});
  CHECK(noticing.verify()->empty());
}

TEST_CASE_FIXTURE(Fixture, "a kernel that is damaged for good is named with its file and what to run") {
  const auto added = add("9.1.2", {"scx_bpf_create_dsq"});
  flip_byte(added.bzimage);
  const auto refused = store.resolve("9.1.2");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorrupt);
  CHECK(refused.error().message == "cached kernel 9.1.2 is damaged: " + added.bzimage.string() +
                                       " is not what was put there; remove it with `ktstr kernel clean " +
                                       added.directory.filename().string() + "`, then fetch or add it again");
  CHECK(store.verify()->size() == 1);
  REQUIRE(store.clean({added.directory.filename().string(), std::nullopt}));
  add("9.1.2", {"scx_bpf_create_dsq"});
  CHECK(store.verify()->empty());
}

TEST_CASE_FIXTURE(Fixture, "damage that nobody's times tell of is found by verifying") {
  const auto added = add("9.1.2", {"scx_bpf_create_dsq"});
  flip_byte(added.bzimage);
  auto records = *vmm::FileRecords::load(added.directory);  // as if the disk had changed it
  const auto now = *vmm::FileRecords::of(added.directory);
  for (std::size_t i = 0; i < records.files.size(); ++i) records.files[i].ctime_ns = now.files[i].ctime_ns;
  REQUIRE(records.save(added.directory));
  CHECK(store.resolve("9.1.2"));
  CHECK(store.verify()->size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "somebody else's cache without an index gets one in memory") {
  if (::geteuid() != 0) SKIP_TEST("only root can become somebody else");
  const auto added = add("9.1.2", {"scx_bpf_create_dsq"});
  std::ofstream(added.symbols) << "of an older version";
  const auto before = std::filesystem::last_write_time(added.symbols);
  CHECK(holds_for_a_stranger(directory.path(), [&] {
    const auto foreign = KernelStore::open(directory.path() / "cache");
    const auto found =
        foreign ? foreign->resolve(std::nullopt) : Result<engine::CachedKernel>(foreign.error());
    if (!found) return false;
    const auto symbols = SymbolTable::load(found->symbols);
    return symbols && symbols->size() == 601 && std::filesystem::file_size(found->btf) > 0;
  }));
  CHECK(std::filesystem::last_write_time(added.symbols) == before);
}

TEST_CASE_FIXTURE(Fixture, "a kernel that the agent can't run on is refused by its configuration") {
  const auto image = file("boot/vmlinuz", kernel("9.1.2", btf_with({"scx_bpf_create_dsq"})));
  file("boot/config-9.1.2",
       bytes_of("CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=m\n# CONFIG_TMPFS is not set\n"));
  const auto refused = store.add(image);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(refused.error().message ==
        "file " + image.string() +
            ": kernel 9.1.2: ktstr's agent needs options built in (=y), as guests load no modules, and the "
            "kernel's configuration says CONFIG_VIRTIO_CONSOLE=m (the agent's channel), CONFIG_TMPFS is not "
            "set (/tmp)");
  CHECK(store.list()->kernels.empty());
}

TEST_CASE_FIXTURE(Fixture, "a kernel's own configuration is preferred to what lies beside it") {
  const std::string own = "CONFIG_HZ=300\nCONFIG_VIRTIO_CONSOLE=y\n";
  auto packed = gzip_payload(bytes_of(own));
  auto elf = kernel("9.1.2", btf_with({"scx_bpf_create_dsq"}));
  append(elf, bytes_of("IKCFG_ST"));
  append(elf, packed);
  const auto image = file("boot/vmlinuz", elf);
  file("boot/config-9.1.2", bytes_of("CONFIG_HZ=250\nCONFIG_VIRTIO_CONSOLE=m\n"));
  const auto added = store.add(image);
  REQUIRE_MESSAGE(added, added.error().message);
  CHECK(text_of(MappedFile::open(added->config)->bytes()) == own);
  CHECK(store.verify()->empty());
}

TEST_CASE_FIXTURE(Fixture, "the default is told with the list") {
  add("9.1.2", {"scx_bpf_create_dsq"});
  add("9.2.0", {"scx_bpf_create_dsq"});
  CHECK(store.list()->default_kernel.filename().string().starts_with("9.2.0"));
  CHECK(store.make_default("9.1")->metadata.release == "9.1.2");
  CHECK(store.list()->default_kernel.filename().string().starts_with("9.1.2"));
  CHECK(store.resolve(std::nullopt)->metadata.release == "9.1.2");
}

TEST_CASE_FIXTURE(Fixture, "a kernel with damaged BTF or without kallsyms is refused and named") {
  const auto no_btf = file("no-btf", kernel("9.1.2", bytes_of(std::string_view("\0sched_ext_ops\0", 15))));
  const auto refused = store.resolve(no_btf.string());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(no_btf.string() + ": the kernel's BTF can't be parsed") !=
        std::string::npos);
  const auto no_symbols = file("no-symbols", kernel_elf("9.1.2", "id"));
  CHECK(store.add(no_symbols).error().message.find("kallsyms: no token table") != std::string::npos);
  CHECK(store.list()->kernels.empty());
}

TEST_CASE("symbols of the cached kernels agree with what lies at their addresses") {
  const auto store = KernelStore::open();
  REQUIRE(store);
  const auto listing = store->list();
  REQUIRE(listing);
  if (listing->kernels.empty()) SKIP_TEST("no kernel is cached");
  for (const auto& cached : listing->kernels) {
    CAPTURE(cached.metadata.release);
    const auto file = MappedFile::open(cached.elf);
    REQUIRE(file);
    const auto elf = ElfImage::open(file->bytes());
    const auto symbols = SymbolTable::load(cached.symbols);
    REQUIRE(elf);
    REQUIRE(symbols);
    CHECK(symbols->size() > 100000);
    for (const char* name : {"_text", "init_task", "runqueues", "__per_cpu_offset", "linux_banner", "_end"}) {
      CAPTURE(name);
      CHECK(symbols->all(name).size() == 1);
    }
    const auto banner = symbols->address("linux_banner");
    REQUIRE(banner);
    const std::string expected = "Linux version " + cached.metadata.release + " ";
    const auto bytes = elf->bytes_at(*banner, expected.size());
    REQUIRE(bytes);
    CHECK(text_of(*bytes) == expected);
    CHECK(symbols->address("_text") == elf->segments()[0].address);
    const auto btf = symbols->address("__start_BTF");
    REQUIRE(btf);
    CHECK(elf->section(".BTF")->address == *btf);
  }
}
