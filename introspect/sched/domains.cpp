#include "introspect/sched/domains.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "introspect/sched/captured.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kMaxNameBytes = 32;

std::string hex(KernelVirt address) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[address.value() >> shift & 0xf];
  return text;
}

Error corrupt(KernelVirt domain, std::string_view what) {
  return {ErrorCode::kCorrupt, "sched_domain at " + hex(domain) + ": " + std::string(what)};
}

Error unreadable(KernelVirt domain, std::string_view what) {
  return {ErrorCode::kOutOfRange,
          "sched_domain at " + hex(domain) + ": " + std::string(what) + " can't be read"};
}

/// A domain's name. What is no short printable text is no name: absent.
std::optional<std::string> read_name(const Kernel& kernel, std::optional<KernelVirt> pointer) {
  if (!pointer || !kernel.translator().plausible_pointer(*pointer, 1)) return std::nullopt;
  auto name = kernel.read_c_string(*pointer, kMaxNameBytes);
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (!name || name->size() >= kMaxNameBytes || !std::ranges::all_of(*name, printable)) return std::nullopt;
  return name;
}

void copy_load_balancing(const SchedDomainStatsLayout& layout, const StructBytes& bytes,
                         SchedDomainStats& stats) {
  stats.lb_count = captured(layout.lb_count, bytes);
  stats.lb_failed = captured(layout.lb_failed, bytes);
  stats.lb_balanced = captured(layout.lb_balanced, bytes);
  stats.lb_imbalance = layout.lb_imbalance.read(bytes);
  stats.lb_imbalance_load = layout.lb_imbalance_load.read(bytes);
  stats.lb_imbalance_util = layout.lb_imbalance_util.read(bytes);
  stats.lb_imbalance_task = layout.lb_imbalance_task.read(bytes);
  stats.lb_imbalance_misfit = layout.lb_imbalance_misfit.read(bytes);
  stats.lb_gained = captured(layout.lb_gained, bytes);
  stats.lb_hot_gained = captured(layout.lb_hot_gained, bytes);
  stats.lb_nobusyg = captured(layout.lb_nobusyg, bytes);
  stats.lb_nobusyq = captured(layout.lb_nobusyq, bytes);
}

SchedDomainStats domain_stats(const SchedDomainStatsLayout& layout, const StructBytes& bytes) {
  SchedDomainStats stats;
  copy_load_balancing(layout, bytes, stats);
  stats.alb_count = captured(layout.alb_count, bytes);
  stats.alb_failed = captured(layout.alb_failed, bytes);
  stats.alb_pushed = captured(layout.alb_pushed, bytes);
  stats.sbe_count = captured(layout.sbe_count, bytes);
  stats.sbe_balanced = captured(layout.sbe_balanced, bytes);
  stats.sbe_pushed = captured(layout.sbe_pushed, bytes);
  stats.sbf_count = captured(layout.sbf_count, bytes);
  stats.sbf_balanced = captured(layout.sbf_balanced, bytes);
  stats.sbf_pushed = captured(layout.sbf_pushed, bytes);
  stats.ttwu_wake_remote = captured(layout.ttwu_wake_remote, bytes);
  stats.ttwu_move_affine = captured(layout.ttwu_move_affine, bytes);
  stats.ttwu_move_balance = captured(layout.ttwu_move_balance, bytes);
  return stats;
}

}  // namespace

Result<DomainReader> DomainReader::create(const Btf& btf) {
  DomainReader reader;
  KTSTR_TRY(reader.layout_.resolve(btf));
  if (const auto stats = reader.stats_layout_.resolve(btf); !stats)
    reader.missing_.push_back({"sched_domain statistics", stats.error().message + " (CONFIG_SCHEDSTATS)"});
  const auto& layout = reader.layout_;
  if (!layout.newidle_call.present() || !layout.newidle_success.present() || !layout.newidle_ratio.present())
    reader.missing_.push_back(
        {"newidle statistics", "struct sched_domain: no newidle_call, newidle_success or newidle_ratio"});
  return reader;
}

Result<std::vector<SchedDomainSnapshot>> DomainReader::read(const Kernel& kernel, KernelVirt lowest,
                                                            bool counting) {
  std::vector<SchedDomainSnapshot> chain;
  for (KernelVirt domain = lowest; !domain.is_null();) {
    if (chain.size() == kMaxDomainLevels)
      return corrupt(lowest, "more than " + std::to_string(kMaxDomainLevels) + " levels");
    auto snapshot = KTSTR_TRY(read_one(kernel, domain, counting));
    if (!chain.empty() && snapshot.level <= chain.back().level)
      return corrupt(domain, fmt::format("level {} above level {}", snapshot.level, chain.back().level));
    chain.push_back(std::move(snapshot));
    domain = captured(layout_.parent, bytes_);
  }
  return chain;
}

Result<SchedDomainSnapshot> DomainReader::read_one(const Kernel& kernel, KernelVirt domain, bool counting) {
  if (!kernel.translator().plausible_pointer(domain)) return corrupt(domain, "no kernel pointer");
  if (!bytes_.capture(kernel, layout_, domain)) return unreadable(domain, "it");
  const auto span = kernel.read_cpu_mask(layout_.span_address(domain));
  if (!span) return unreadable(domain, "its span");

  SchedDomainSnapshot snapshot;
  snapshot.level = captured(layout_.level, bytes_);
  snapshot.name = read_name(kernel, layout_.name_pointer.read(bytes_));
  snapshot.flags = captured(layout_.flags, bytes_);
  snapshot.span_weight = captured(layout_.span_weight, bytes_);
  if (span->count() != snapshot.span_weight)
    return corrupt(domain,
                   "span " + span->to_string() + " but span_weight " + std::to_string(snapshot.span_weight));
  snapshot.span = span->to_string();
  snapshot.balance_interval = captured(layout_.balance_interval, bytes_);
  snapshot.nr_balance_failed = captured(layout_.nr_balance_failed, bytes_);
  snapshot.newidle_call = layout_.newidle_call.read(bytes_);
  snapshot.newidle_success = layout_.newidle_success.read(bytes_);
  snapshot.newidle_ratio = layout_.newidle_ratio.read(bytes_);
  snapshot.max_newidle_lb_cost = captured(layout_.max_newidle_lb_cost, bytes_);
  if (counting && stats_layout_.is_resolved()) snapshot.stats = KTSTR_TRY(read_stats(kernel, domain));
  return snapshot;
}

Result<SchedDomainStats> DomainReader::read_stats(const Kernel& kernel, KernelVirt domain) {
  if (!stats_bytes_.capture(kernel, stats_layout_, domain)) return unreadable(domain, "its statistics");
  return domain_stats(stats_layout_, stats_bytes_);
}

}  // namespace ktstr::introspect
