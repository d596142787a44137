#include "introspect/ctprof/host_context.h"

#include <zlib.h>

#include <memory>

#include "introspect/ctprof/file_reader.h"
#include "introspect/ctprof/parse/cgroup_files.h"
#include "introspect/ctprof/parse/host_files.h"

namespace ktstr::introspect::ctprof {
namespace {

namespace fs = std::filesystem;

// Relative to the roots; the key in the file is the name below sys/ or kernel/mm/.
constexpr const char* kSysctls[] = {"kernel/numa_balancing",
                                    "kernel/sched_autogroup_enabled",
                                    "kernel/sched_cfs_bandwidth_slice_us",
                                    "kernel/sched_rr_timeslice_ms",
                                    "kernel/sched_rt_period_us",
                                    "kernel/sched_rt_runtime_us",
                                    "kernel/sched_schedstats",
                                    "kernel/sched_util_clamp_max",
                                    "kernel/sched_util_clamp_min",
                                    "kernel/task_delayacct",
                                    "vm/dirty_background_ratio",
                                    "vm/dirty_ratio",
                                    "vm/overcommit_memory",
                                    "vm/swappiness",
                                    "vm/zone_reclaim_mode"};
constexpr const char* kMemoryFiles[] = {"transparent_hugepage/defrag", "transparent_hugepage/enabled"};

struct CloseGzip {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

/// The uncompressed text of a .gz file, at most 4 MiB of it; "" when there is none.
std::string gunzip(const fs::path& path) {
  std::string text;
  const std::unique_ptr<gzFile_s, CloseGzip> file(gzopen(path.c_str(), "rbe"));
  if (!file) return text;
  text.resize(FileReader::kMaxBytes);
  const int count = gzread(file.get(), text.data(), static_cast<unsigned>(text.size()));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

class HostReader {
 public:
  HostReader(fs::path proc, fs::path sys) : proc_(std::move(proc)), sys_(std::move(sys)) {}

  HostContext read() {
    HostContext host;
    read_kernel(host);
    read_machine(host);
    for (const auto* name : kSysctls) add_tunable(host, name, proc_ / "sys" / name);
    for (const auto* name : kMemoryFiles) add_tunable(host, name, sys_ / "kernel/mm" / name);
    host.kernel_config = parse_kernel_config(gunzip(proc_ / "config.gz"));
    return host;
  }

 private:
  std::optional<std::string> word(const fs::path& path) {
    const auto text = files_.read(path);
    return text ? parse_single_word(*text) : std::nullopt;
  }

  void add_tunable(HostContext& host, const char* name, const fs::path& path) {
    if (auto value = word(path)) host.tunables.emplace(name, std::move(*value));
  }

  void read_kernel(HostContext& host) {
    const auto kernel = proc_ / "sys/kernel";
    host.kernel_release = word(kernel / "osrelease");
    host.kernel_version = word(kernel / "version");
    host.architecture = word(kernel / "arch");
    host.boot_id = word(kernel / "random/boot_id");
    host.command_line = word(proc_ / "cmdline");
  }

  void read_machine(HostContext& host) {
    host.cpus_online = word(sys_ / "devices/system/cpu/online");
    host.nodes_online = word(sys_ / "devices/system/node/online");
    if (const auto text = files_.read(proc_ / "cpuinfo")) {
      const auto info = parse_cpuinfo(*text);
      host.cpu_model = info.model;
      host.packages = info.packages;
      host.cores = info.cores;
    }
    if (const auto text = files_.read(proc_ / "meminfo")) {
      host.memory_bytes = parse_meminfo(*text, "MemTotal");
      host.swap_bytes = parse_meminfo(*text, "SwapTotal");
    }
  }

  fs::path proc_, sys_;
  FileReader files_;
};

}  // namespace

HostContext read_host_context(const fs::path& proc, const fs::path& sys) {
  return HostReader(proc, sys).read();
}

std::vector<std::string> setting_hints(const HostContext& host) {
  const auto is_off = [&](const char* name) {
    const auto found = host.tunables.find(name);
    return found != host.tunables.end() && found->second == "0";
  };
  std::vector<std::string> sentences;
  if (is_off("kernel/sched_schedstats"))
    sentences.emplace_back(
        "kernel.sched_schedstats is 0, so wait_sum, nr_wakeups, block_sum and the like are missing: "
        "sysctl "
        "kernel.sched_schedstats=1");
  if (is_off("kernel/task_delayacct"))
    sentences.emplace_back(
        "kernel.task_delayacct is 0, so all delays but cpu_delay are missing: sysctl "
        "kernel.task_delayacct=1, which counts for threads that begin afterwards");
  return sentences;
}

TaskstatsGates taskstats_gates(const HostContext& host) {
  const auto built = [&](const char* option) {
    const auto found = host.kernel_config.find(option);
    return found == host.kernel_config.end() || found->second == "y";
  };
  const auto enabled = host.tunables.find("kernel/task_delayacct");
  TaskstatsGates gates;
  gates.cpu_delay = built("CONFIG_TASK_DELAY_ACCT");
  gates.delays = gates.cpu_delay && (enabled == host.tunables.end() || enabled->second != "0");
  gates.xacct = built("CONFIG_TASK_XACCT");
  return gates;
}

}  // namespace ktstr::introspect::ctprof
