// Facts that only the human monitor tells, from its text; and CPU facts from QMP's answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/value.h"

namespace ktstr::vmm::qemu {

/// The interrupt descriptor table's address of each CPU, from `info registers -a`; `cpus` elements, absent
/// where not told.
[[nodiscard]] std::vector<std::optional<std::uint64_t>> parse_idt_bases(std::string_view text,
                                                                        std::size_t cpus);

/// The host thread of each CPU, from query-cpus-fast; absent where one thread runs several CPUs, or none is
/// told.
[[nodiscard]] std::vector<std::optional<int>> parse_thread_ids(const Value& cpus_fast, std::size_t cpus);

/// "10.0.2", with the package that it is from in brackets, of query-version's answer; nullopt when it says
/// none.
[[nodiscard]] std::optional<std::string> parse_version_answer(const Value& answer);

}  // namespace ktstr::vmm::qemu
