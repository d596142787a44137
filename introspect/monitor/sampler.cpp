#include "introspect/monitor/sampler.h"

#include <algorithm>

namespace ktstr::introspect {

Result<Sampler> Sampler::create(const Kernel& kernel, const SamplerOptions& options) {
  Sampler sampler(kernel, options);
  KTSTR_TRY(sampler.rq_layout_.resolve(kernel.btf()));
  KTSTR_TRY(sampler.find_run_queues());
  sampler.find_optional_parts();
  return sampler;
}

Status Sampler::find_run_queues() {
  const auto online = kernel_->online_cpus();
  if (!online || online->empty()) return Error{ErrorCode::kUnavailable, "the guest has no CPU online yet"};
  const std::size_t count = online->to_vector().back() + 1;
  for (std::size_t cpu = 0; cpu < count; ++cpu) {
    if (!kernel_->possible_cpus().contains(cpu))
      return Error{ErrorCode::kUnavailable,
                   "CPU numbers with holes (" + kernel_->possible_cpus().to_string() + ")"};
    run_queues_.push_back(KTSTR_TRY(kernel_->per_cpu("runqueues", cpu)));
  }
  domains_.resize(count);
  return ok();
}

void Sampler::find_optional_parts() {
  missing_ = rq_layout_.missing();
  schedstats_switch_ = SchedstatsSwitch::find(*kernel_);
  counting_ = schedstats_switch_.is_on(*kernel_);
  if (auto events = EventReader::create(*kernel_))
    events_ = std::move(*events);
  else
    missing_.push_back({"sched_ext event counters", events.error().message});
  auto domains = DomainReader::create(kernel_->btf());
  if (!rq_layout_.sd.present()) {
    missing_.push_back({"sched_domains", "struct rq: no sd"});
  } else if (!domains) {
    missing_.push_back({"sched_domains", domains.error().message});
  } else {
    std::ranges::copy(domains->missing(), std::back_inserter(missing_));
    domain_reader_ = std::move(*domains);
  }
}

Result<MonitorSample> Sampler::sample(Duration elapsed,
                                      std::span<const std::optional<std::uint64_t>> vcpu_cpu_times_ns) {
  auto sample = MonitorSample::at(elapsed);
  sample.cpus.resize(cpus());
  counting_ = schedstats_switch_.is_on(*kernel_);
  note_offline(sample);
  KTSTR_TRY(sample_run_queues(sample));
  for (std::size_t cpu = 0; cpu < std::min(cpus(), vcpu_cpu_times_ns.size()); ++cpu)
    sample.cpus[cpu].vcpu_cpu_time_ns = vcpu_cpu_times_ns[cpu];
  if (events_) sample_events(sample);
  if (domain_reader_ && options_.domains_every != 0 && samples_ % options_.domains_every == 0)
    sample_domains(sample);
  ++samples_;
  return sample;
}

/// CPUs may be unplugged and plugged at any time.
void Sampler::note_offline(MonitorSample& sample) const {
  const auto online = kernel_->online_cpus();
  if (!online) {
    sample.problems.emplace_back("which CPUs are online could not be read");
    return;
  }
  for (std::size_t cpu = 0; cpu < cpus(); ++cpu)
    if (!online->contains(cpu)) sample.cpus[cpu].offline = true;
}

Status Sampler::sample_run_queues(MonitorSample& sample) {
  for (std::size_t cpu = 0; cpu < cpus(); ++cpu) {
    if (!rq_bytes_.capture(*kernel_, rq_layout_, run_queues_[cpu]))
      return Error{ErrorCode::kOutOfRange, "the run queue of cpu" + std::to_string(cpu) + " can't be read"};
    rq_layout_.fill_cpu(rq_bytes_, counting_, sample.cpus[cpu]);
    domains_[cpu] = rq_layout_.sd.read(rq_bytes_).value_or(KernelVirt{});
  }
  return ok();
}

void Sampler::sample_events(MonitorSample& sample) {
  const auto status = read_events(sample);
  if (status) return;
  for (auto& cpu : sample.cpus) cpu.event_counters.reset();
  sample.problems.push_back("sched_ext event counters: " + status.error().message);
}

/// The counters belong to a structure that the guest frees when its scheduler leaves: they count only when
/// the same scheduler is loaded before and after they were read.
Status Sampler::read_events(MonitorSample& sample) {
  const auto located = events_->locate(*kernel_);
  sample.scheduler_unknown = !located;
  const auto source = KTSTR_TRY(located);
  note_scheduler(source, sample);
  if (!source) return ok();
  for (std::size_t cpu = 0; cpu < cpus(); ++cpu)
    sample.cpus[cpu].event_counters = KTSTR_TRY(events_->read(*kernel_, *source, cpu));
  if (KTSTR_TRY(events_->locate(*kernel_)) == source) return ok();
  return Error{ErrorCode::kUnavailable, "the scheduler changed while they were read"};
}

void Sampler::note_scheduler(const std::optional<EventSource>& source, MonitorSample& sample) {
  const auto scheduler = source ? std::optional(source->scheduler) : std::nullopt;
  if (scheduler && scheduler != last_scheduler_) ++scheduler_instances_;
  if (scheduler) sample.scheduler_instance = scheduler_instances_;
  last_scheduler_ = scheduler;
}

void Sampler::sample_domains(MonitorSample& sample) {
  bool told = false;
  for (std::size_t cpu = 0; cpu < cpus(); ++cpu) {
    if (domains_[cpu].is_null()) continue;
    auto chain = domain_reader_->read(*kernel_, domains_[cpu], counting_);
    if (chain) {
      sample.cpus[cpu].sched_domains = std::move(*chain);
    } else if (!told) {
      sample.problems.push_back("domains of cpu" + std::to_string(cpu) + ": " + chain.error().message);
      told = true;
    }
  }
}

std::vector<std::string> Sampler::other_event_names() const {
  return events_ ? events_->layout().other_names() : std::vector<std::string>();
}

std::vector<MissingCapability> Sampler::missing() const {
  auto all = missing_;
  const bool has_counters = rq_layout_.place<&RqSchedstat::yld_count>().present();
  if (has_counters && !counting_) all.push_back({"schedstat counters", schedstats_switch_.reason()});
  return all;
}

}  // namespace ktstr::introspect
