#include "introspect/monitor/sampler.h"

#include <doctest/doctest.h>

#include <functional>

#include "introspect/monitor/event_timeline.h"
#include "introspect/monitor/summary.h"
#include "tests/introspect/sched/sched_guest.h"

namespace ktstr::introspect {
namespace {
using namespace test;

constexpr Duration kInstant = std::chrono::milliseconds(1'500);

Sampler sampler_of(const Kernel& kernel, std::uint32_t domains_every = 0) {
  auto sampler = Sampler::create(kernel, {domains_every});
  REQUIRE(sampler.has_value());
  return std::move(*sampler);
}

/// A guest that does something at the moment when its memory is read for the n-th time from now.
class BusyMemory final : public PhysicalMemory {
 public:
  explicit BusyMemory(const PhysicalMemory& memory) : memory_(memory) {}
  void at_read(int reads, std::function<void()> action) { reads_ = reads, action_ = std::move(action); }

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override {
    if (--reads_ == 0) action_();
    return memory_.read(address, out);
  }
  [[nodiscard]] GuestPhys end() const override { return memory_.end(); }

 private:
  const PhysicalMemory& memory_;
  mutable int reads_ = 0;
  std::function<void()> action_;
};

}  // namespace

TEST_CASE("a sample has every CPU's run queue at its number") {
  SchedGuest guest({}, 3);
  const auto kernel = guest.attach();
  for (std::uint32_t i = 0; i < 3; ++i) {
    guest.set_rq(i, "nr_running", i + 1);
    guest.set_rq(i, "clock", std::uint64_t{1000} * (i + 1));
    guest.set_rq(i, "scx.local_dsq.nr", i + 10);
    guest.set_rq(i, "rq_sched_info.run_delay", std::uint64_t{i} + 20);
  }
  auto sampler = sampler_of(kernel);
  CHECK(sampler.cpus() == 3);
  const std::vector<std::optional<std::uint64_t>> times = {77, std::nullopt};
  const auto sample = sampler.sample(kInstant, times).value();
  CHECK(sample.elapsed_ns == 1'500'000'000);
  CHECK(sample.elapsed_ms == 1'500);
  CHECK(sample.problems.empty());
  REQUIRE(sample.cpus.size() == 3);
  CHECK(sample.cpus[0].nr_running == 1);
  CHECK(sample.cpus[2].nr_running == 3);
  CHECK(sample.cpus[2].rq_clock == 3000);
  CHECK(sample.cpus[1].local_dsq_depth == 11);
  CHECK(sample.cpus[1].schedstat->run_delay == 21);
  CHECK(sample.cpus[0].vcpu_cpu_time_ns == 77);
  CHECK_FALSE(sample.cpus[1].vcpu_cpu_time_ns.has_value());
  CHECK_FALSE(sample.cpus[2].vcpu_cpu_time_ns.has_value());
  CHECK_FALSE(sample.cpus[0].event_counters.has_value());
  CHECK_FALSE(sample.scheduler_instance.has_value());
  CHECK_FALSE(sample.cpus[0].sched_domains.has_value());
}

TEST_CASE("counters appear with a scheduler, and each scheduler is another instance") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  auto sampler = sampler_of(kernel);
  CHECK_FALSE(sampler.sample(kInstant)->scheduler_instance.has_value());
  guest.load_scheduler();
  guest.set_event(1, "SCX_EV_DISPATCH_KEEP_LAST", 9);
  auto sample = sampler.sample(kInstant).value();
  CHECK(sample.scheduler_instance == 1);
  CHECK(number_of(*sample.cpus[1].event_counters, "dispatch_keep_last") == 9);
  CHECK(sampler.sample(kInstant)->scheduler_instance == 1);

  guest.load_scheduler();
  sample = sampler.sample(kInstant).value();
  CHECK(sample.scheduler_instance == 2);
  CHECK(number_of(*sample.cpus[1].event_counters, "dispatch_keep_last") == 0);

  guest.unload_scheduler();
  sample = sampler.sample(kInstant).value();
  CHECK_FALSE(sample.scheduler_instance.has_value());
  CHECK_FALSE(sample.cpus[1].event_counters.has_value());
  guest.load_scheduler();
  CHECK(sampler.sample(kInstant)->scheduler_instance == 3);
}

TEST_CASE("counters of a scheduler that leaves while they are read are dropped") {
  SchedGuest guest;
  BusyMemory memory(guest.memory());
  const auto kernel = guest.attach(memory);
  auto sampler = sampler_of(kernel);
  guest.load_scheduler();
  CHECK(sampler.sample(kInstant)->cpus[0].event_counters.has_value());
  // With every translation cached: the switch, two run queues, scx_root, its scx_sched, and then two CPUs'
  // counters.
  memory.at_read(6, [&] { guest.unload_scheduler(); });
  const auto sample = sampler.sample(kInstant).value();
  CHECK_FALSE(sample.cpus[0].event_counters.has_value());
  CHECK_FALSE(sample.cpus[1].event_counters.has_value());
  CHECK(sample.scheduler_instance == 1);
  REQUIRE(sample.problems.size() == 1);
  CHECK(sample.problems[0] == "sched_ext event counters: the scheduler changed while they were read");
}

TEST_CASE("a sample whose scheduler can't be read says so, and starts no other instance") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  auto sampler = sampler_of(kernel);
  const auto scheduler = guest.load_scheduler();
  CHECK(sampler.sample(kInstant)->scheduler_instance == 1);
  guest.write(guest.symbol("scx_root"), std::uint64_t{0x1234});
  const auto unknown = sampler.sample(kInstant).value();
  CHECK(unknown.scheduler_unknown);
  CHECK_FALSE(unknown.scheduler_instance.has_value());
  CHECK(unknown.problems ==
        std::vector<std::string>{"sched_ext event counters: scx_root holds no kernel pointer"});
  guest.write(guest.symbol("scx_root"), scheduler);
  const auto again = sampler.sample(kInstant).value();
  CHECK_FALSE(again.scheduler_unknown);
  CHECK(again.scheduler_instance == 1);
}

TEST_CASE("domains come with every n-th sample") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  guest.set_rq(0, "sd", guest.add_domain({}, 0, "MC", {0, 1}));
  auto sampler = sampler_of(kernel, 3);
  std::vector<bool> with_domains;
  for (int i = 0; i < 7; ++i)
    with_domains.push_back(sampler.sample(kInstant)->cpus[0].sched_domains.has_value());
  CHECK(with_domains == std::vector<bool>{true, false, false, true, false, false, true});
  CHECK_FALSE(sampler.sample(kInstant)->cpus[1].sched_domains.has_value());
}

TEST_CASE("hostile counters and domains are absent, and the sample says why") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  auto sampler = sampler_of(kernel, 1);
  const auto scheduler = guest.load_scheduler();
  guest.set(scheduler, "scx_sched", "pcpu", KernelVirt(0x10));
  guest.set_rq(0, "sd", KernelVirt(0xdead));
  guest.set_rq(1, "sd", guest.add_domain({}, 0, "MC", {0, 1}));
  const auto sample = sampler.sample(kInstant).value();
  CHECK_FALSE(sample.cpus[0].event_counters.has_value());
  CHECK_FALSE(sample.cpus[0].sched_domains.has_value());
  CHECK(sample.cpus[1].sched_domains->size() == 1);
  REQUIRE(sample.problems.size() == 2);
  CHECK(sample.problems[0] == "sched_ext event counters: event counters of cpu0 can't be read");
  CHECK(sample.problems[1] == "domains of cpu0: sched_domain at 0x000000000000dead: no kernel pointer");
}

