#include "introspect/sched/domains.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

namespace ktstr::introspect {
namespace {

constexpr std::size_t kMaxNameBytes = 32;

Error domain_error(ErrorCode code, KernelVirt domain, std::string_view what) {
  return {code, fmt::format("sched_domain at {:#018x}: {}", domain.value(), what)};
}

/// A domain's name. What is no short printable text is no name: absent.
std::optional<std::string> read_name(const Kernel& kernel, std::optional<KernelVirt> pointer) {
  if (!pointer || !kernel.plausible_pointer(*pointer, 1)) return std::nullopt;
  auto name = kernel.read_c_string(*pointer, kMaxNameBytes);
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (!name || name->size() >= kMaxNameBytes || !std::ranges::all_of(*name, printable)) return std::nullopt;
  return name;
}

}  // namespace

Result<DomainReader> DomainReader::create(const Btf& btf) {
  DomainReader reader;
  KTSTR_TRY(reader.layout_.resolve(btf));
  if (const auto stats = Reader<SchedDomainStats, "sched_domain">().resolve(btf); !stats)
    reader.missing_.push_back({"sched_domain statistics", stats.error().message + " (CONFIG_SCHEDSTATS)"});
  using Domain = SchedDomainSnapshot;
  if (const auto& layout = reader.layout_; !layout.place<&Domain::newidle_call>().present() ||
                                           !layout.place<&Domain::newidle_success>().present() ||
                                           !layout.place<&Domain::newidle_ratio>().present())
    reader.missing_.push_back(
        {"newidle statistics", "struct sched_domain: no newidle_call, newidle_success or newidle_ratio"});
  return reader;
}

Result<std::vector<SchedDomainSnapshot>> DomainReader::read(const Kernel& kernel, KernelVirt lowest,
                                                            bool counting) {
  std::vector<SchedDomainSnapshot> chain;
  for (KernelVirt domain = lowest; !domain.is_null();) {
    if (chain.size() == kMaxDomainLevels)
      return domain_error(ErrorCode::kCorrupt, lowest, fmt::format("more than {} levels", kMaxDomainLevels));
    auto snapshot = KTSTR_TRY(read_one(kernel, domain, counting));
    if (!chain.empty() && snapshot.level <= chain.back().level)
      return domain_error(ErrorCode::kCorrupt, domain,
                          fmt::format("level {} above level {}", snapshot.level, chain.back().level));
    chain.push_back(std::move(snapshot));
    domain = layout_.parent.read(bytes_).value_or(KernelVirt{});
  }
  return chain;
}

Result<SchedDomainSnapshot> DomainReader::read_one(const Kernel& kernel, KernelVirt domain, bool counting) {
  if (!kernel.plausible_pointer(domain))
    return domain_error(ErrorCode::kCorrupt, domain, "no kernel pointer");
  if (!bytes_.capture(kernel, layout_, domain))
    return domain_error(ErrorCode::kOutOfRange, domain, "it can't be read");
  const auto span = kernel.read_cpu_mask(layout_.span_address(domain));
  if (!span) return domain_error(ErrorCode::kOutOfRange, domain, "its span can't be read");

  SchedDomainSnapshot snapshot;
  layout_.fill(bytes_, snapshot);
  snapshot.name = read_name(kernel, layout_.name_pointer.read(bytes_));
  if (span->count() != snapshot.span_weight)
    return domain_error(ErrorCode::kCorrupt, domain,
                        fmt::format("span {} but span_weight {}", span->to_string(), snapshot.span_weight));
  snapshot.span = span->to_string();
  if (!counting) snapshot.stats.reset();
  return snapshot;
}

}  // namespace ktstr::introspect
