// /proc/pressure and the pressure files of cgroups against memory.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "introspect/machine/psi.h"
#include "tests/introspect/machine/live_checks.h"
#include "tests/introspect/machine/proc_files.h"

namespace ktstr::introspect::test {
namespace {

struct Resource {
  const char* name;
  PsiResource PsiStat::*read;
};
constexpr Resource kResources[] = {
    {"cpu", &PsiStat::cpu}, {"memory", &PsiStat::memory}, {"io", &PsiStat::io}};

std::optional<PsiStat> cgroup_psi(LiveGuest& guest, const PsiReader& reader, const std::string& path) {
  const auto rows = rows_of(reader.read_cgroups(guest.kernel()));
  const auto found = std::ranges::find(rows, path, &CgroupPsiStat::path);
  return found == rows.end() ? std::nullopt : std::optional(found->psi);
}

/// Reading a pressure file adds up what the CPUs counted, so that memory says the same right afterwards,
/// unless the kernel's own two seconds ended just between: then false.
template <class Read>
bool file_agrees(LiveGuest& guest, Read read, const Resource& resource, const std::string& path,
                 bool is_system) {
  CAPTURE(path);
  const PsiStat before = read();
  auto said = pressure(guest.agent(), path);
  const PsiStat after = read();
  if (before.avg_last_update_ns != after.avg_last_update_ns) return false;
  CHECK(after.enabled);
  if (is_system && std::string(resource.name) == "cpu") {
    // Documented as undefined, printed as zeros.
    CHECK(said.full == PsiHalf{});
    said.full.reset();
  }
  CHECK(after.*resource.read == said);
  CHECK((before.*resource.read).some->total_usec <= said.some->total_usec);
  return true;
}

template <class Read>
void check_files(LiveGuest& guest, Read read, const std::string& prefix, const std::string& suffix,
                 bool is_system) {
  for (const auto& resource : kResources) {
    bool agreed = false;
    for (int i = 0; i < kAttempts && !agreed; ++i)
      agreed = file_agrees(guest, read, resource, prefix + resource.name + suffix, is_system);
    CHECK(agreed);
  }
  CHECK_FALSE(read().irq.has_value());
}

}  // namespace

void check_pressure(LiveGuest& guest) {
  auto reader = PsiReader::create(guest.kernel());
  REQUIRE_MESSAGE(reader.has_value(), reader.error().message);
  for (const auto* name : {"outer", "outer/inner"}) {
    engine::protocol::AddCgroup add;
    add.cgroup = name;
    REQUIRE(guest.agent().ask(add).has_value());
  }
  spin_on(guest, "outer/inner", {CpuSet{2}, CpuSet{2}, CpuSet{2}});
  const auto system = [&] { return reader->read_system(guest.kernel()).value(); };
  const auto inner = [&] { return cgroup_psi(guest, *reader, "/outer/inner").value(); };
  // The kernel moves the averages every two seconds.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (inner().cpu.some->avg10 == 0 && std::chrono::steady_clock::now() < deadline)
    static_cast<void>(file_of(guest.agent(), "/sys/fs/cgroup/outer/inner/cpu.pressure"));
  check_files(guest, system, "/proc/pressure/", "", true);
  check_files(guest, inner, "/sys/fs/cgroup/outer/inner/", ".pressure", false);
  CHECK(inner().cpu.some->avg10 > 0);
  CHECK(inner().cpu.some->total_usec > 0);
  CHECK(system().cpu.some->total_usec > 0);
  REQUIRE(guest.agent().ask(engine::protocol::RemoveCgroup{"outer"}).has_value());
  CHECK_FALSE(cgroup_psi(guest, *reader, "/outer/inner").has_value());
}

}  // namespace ktstr::introspect::test
