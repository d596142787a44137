// What a file that holds jemalloc (an executable or a shared object) says of where its per-thread data lies
// on x86-64 (ELF TLS, variant II: blocks of modules lie below the thread pointer, FS.base).
#pragma once

#include <gelf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "engine/base/fd.h"
#include "introspect/ctprof/jemalloc/tsd_layout.h"
#include "introspect/ctprof/summaries.h"

namespace ktstr::introspect::ctprof {

/// An executable's variable: so many bytes from the thread pointer, in every process.
struct FromThreadPointer {
  std::int64_t offset = 0;
};
/// A shared object's in static TLS: the dynamic linker has written that offset (R_X86_64_TPOFF64) into the
/// word with this link-time address.
struct OffsetSlot {
  std::uint64_t address = 0;
};
using TlsReach = std::variant<FromThreadPointer, OffsetSlot>;

/// A variable in a module's TLS block.
struct TlsVariable {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Whether static TLS can be so far from a thread pointer: below it, and less than 1 GiB.
[[nodiscard]] bool is_static_tls_offset(std::int64_t offset);

/// Of a variable of this file. Nothing for a shared object's in dynamic TLS (jemalloc built with
/// --disable-initial-exec-tls), whose place is known to the C library alone, for an executable's block that
/// is not aligned as it asks to be, and for a variable that does not lie in the block.
[[nodiscard]] std::optional<TlsReach> find_tls_reach(Elf* elf, const TlsVariable& variable);

template <class T>
using ProbeResult = tl::expected<T, ProbeFailure>;

/// A piece of the file as it is mapped to be run.
struct CodeSegment {
  std::uint64_t file_offset = 0, file_size = 0;
  std::uint64_t address = 0;  ///< link-time
};

struct JemallocFile {
  TlsReach reach;
  TsdLayout layout;
  std::vector<CodeSegment> code;

  /// The link-time address of the byte at that place of the file; nothing when it is not code.
  [[nodiscard]] std::optional<std::uint64_t> link_address(std::uint64_t file_offset) const;
};

/// Reads symbols, relocations and DWARF, the last from separate debug files too (by build id or debug link,
/// where libdwfl looks for them). `path` is only a name by which those are found; `file` is read.
/// kNotJemalloc: it defines neither the thread data (a TLS symbol *tsd_tls) nor mallctlbymib().
[[nodiscard]] ProbeResult<JemallocFile> examine(const Fd& file, const std::string& path);

}  // namespace ktstr::introspect::ctprof
