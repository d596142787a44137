#include "engine/kernels/entry_files.h"

#include <fcntl.h>
#include <stdlib.h>

#include <string>
#include <utility>

#include "engine/base/durable_file.h"
#include "engine/base/elf_image.h"
#include "engine/base/fd.h"
#include "engine/base/io.h"
#include "engine/base/mapped_file.h"
#include "engine/kernels/kernel_config.h"
#include "engine/kernels/sched_ext_support.h"
#include "introspect/monitor/kernel_hz.h"
#include "introspect/symbols/kallsyms.h"

namespace ktstr::engine {
namespace {

namespace fs = std::filesystem;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

Status complete_config(const fs::path& directory, const MappedFile& vmlinux) {
  if (const auto own = introspect::unpack_ikconfig(text_of(vmlinux))) {
    std::error_code ignored;
    fs::remove(directory / "config", ignored);  // it may be a link to the entry's
    KTSTR_TRY(write_new_file(directory / "config", *own));
  }
  if (!fs::exists(directory / "config")) return ok();
  return check_agent_needs(text_of(KTSTR_TRY(MappedFile::open(directory / "config"))));
}

Result<Fd> open_unnamed(const fs::path& file) {
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error("open " + file.string());
  return fd;
}

Result<PrivateFiles> make_in(const fs::path& folder, const fs::path& vmlinux, vmm::KernelMetadata& metadata) {
  std::error_code error;
  fs::create_symlink(vmlinux, folder / "vmlinux", error);
  if (error) return system_error("link " + vmlinux.string(), error.value());
  KTSTR_TRY(complete_entry(folder, metadata));
  auto symbols = KTSTR_TRY(open_unnamed(folder / kSymbolsFile));
  auto btf = KTSTR_TRY(open_unnamed(folder / kBtfFile));
  auto files = std::make_shared<std::pair<Fd, Fd>>(std::move(symbols), std::move(btf));
  return PrivateFiles{path_of(files->first.get()), path_of(files->second.get()), files};
}

}  // namespace

Status complete_entry(const fs::path& directory, vmm::KernelMetadata& metadata) {
  const MappedFile file = KTSTR_TRY(MappedFile::open(directory / "vmlinux"));
  const ElfImage elf = KTSTR_TRY(ElfImage::open(file.bytes()));
  KTSTR_TRY(complete_config(directory, file), "kernel " + metadata.release);
  const auto symbols = KTSTR_TRY(introspect::decode_kallsyms(elf));
  KTSTR_TRY(symbols.save(directory / kSymbolsFile));
  const ElfSection* btf = elf.section(".BTF");
  if (!btf) return invalid_argument("kernel " + metadata.release + " has no BTF");
  KTSTR_TRY(write_new_file(directory / kBtfFile, btf->bytes));
  if (metadata.sched_ext) metadata.sched_ext_defect = KTSTR_TRY(find_sched_ext_defect(btf->bytes));
  return ok();
}

Result<PrivateFiles> make_private_files(const fs::path& vmlinux, vmm::KernelMetadata metadata) {
  std::error_code error;
  auto name = (fs::temp_directory_path(error) / "ktstr-kernel-XXXXXX").string();
  if (error || !::mkdtemp(name.data())) return system_error("make a temporary folder");
  auto made = make_in(name, vmlinux, metadata);
  fs::remove_all(name, error);
  return made;
}

}  // namespace ktstr::engine
