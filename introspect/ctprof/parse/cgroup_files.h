// Parsers of the files of a cgroup v2 directory, of /proc/pressure and of sched_ext's directory in sysfs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "introspect/ctprof/machine_stats.h"

namespace ktstr::introspect::ctprof {

/// Lines "key number" (cpu.stat, memory.stat, memory.events); other lines are passed by. Nothing when there
/// is none.
[[nodiscard]] std::optional<std::map<std::string, std::uint64_t>> parse_flat_keyed(std::string_view text);

/// cpu.stat.
void parse_cpu_stat(std::string_view text, CgroupCpu& cpu);
/// cpu.max: "QUOTA PERIOD" or "max PERIOD", us.
void parse_cpu_max(std::string_view text, CgroupCpu& cpu);

/// A file of one number.
[[nodiscard]] std::optional<std::uint64_t> parse_single(std::string_view text);
[[nodiscard]] std::optional<std::int32_t> parse_single_signed(std::string_view text);
/// A file of one number, or "max".
[[nodiscard]] std::optional<Limit> parse_limit(std::string_view text);
/// A file of one word, as valid UTF-8.
[[nodiscard]] std::optional<std::string> parse_single_word(std::string_view text);

/// A pressure file (psi_show() of kernel/sched/psi.c). A half with a member missing is absent.
[[nodiscard]] std::optional<PsiResource> parse_psi(std::string_view text);

}  // namespace ktstr::introspect::ctprof
