#include "introspect/dump/dump_state.h"

#include <map>
#include <new>

#include "introspect/bpf/active_object.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/programs.h"
#include "introspect/dump/captured_maps.h"
#include "introspect/dump/running_object.h"
#include "introspect/read_budget.h"

namespace ktstr::introspect {
namespace {

/// One dump in the making: a function for each phase.
class Dumper {
 public:
  explicit Dumper(const DumpContext& context)
      : context_(context),
        kernel_(context.kernel.of_still_guest()),
        budget_(context.max_bytes, context.deadline) {}

  CapturedState run() {
    report_.origin.kernel = kernel_.banner();
    read_section("registers", &Dumper::read_registers);
    read_section("exit record", &Dumper::read_exit);
    read_section("sched_ext", &Dumper::read_scx);
    read_section("run queues", &Dumper::read_runqueues);
    read_section("tasks", &Dumper::read_tasks);
    read_section("machine", &Dumper::read_machine);
    report_.event_counter_timeline = context_.event_timeline;
    report_.vcpu_perf_at_freeze = context_.perf_counters;
    read_section("BPF", &Dumper::read_bpf);
    if (budget_.refused())
      add_problem("dump", "there was more than the " + std::to_string(context_.max_bytes >> 10) +
                              " KiB that it may keep; the rest is left out");
    report_.dump_truncated_at_us = budget_.truncated_at_us();
    report_.origin.dump_ns = budget_.elapsed_ns();
    return {std::move(report_), std::move(captured_)};
  }

 private:
  /// Memory that runs out costs the section, not the dump.
  void read_section(std::string_view name, void (Dumper::*read)()) {
    try {
      (this->*read)();
    } catch (const std::bad_alloc&) {
      add_problem(name, "out of memory");
    }
  }
  void read_registers();
  void read_exit();
  void read_scx();
  void read_runqueues();
  void read_tasks();
  void read_machine();
  void read_bpf();
  void read_programs(const BpfLayouts& layouts);
  void read_maps(const BpfLayouts& layouts);
  void find_active_object(const BpfLayouts& layouts);

  template <class Row>
  void take(Readings<Row> readings, std::vector<Row>& rows) {
    rows = std::move(readings.rows);
    for (auto& problem : readings.problems) report_.problems.push_back(std::move(problem));
  }
  void add_problem(std::string_view section, const std::string& sentence) {
    report_.problems.push_back(std::string(section) + ": " + sentence);
  }
  template <class Walk>
  void note_walk(std::string_view section, const Walk& walk) {
    if (!walk.reason.empty()) add_problem(section, walk.reason);
    for (const auto& bad : walk.bad) add_problem(section, bad.reason);
  }
  [[nodiscard]] std::function<bool()> keep_going() {
    return [this] { return !budget_.expired(); };
  }