TEST_CASE("a counter that nobody knows goes from the kernel's types to samples, totals and timeline") {
  KernelShape shape;
  shape.event_members = {"SCX_EV_BYPASS_ACTIVATE", "SCX_EV_NEW_THING"};
  SchedGuest guest(shape);
  const auto kernel = guest.attach();
  auto sampler = sampler_of(kernel);
  guest.load_scheduler();
  std::vector<MonitorSample> samples;
  for (const std::int64_t count : {2, 5}) {
    guest.set_event(1, "SCX_EV_NEW_THING", count);
    samples.push_back(sampler.sample(kInstant).value());
  }
  const auto names = sampler.other_event_names();
  const std::map<std::string, std::int64_t> growth{{"new_thing", 3}}, last{{"new_thing", 5}};
  CHECK(event_deltas(samples, names)->total_other == growth);
  CHECK(event_timeline(samples, names).back().other == last);
}

TEST_CASE("a sampler tells what the kernel does not show") {
  SchedGuest complete;
  const auto complete_kernel = complete.attach();
  auto sampler = sampler_of(complete_kernel);
  CHECK(sampler.missing().empty());
  CHECK(sampler.other_event_names() == std::vector<std::string>{"slice_denied", "sub_rescue"});
  complete.set_schedstats_switch(0);
  CHECK_FALSE(sampler.sample(kInstant)->cpus[0].schedstat->sched_count.has_value());
  REQUIRE(sampler.missing().size() == 1);
  CHECK(sampler.missing()[0].capability == "schedstat counters");
  CHECK(sampler.missing()[0].reason == "kernel.sched_schedstats is 0");

  KernelShape shape;
  shape.sched_ext = shape.schedstats = shape.domains = false;
  shape.events = EventPlace::kNowhere;
  const SchedGuest bare(shape);
  const auto bare_kernel = bare.attach();
  std::vector<std::string> names;
  for (const auto& missing : sampler_of(bare_kernel).missing()) names.push_back(missing.capability);
  CHECK(names == std::vector<std::string>{"sched_ext run queues", "schedstat", "sched_ext event counters",
                                          "sched_domains"});
}

