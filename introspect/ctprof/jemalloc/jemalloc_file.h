// What a file that holds jemalloc (an executable or a shared object) says of where its per-thread data lies.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "engine/base/fd.h"
#include "introspect/ctprof/jemalloc/tls_reach.h"
#include "introspect/ctprof/jemalloc/tsd_layout.h"
#include "introspect/ctprof/probe_summary.h"

namespace ktstr::introspect::ctprof {

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