  const DumpContext& context_;
  const Kernel kernel_;
  ReadBudget budget_;
  FailureDumpReport report_;
  std::vector<BpfMapInfo> maps_;
  std::unique_ptr<CapturedMaps> captured_;
  std::vector<BpfProgInfo> programs_;
};

void Dumper::read_registers() {
  const GuestContext symbols({.kernel = &kernel_});
  for (const auto& registers : context_.registers) {
    auto& shown = report_.vcpu_regs.emplace_back(registers);
    if (!shown || shown->user_mode) continue;
    shown->symbol = symbols.symbolize(shown->instruction_pointer);
  }
}

void Dumper::read_exit() {
  const auto& reader = context_.readers.exits;
  if (!reader) return;
  auto ended = reader->ended(kernel_);
  if (!ended.empty()) report_.exit_record = std::move(ended.front());
}

void Dumper::read_scx() {
  const auto& reader = context_.readers.scx;
  if (!reader) {
    report_.scx_walker_unavailable = kReasonNoScxWalker;
    return add_problem("sched_ext", reader.error().message);
  }
  auto snapshot = reader->read_all(kernel_, keep_going());
  report_.scx_sched_state = std::move(snapshot.scx_sched_state);
  report_.rq_scx_states = std::move(snapshot.rq_scx_states);
  report_.dsq_states = std::move(snapshot.dsq_states);
  report_.scx_walker_unavailable = std::move(snapshot.scx_walker_unavailable);
  for (const auto& problem : snapshot.problems) add_problem("sched_ext", problem);
}

void Dumper::read_runqueues() {
  const auto& reader = context_.readers.runqueues;
  if (reader)
    take(reader->read_all(kernel_, keep_going()), report_.cpu_runqueues);
  else
    report_.cpu_runqueues_unavailable = reader.error().message;
}

/// The task that each CPU runs, and where.
std::map<KernelVirt, KernelVirt> running_tasks(const FailureDumpReport& report) {
  std::map<KernelVirt, KernelVirt> running;
  for (const auto& rq : report.cpu_runqueues)
    if (rq.curr_kva && rq.cpu < report.vcpu_regs.size() && report.vcpu_regs[rq.cpu])
      running.emplace(*rq.curr_kva, report.vcpu_regs[rq.cpu]->instruction_pointer);
  return running;
}

/// What waits on the queues of the kernel's own classes.
std::vector<KernelVirt> queued_tasks(const FailureDumpReport& report) {
  std::vector<KernelVirt> tasks;
  for (const auto& rq : report.cpu_runqueues) {
    for (const auto& task : rq.deadline.tasks)
      if (task.task_kva) tasks.emplace_back(*task.task_kva);
    for (const auto& task : rq.rt.tasks) tasks.emplace_back(task.task_kva);
    for (const auto& task : rq.fair.tasks) tasks.emplace_back(task.task_kva);
  }
  return tasks;
}

std::vector<std::uint64_t> runnable_tasks(const FailureDumpReport& report) {
  std::vector<std::uint64_t> tasks;
  for (const auto& rq : report.rq_scx_states)
    tasks.insert(tasks.end(), rq.runnable_task_kvas.begin(), rq.runnable_task_kvas.end());
  return tasks;
}

void Dumper::read_tasks() {
  const auto& reader = context_.readers.tasks;
  if (!reader) {
    report_.task_enrichments_unavailable = kReasonNoTaskWalker;
    return add_problem("tasks", reader.error().message);
  }
  auto list = list_tasks(kernel_, reader->list_layout());
  if (!list) add_problem("tasks", list.error().message);
  if (list)
    for (const auto& problem : list->problems) add_problem("tasks", problem);
  const auto listed = list ? std::move(list->tasks) : std::vector<KernelVirt>{};
  const auto entries =
      task_entries(listed, runnable_tasks(report_), running_tasks(report_), queued_tasks(report_));
  auto read = reader->read_all(kernel_, entries, keep_going());
  report_.task_enrichments = std::move(read.tasks);
  report_.task_enrichments_unavailable = std::move(read.unavailable);
  const auto shown = report_.task_enrichments.size();
  if (read.truncated)
    add_problem("tasks", std::to_string(shown) + " of " + std::to_string(read.total) + " are shown");
  if (read.unreadable > 0) add_problem("tasks", std::to_string(read.unreadable) + " could not be read");
}

void Dumper::read_machine() {
  const auto& readers = context_.readers;
  if (readers.cpu_time)
    take(readers.cpu_time->read(kernel_), report_.per_cpu_time);
  else
    add_problem("CPU times", readers.cpu_time.error().message);
  if (readers.psi) {
    take(readers.psi->read_cgroups(kernel_), report_.cgroup_psi);
    if (auto system = readers.psi->read_system(kernel_)) report_.system_psi = std::move(*system);
  } else {
    add_problem("pressure", readers.psi.error().message);
  }
  if (readers.numa)
    take(readers.numa->read(kernel_), report_.per_node_numa);
  else
    report_.per_node_numa_unavailable = readers.numa.error().message;
}

void Dumper::read_bpf() {
  const auto& layouts = context_.readers.bpf;
  if (!layouts) {
    report_.prog_runtime_stats_unavailable = kReasonProgAccessorUnavailable;
    return add_problem("BPF", layouts.error().message);
  }
  auto maps = list_bpf_maps(kernel_, *layouts);
  if (maps) {
    note_walk("BPF maps", *maps);
    maps_ = std::move(maps->items);
  } else {
    add_problem("BPF maps", maps.error().message);
  }
  read_programs(*layouts);
  find_active_object(*layouts);
  read_maps(*layouts);
}

void Dumper::read_programs(const BpfLayouts& layouts) {
  auto programs = list_bpf_programs(kernel_, layouts);
  if (!programs) {
    report_.prog_runtime_stats_unavailable = kReasonProgAccessorUnavailable;
    return add_problem("BPF programs", programs.error().message);
  }
  note_walk("BPF programs", *programs);
  programs_ = std::move(programs->items);
  report_.prog_runtime_stats = struct_ops_runtime_stats(kernel_, layouts, programs_);
  report_.prog_verifier_stats = struct_ops_verifier_stats(programs_);
  if (report_.prog_runtime_stats.empty()) report_.prog_runtime_stats_unavailable = kReasonNoStructOpsLoaded;
}

void Dumper::find_active_object(const BpfLayouts& layouts) {
  const auto& exits = context_.readers.exits;
  std::optional<ActiveObject> active;
  if (exits) active = find_running_object(kernel_, layouts, *exits, maps_, programs_);
  if (!active) active = introspect::find_active_object(kernel_, layouts, maps_, programs_);
  if (!active) return;
  report_.active_obj_name = active->name;
  for (const auto map : active->used_maps) report_.active_map_kvas.push_back(map.value());
}

void Dumper::read_maps(const BpfLayouts& layouts) {
  auto captured = std::make_unique<CapturedMaps>(context_.kernel, context_.pointer_resolution, budget_);
  MapSource source{kernel_, layouts, context_.limits, budget_};
  captured->capture(source, maps_, report_);
  captured_ = std::move(captured);
}

}  // namespace

CapturedState::CapturedState(FailureDumpReport report, std::unique_ptr<CapturedMaps> maps)
    : report_(std::move(report)), maps_(std::move(maps)) {}
CapturedState::CapturedState(CapturedState&&) noexcept = default;
CapturedState& CapturedState::operator=(CapturedState&&) noexcept = default;
CapturedState::~CapturedState() = default;

CapturedState capture_state(const DumpContext& context) {
  return Dumper(context).run();
}

FailureDumpReport render_state(CapturedState state) {
  if (state.maps_) state.maps_->render(state.report_);
  return std::move(state.report_);
}

FailureDumpReport dump_state(const DumpContext& context) {
  return render_state(capture_state(context));
}

}  // namespace ktstr::introspect