TEST_CASE("a run queue that can't be read gives an error that names its CPU, not zeroes") {
  SchedGuest guest;
  guest.write(guest.symbol("__per_cpu_offset") + 8, std::uint64_t{0x0000'4000'0000'0000});
  const auto kernel = guest.attach();
  auto sampler = sampler_of(kernel);
  const auto sample = sampler.sample(kInstant);
  REQUIRE_FALSE(sample.has_value());
  CHECK(sample.error().code == ErrorCode::kOutOfRange);
  CHECK(sample.error().message == "the run queue of cpu1 can't be read");
}

TEST_CASE("CPUs offline at the end are not sampled, and a guest without CPUs can't be") {
  SchedGuest guest({}, 4);
  guest.write(guest.symbol("__cpu_online_mask"), std::uint64_t{0b0101});
  const auto kernel = guest.attach();
  CHECK(sampler_of(kernel).cpus() == 3);
  guest.write(guest.symbol("__cpu_online_mask"), std::uint64_t{0});
  CHECK(Sampler::create(kernel).error().message == "the guest has no CPU online yet");
}

TEST_CASE("each sample tells which CPUs are offline while it is taken") {
  SchedGuest guest({}, 3);
  const auto kernel = guest.attach();
  auto sampler = sampler_of(kernel);
  const auto before = sampler.sample(kInstant).value();
  guest.write(guest.symbol("__cpu_online_mask"), std::uint64_t{0b101});
  const auto after = sampler.sample(kInstant).value();
  for (std::size_t cpu = 0; cpu < 3; ++cpu) {
    CHECK_FALSE(before.is_offline(cpu));
    CHECK(after.is_offline(cpu) == (cpu == 1));
  }
}

TEST_CASE("CPU numbers with holes are refused") {
  SchedGuest guest({}, 4);
  guest.write(guest.symbol("__cpu_possible_mask"), std::uint64_t{0b1011});
  const auto kernel = guest.attach();
  CHECK(Sampler::create(kernel).error().message == "CPU numbers with holes (0-1,3)");
}

}  // namespace ktstr::introspect
