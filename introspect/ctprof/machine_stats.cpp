#include "introspect/ctprof/machine_stats.h"

#include <system_error>

#include "introspect/ctprof/file_reader.h"
#include "introspect/ctprof/parse/cgroup_files.h"

namespace ktstr::introspect::ctprof {
namespace {

namespace fs = std::filesystem;

/// A directory's files, each given to the parser that fits it.
class DirectoryReader {
 public:
  explicit DirectoryReader(fs::path directory) : directory_(std::move(directory)) {}

  template <class T>
  void get(std::optional<T>& member, const char* name, std::optional<T> (*parse)(std::string_view)) {
    if (const auto text = files_.read(directory_ / name)) member = parse(*text);
  }
  template <class T>
  void fill(T& members, const char* name, void (*parse)(std::string_view, T&)) {
    if (const auto text = files_.read(directory_ / name)) parse(*text, members);
  }

 private:
  fs::path directory_;
  FileReader files_;
};

/// The kernel writes the system's cpu.full as zeros (psi_show() of kernel/sched/psi.c).
void leave_out_meaningless(Pressure& system) {
  if (system.cpu) system.cpu->full.reset();
}

/// In a cgroup namespace "/" is an ordinary cgroup, which has this file.
bool is_hierarchy_root(const fs::path& root) {
  std::error_code error;
  return !fs::exists(root / "cgroup.type", error);
}

}  // namespace

CgroupStats read_cgroup_stats(const fs::path& root, const std::string& cgroup) {
  const auto directory = root / cgroup.substr(1);
  CgroupStats stats;
  DirectoryReader files(directory);
  files.fill(stats.cpu, "cpu.stat", parse_cpu_stat);
  files.fill(stats.cpu, "cpu.max", parse_cpu_max);
  files.get(stats.cpu.weight, "cpu.weight", parse_single);
  files.get(stats.cpu.weight_nice, "cpu.weight.nice", parse_single_signed);
  files.get(stats.memory.current, "memory.current", parse_single);
  files.get(stats.memory.max, "memory.max", parse_limit);
  files.get(stats.memory.high, "memory.high", parse_limit);
  files.get(stats.memory.low, "memory.low", parse_limit);
  files.get(stats.memory.min, "memory.min", parse_limit);
  files.get(stats.memory.stat, "memory.stat", parse_flat_keyed);
  files.get(stats.memory.events, "memory.events", parse_flat_keyed);
  files.get(stats.pids.current, "pids.current", parse_single);
  files.get(stats.pids.max, "pids.max", parse_limit);
  files.get(stats.pressure.cpu, "cpu.pressure", parse_psi);
  files.get(stats.pressure.memory, "memory.pressure", parse_psi);
  files.get(stats.pressure.io, "io.pressure", parse_psi);
  files.get(stats.pressure.irq, "irq.pressure", parse_psi);
  if (cgroup == "/" && is_hierarchy_root(root)) leave_out_meaningless(stats.pressure);
  return stats;
}

Pressure read_system_pressure(const fs::path& proc) {
  Pressure pressure;
  DirectoryReader files(proc / "pressure");
  files.get(pressure.cpu, "cpu", parse_psi);
  files.get(pressure.memory, "memory", parse_psi);
  files.get(pressure.io, "io", parse_psi);
  files.get(pressure.irq, "irq", parse_psi);
  leave_out_meaningless(pressure);
  return pressure;
}

std::optional<SchedExtState> read_sched_ext(const fs::path& sys) {
  const auto directory = sys / "kernel/sched_ext";
  std::error_code error;
  if (!fs::is_directory(directory, error)) return std::nullopt;
  SchedExtState state;
  DirectoryReader files(directory);
  files.get(state.state, "state", parse_single_word);
  files.get(state.switch_all, "switch_all", parse_single);
  files.get(state.nr_rejected, "nr_rejected", parse_single);
  files.get(state.hotplug_seq, "hotplug_seq", parse_single);
  files.get(state.enable_seq, "enable_seq", parse_single);
  return state;
}

fs::path find_cgroup_root(const fs::path& sys) {
  const auto root = sys / "fs/cgroup";
  std::error_code error;
  const bool beside_old_ones = !fs::exists(root / "cgroup.controllers", error) &&
                               fs::exists(root / "unified/cgroup.controllers", error);
  return beside_old_ones ? root / "unified" : root;
}

}  // namespace ktstr::introspect::ctprof
