---@meta ktstr
-- For the Lua language server. Made by `ktstr docs` from describe<>; edit the descriptions instead.

---a workload on a guest kernel, and what must hold
---@class ktstr.scenario
---@field name? string name in reports; the file's when absent
---@field description? string one sentence for lists
---@field topology? string NUMA nodes, LLCs, cores per LLC and threads per core, e.g. "1n2l2c1t"
---@field kernel? string a path, a version or the beginning of one; the newest cached with sched_ext when absent
---@field kaslr? boolean whether the kernel's addresses are randomised
---@field kernel_args? string[] arguments appended to the kernel's command line
---@field memory? string guest memory; 64M per CPU, and at least 512M, when absent
---@field duration? string length of all steps together
---@field scheduler? string|ktstr.scheduler attached before the first step; the kernel's own schedules when absent
---@field cgroups? table<string, ktstr.cgroup> cgroups that exist when the first step begins, by name
---@field backdrop? ktstr.backdrop cgroups that live for the whole scenario
---@field steps? ktstr.step[] what happens, in order; one step that holds for the whole duration when absent
---@field monitor? ktstr.monitor how run queues are sampled
---@field expect? ktstr.expect what must hold for the scenario to pass
---@field check? fun(it: ktstr.RunReport|table): string|string[]|nil function(report): called after the run; what it returns (a string or a list of strings) fails the run
---@field on_snapshot? fun(it: ktstr.RunReport|table): string|string[]|nil function(snapshot): called with each dump, those taken when a scheduler ended unasked included; what it returns fails the run, as with check

---a sched_ext scheduler's program, or a scheduler of the kernel's own
---@class ktstr.scheduler
---@field name? string name in reports, by which ops can refer to it; the program's when absent
---@field path? string the program: a path (relative to the scenario's folder), or a name that is looked for beside the scenario, beside ktstr and on PATH; `name` when absent
---@field args? string[] its arguments; "{config}" stands for the configuration file's path in the guest
---@field flags? table<string, ktstr.scheduler_flag> its switches, by name
---@field active? string[] the flags that are on, in order
---@field config? string a file that goes into the guest with it, relative to the scenario's folder
---@field sysctls? table<string, string> written before it starts, e.g. ["kernel.sched_schedstats"] = "1"
---@field kernel_args? string[] arguments appended to the kernel's command line
---@field enable? string[] for a scheduler of the kernel's own: "echo VALUE > FILE" commands that turn it on
---@field disable? string[] commands that turn it off again
---@field expect? ktstr.expect what must hold whenever it is used; the scenario's own expectations win

---a switch of a scheduler
---@class ktstr.scheduler_flag
---@field args? string[] the arguments that turn it on
---@field requires? string[] flags that must be active with it

---what must hold for the scenario to pass
---@class ktstr.expect
---@field no_starvation? boolean every worker must do some work
---@field max_spread_pct? number largest difference of off-CPU share between the workers of a cgroup, percentage points
---@field max_gap? string longest time a worker may go without progress
---@field isolation? boolean workers must stay on the CPUs of their cpuset
---@field max_throughput_cv? number largest coefficient of variation of work rates within a cgroup
---@field min_work_rate? number smallest work rate of any worker, work units per second of CPU time
---@field max_p99_wake_latency? string largest 99th percentile of wake-up latency
---@field max_wake_latency_cv? number largest coefficient of variation of wake-up latency
---@field min_iteration_rate? number smallest iteration rate of any worker, iterations per second of wall time
---@field max_migration_ratio? number largest number of migrations per iteration of any worker
---@field monitor? ktstr.monitor_expectations thresholds on what the monitor samples
---@field scheduler_error? ktstr.scheduler_error a scheduler must end with this error; an empty table: with any
---@field events_clean? boolean no sched_ext event counter that tells of a task handled past the scheduler may rise

---thresholds on what the monitor samples
---@class ktstr.monitor_expectations
---@field max_imbalance_ratio? number largest max(nr_running) / max(1, min(nr_running)) that may last
---@field max_local_dsq_depth? integer largest local DSQ depth that may last, tasks
---@field fail_on_stall? boolean whether a run queue clock that stands still fails the run
---@field sustained_samples? integer consecutive samples that make a violation last
---@field max_fallback_rate? number largest select_cpu_fallback rate that may last, events/s over all CPUs
---@field max_keep_last_rate? number largest dispatch_keep_last rate that may last, events/s over all CPUs

---the error that a scheduler must end with
---@class ktstr.scheduler_error
---@field contains? string text that its reason, message or log holds
---@field matches? string POSIX extended regular expression that they match

---a cgroup, its limits and its workers
---@class ktstr.cgroup
---@field cpuset? ktstr.cpuset the CPUs it may use; its parent's when absent
---@field works? ktstr.work[] groups of workers that start with the cgroup
---@field cpu_weight? integer cpu.weight, 1 to 10000
---@field cpu_quota? number cpu.max, in CPUs (1.5: one and a half)
---@field memory_max? string memory.max
---@field pids_max? integer pids.max

---what lives for the whole scenario, untouched by steps
---@class ktstr.backdrop
---@field cgroups? table<string, ktstr.cgroup> cgroups, by name

---ops, then cgroups, then a time in which they are watched
---@class ktstr.step: ktstr.op[]
---@field ops? ktstr.op[] what to do, in order; positional values of k.step are ops too
---@field setup? table<string, ktstr.cgroup> cgroups to make, by name
---@field hold? string|number|ktstr.hold how long the step lasts: a duration, a fraction of the scenario's, or a k.hold value

---how run queues are sampled
---@class ktstr.monitor
---@field period? string time between two samples, 1ms to 10s

---@class ktstr.work

---some workers of one kind
---@class ktstr.work_group
---@field workers? integer how many workers; a multiple of the work type's group size
---@field workers_pct? number how many workers, as a fraction of the CPUs of the cgroup's cpuset, rounded up; instead of workers
---@field affinity? ktstr.affinity the CPUs that each worker asks for
---@field policy? ktstr.policy scheduling policy
---@field nice? integer -20 to 19
---@field comm? string thread name, at most 15 bytes; the work type's name when empty

---burns CPU without a pause
---@class ktstr.work.cpu_spin: ktstr.work_group
---@field iterations? integer loop turns between two checks of the stop flag

---calls sched_yield in a loop
---@class ktstr.work.yield_heavy: ktstr.work_group

---spins, then yields, in a loop
---@class ktstr.work.mixed: ktstr.work_group
---@field iterations? integer loop turns before each sched_yield

---writes to a file, then sleeps, in a loop
---@class ktstr.work.io_sync: ktstr.work_group
---@field write_size? string bytes of each write
---@field sleep? string pause after each write

---burns CPU for a burst, then sleeps
---@class ktstr.work.bursty: ktstr.work_group
---@field burst? string length of a burst (wall time)
---@field sleep? string pause after each burst

---pairs that spin, then pass a byte over a pipe to each other
---@class ktstr.work.pipe_io: ktstr.work_group
---@field iterations? integer loop turns before each hand-over

---pairs that spin, then wake each other through a futex
---@class ktstr.work.futex_ping_pong: ktstr.work_group
---@field iterations? integer loop turns before each wake-up

---strides over a buffer, reading and writing
---@class ktstr.work.cache_pressure: ktstr.work_group
---@field size? string bytes of the buffer
---@field stride? integer bytes between two touches

---strides over a buffer, then yields, in a loop
---@class ktstr.work.cache_yield: ktstr.work_group
---@field size? string bytes of the buffer
---@field stride? integer bytes between two touches

---pairs that stride over a buffer, then pass a byte over a pipe
---@class ktstr.work.cache_pipe: ktstr.work_group
---@field size? string bytes of each worker's buffer
---@field iterations? integer touches before each hand-over

---groups of one waker and n receivers on one futex
---@class ktstr.work.futex_fan_out: ktstr.work_group
---@field receivers? integer receivers of each group
---@field iterations? integer loop turns of the waker before each wake-up

---goes through phases in order, over and over
---@class ktstr.work.sequence: ktstr.work_group
---@field phases? ktstr.phase[] spin, sleep, yield and io phases, at least one

---forks a child that exits at once, waits for it, in a loop
---@class ktstr.work.fork_exit: ktstr.work_group

---spins and walks through the nice values
---@class ktstr.work.nice_sweep: ktstr.work_group
---@field lowest? integer first nice value
---@field highest? integer last nice value
---@field iterations? integer loop turns at each value

---spins and pins itself to one random allowed CPU after another
---@class ktstr.work.affinity_churn: ktstr.work_group
---@field iterations? integer loop turns between two changes

---spins and cycles through the scheduling policies it may use
---@class ktstr.work.policy_churn: ktstr.work_group
---@field iterations? integer loop turns between two changes

---maps a region, touches random pages, drops it, in a loop
---@class ktstr.work.page_fault_churn: ktstr.work_group
---@field size? string bytes of the region
---@field touches? integer pages touched before the region is dropped
---@field spin? integer loop turns between two touches

---groups that fight for one mutex
---@class ktstr.work.mutex_contention: ktstr.work_group
---@field contenders? integer workers of each group
---@field hold? integer loop turns with the mutex held
---@field work? integer loop turns without it

---What workers do. One table holds the parameters below and those that all work has.
---@class ktstr.module.work
---@field cpu_spin fun(parameters: ktstr.work.cpu_spin): ktstr.work burns CPU without a pause
---@field yield_heavy fun(parameters: ktstr.work.yield_heavy): ktstr.work calls sched_yield in a loop
---@field mixed fun(parameters: ktstr.work.mixed): ktstr.work spins, then yields, in a loop
---@field io_sync fun(parameters: ktstr.work.io_sync): ktstr.work writes to a file, then sleeps, in a loop
---@field bursty fun(parameters: ktstr.work.bursty): ktstr.work burns CPU for a burst, then sleeps
---@field pipe_io fun(parameters: ktstr.work.pipe_io): ktstr.work pairs that spin, then pass a byte over a pipe to each other
---@field futex_ping_pong fun(parameters: ktstr.work.futex_ping_pong): ktstr.work pairs that spin, then wake each other through a futex
---@field cache_pressure fun(parameters: ktstr.work.cache_pressure): ktstr.work strides over a buffer, reading and writing
---@field cache_yield fun(parameters: ktstr.work.cache_yield): ktstr.work strides over a buffer, then yields, in a loop
---@field cache_pipe fun(parameters: ktstr.work.cache_pipe): ktstr.work pairs that stride over a buffer, then pass a byte over a pipe
---@field futex_fan_out fun(parameters: ktstr.work.futex_fan_out): ktstr.work groups of one waker and n receivers on one futex
---@field sequence fun(parameters: ktstr.work.sequence): ktstr.work goes through phases in order, over and over
---@field fork_exit fun(parameters: ktstr.work.fork_exit): ktstr.work forks a child that exits at once, waits for it, in a loop
---@field nice_sweep fun(parameters: ktstr.work.nice_sweep): ktstr.work spins and walks through the nice values
---@field affinity_churn fun(parameters: ktstr.work.affinity_churn): ktstr.work spins and pins itself to one random allowed CPU after another
---@field policy_churn fun(parameters: ktstr.work.policy_churn): ktstr.work spins and cycles through the scheduling policies it may use
---@field page_fault_churn fun(parameters: ktstr.work.page_fault_churn): ktstr.work maps a region, touches random pages, drops it, in a loop
---@field mutex_contention fun(parameters: ktstr.work.mutex_contention): ktstr.work groups that fight for one mutex

---@class ktstr.phase

---The parts of `k.work.sequence`, repeated in order.
---@class ktstr.module.phase
---@field spin fun(duration: string): ktstr.phase burns CPU
---@field sleep fun(duration: string): ktstr.phase sleeps
---@field yield fun(duration: string): ktstr.phase calls sched_yield
---@field io fun(duration: string): ktstr.phase writes to a file

---@class ktstr.cpuset

---The CPUs of a cgroup. Usable CPUs are all but the last when there are more than two.
---@class ktstr.module.cpuset
---@field llc fun(index: integer): ktstr.cpuset the usable CPUs of one LLC
---@field numa fun(node: integer): ktstr.cpuset the usable CPUs of one NUMA node
---@field range fun(start: number, end: number): ktstr.cpuset a contiguous part of the usable CPUs
---@field disjoint fun(index: integer, of: integer): ktstr.cpuset one of several equal parts of the usable CPUs
---@field overlap fun(index: integer, of: integer, fraction: number): ktstr.cpuset one of several equal parts, reaching into its neighbours
---@field exact fun(cpus: string): ktstr.cpuset just these CPUs

---@class ktstr.affinity

---The CPUs that workers ask for, within their cgroup's.
---@class ktstr.module.affinity
---@field inherit ktstr.affinity whatever the cgroup's cpuset allows
---@field random_subset fun(count: integer, from?: string): ktstr.affinity each worker gets a random set of CPUs of its own
---@field llc_aligned ktstr.affinity the LLC that shares most CPUs with the cgroup's cpuset
---@field cross_cgroup ktstr.affinity all usable CPUs, beyond the cgroup's cpuset
---@field single_cpu ktstr.affinity the first CPU of the cgroup's cpuset
---@field exact fun(cpus: string): ktstr.affinity just these CPUs
---@field smt_sibling_pair ktstr.affinity the SMT siblings of one core

---@class ktstr.policy

---How workers are scheduled.
---@class ktstr.module.policy
---@field normal ktstr.policy SCHED_OTHER
---@field batch ktstr.policy SCHED_BATCH
---@field idle ktstr.policy SCHED_IDLE
---@field fifo fun(priority: integer): ktstr.policy SCHED_FIFO
---@field rr fun(priority: integer): ktstr.policy SCHED_RR
---@field deadline fun(runtime: string, deadline: string, period: string): ktstr.policy SCHED_DEADLINE; runtime <= deadline <= period
---@field ext ktstr.policy SCHED_EXT

---@class ktstr.op

---What a step does.
---@class ktstr.module.op
---@field add_cgroup fun(cgroup: string, def: ktstr.cgroup): ktstr.op makes a cgroup and starts its workers
---@field remove_cgroup fun(cgroup: string): ktstr.op stops the cgroup's workers, then removes it
---@field set_cpuset fun(cgroup: string, cpuset: ktstr.cpuset): ktstr.op gives the cgroup another cpuset
---@field clear_cpuset fun(cgroup: string): ktstr.op clears the cpuset: the cgroup uses its parent's
---@field swap_cpusets fun(a: string, b: string): ktstr.op exchanges the cpusets of two cgroups
---@field spawn fun(cgroup: string, work: ktstr.work): ktstr.op starts workers in a cgroup
---@field spawn_host fun(work: ktstr.work): ktstr.op starts workers in the agent's own cgroup, beside all others
---@field stop_cgroup fun(cgroup: string): ktstr.op stops the cgroup's workers and keeps the cgroup
---@field set_affinity fun(cgroup: string, affinity: ktstr.affinity): ktstr.op gives the cgroup's workers another affinity
---@field move_all_tasks fun(from: string, to: string): ktstr.op moves all workers from one cgroup to another
---@field freeze_cgroup fun(cgroup: string): ktstr.op freezes the cgroup's workers (cgroup.freeze)
---@field unfreeze_cgroup fun(cgroup: string): ktstr.op lets a frozen cgroup's workers run again
---@field attach_scheduler fun(scheduler: string|ktstr.scheduler): ktstr.op starts a scheduler and waits until the kernel runs it
---@field detach_scheduler ktstr.op ends the attached scheduler; the kernel's own goes on
---@field replace_scheduler fun(scheduler: string|ktstr.scheduler): ktstr.op ends the attached scheduler and starts another, under whatever load there is
---@field restart_scheduler ktstr.op ends the scheduler that was attached last, if it still lives, and starts it again
---@field capture_snapshot fun(name: string): ktstr.op stops the guest for an instant and reads everything it holds into a dump

---@class ktstr.hold

---How long a step lasts. A string is a fixed hold, a number a fraction.
---@class ktstr.module.hold
---@field fixed fun(duration: string): ktstr.hold holds for a fixed time
---@field fraction fun(fraction: number): ktstr.hold holds for a part of the scenario's duration
---@field loop fun(interval: string, duration?: string): ktstr.hold repeats the step's ops at the start of every interval
---@field rest ktstr.hold holds until the scenario's duration is over

---everything that one run of a scenario yields
---@class ktstr.RunReport
---@field format_version integer version of this format
---@field scenario string the scenario's name
---@field description string the scenario's description
---@field verdict string fail, inconclusive, pass or skip
---@field reason? string why the verdict is inconclusive or skip
---@field failures ktstr.Failure[] what did not hold, the cause first
---@field seed integer seed of random choices
---@field replay string a command that repeats the run
---@field kernel ktstr.KernelReport the guest's kernel
---@field machine ktstr.MachineReport the machine the guest ran on
---@field limits ktstr.LimitsReport limits in force
---@field schedulers ktstr.SchedulerReport[] the schedulers that were started, in order
---@field timeline ktstr.Timeline what was done to the guest, and when
---@field groups ktstr.GroupSummary[] worker groups, each in one line
---@field workers ktstr.WorkerGroup[] worker groups in full, in the same order
---@field monitor? ktstr.MonitorReport what was read from the guest's memory
---@field dumps ktstr.DumpReport[] dumps taken during the run
---@field monitor_problem? string why there is no monitor, or why it ended early
---@field sampling ktstr.SamplingReport how sampling went
---@field timings ktstr.TimingsReport where the time went
---@field emulator_faults string[] runs that the emulator spoiled and that were repeated
---@field console_tail? string the guest's last console lines, when it did not end in order

---what did not hold
---@class ktstr.Failure
---@field check string name of the check
---@field message string what was seen and what was allowed
---@field cgroup? string the cgroup concerned
---@field tid? integer the worker concerned, guest thread id

---the guest's kernel
---@class ktstr.KernelReport
---@field version string as the kernel cache names it
---@field build_id? string build id of the image, hexadecimal
---@field release? string uname -r in the guest

---the machine the guest ran on
---@class ktstr.MachineReport
---@field backend? string qemu-tcg, qemu-kvm ...; absent when none was started
---@field emulated boolean whether instructions were emulated
---@field topology string NUMA nodes, LLCs, cores per LLC, threads per core
---@field cpus integer CPUs
---@field memory_bytes integer memory, bytes
---@field kaslr boolean whether the kernel's addresses were randomised

---limits in force
---@class ktstr.LimitsReport
---@field workers ktstr.WorkerLimits worker checks
---@field monitor ktstr.MonitorThresholds monitor thresholds
---@field emulation_factor number factor in the time-dependent defaults among them
---@field scheduler_error? ktstr.scheduler_error the error that a scheduler had to end with
---@field events_clean boolean whether sched_ext event counters had to stay clean

---the worker checks in force
---@class ktstr.WorkerLimits
---@field no_starvation boolean every worker must do some work
---@field max_spread_pct number largest spread of off-CPU share within a group, percentage points
---@field max_gap string longest time a worker may go without progress
---@field isolation boolean workers must stay on the CPUs of their cpuset
---@field max_throughput_cv? number largest coefficient of variation of work rates within a group
---@field min_work_rate? number smallest work rate, units per second of CPU time
---@field max_p99_wake_latency? string largest 99th percentile of wake-up latency
---@field max_wake_latency_cv? number largest coefficient of variation of wake-up latency
---@field min_iteration_rate? number smallest iteration rate, iterations per second of wall time
---@field max_migration_ratio? number largest number of migrations per iteration

---what the samples must not show for long
---@class ktstr.MonitorThresholds
---@field max_imbalance_ratio number largest max(nr_running) / max(1, min(nr_running))
---@field max_local_dsq_depth integer deepest local DSQ, tasks
---@field fail_on_stall boolean whether a run queue clock that stands still fails the run
---@field sustained_samples integer consecutive samples that make a violation last
---@field max_fallback_rate number select_cpu_fallback events/s over all CPUs
---@field max_keep_last_rate number dispatch_keep_last events/s over all CPUs

---the error that a scheduler must end with
---@class ktstr.scheduler_error
---@field contains? string text that its reason, message or log holds
---@field matches? string POSIX extended regular expression that they match

---one scheduler of a run
---@class ktstr.SchedulerReport
---@field name string its name in the scenario
---@field path? string its program on this host; absent for one of the kernel's own
---@field args string[] its arguments
---@field ops? string the name the kernel knew it by
---@field fate string attached, detached, replaced, restarted, died or refused
---@field step integer the step that started it, from 1; 0: before the first step
---@field attached_ns? integer when the kernel ran it, ns since the machine's start; absent when it never did
---@field ended_ns? integer when its end was noticed, ns since the machine's start; absent when it was attached to the last
---@field gap_ns? integer time without any scheduler of its kind before it, in a replacement, ns
---@field problem? string why it died or was refused
---@field expected boolean whether expect.scheduler_error allows for the problem
---@field exit_record? ktstr.SchedulerExitReport why the kernel let it go
---@field exit? ktstr.ExitInfo how its program ended
---@field log string[] the last lines of its output, repeats collapsed
---@field log_lines_dropped integer lines of output before those

---why the kernel let a scheduler go
---@class ktstr.SchedulerExitReport
---@field source string "guest memory" or "kernel log"
---@field kind? string enum scx_exit_kind by name
---@field code? integer the scheduler's own exit code
---@field reason? string what kind of end it was, in words
---@field message? string what was wrong
---@field backtrace string[] kernel functions at the end, innermost first
---@field dump? string the kernel's own debug dump

---how a process ended
---@class ktstr.ExitInfo
---@field how string "exited", "signaled", "timed out" (killed by the agent) or "wait failed"
---@field code? integer exit code, signal number or errno

---what was done to the guest, and when
---@class ktstr.Timeline
---@field steps ktstr.StepReport[] steps in order, those that began
---@field events ktstr.StimulusEvent[] ops in order

---one step as it went
---@class ktstr.StepReport
---@field step integer step number from 1
---@field start_ns integer when its first op began, ns since the machine's start
---@field hold_start_ns? integer when its hold began, ns since the machine's start; absent when the run ended before
---@field end_ns? integer when it was over, ns since the machine's start; absent when the run ended before
---@field turns integer how often its ops ran

---one op that was done to the guest
---@class ktstr.StimulusEvent
---@field offset_ns integer when the guest had done it, ns since the machine's start
---@field took_ns integer from the request to the answer, ns
---@field step integer step number from 1; 0: before the first step
---@field op string the op's name
---@field cgroup? string the cgroup it was done to
---@field cgroups integer cgroups after it
---@field workers integer running workers after it
---@field scheduler? string the scheduler that the op is about

---a worker group in one line
---@class ktstr.GroupSummary
---@field cgroup string where the workers were started
---@field work string the work type's name
---@field workers integer how many
---@field work_units integer work units of all workers
---@field iterations integer iterations of all workers
---@field cpu_pct? number mean share of wall time on a CPU, %
---@field spread_pct? number largest minus smallest off-CPU share, percentage points
---@field longest_gap_ns? integer longest time without progress of any worker, ns
---@field migrations integer CPU changes of all workers
---@field p99_wake_ns? integer the worst worker's 99th percentile of wake-up latency, ns

---workers that were started together, with what they reported
---@class ktstr.WorkerGroup
---@field cgroup string where they were started; "(host)" is the runner's own cgroup
---@field work string the work type's name
---@field allowed string CPUs that their cpuset held at some time of their life
---@field reports ktstr.worker_report[] one report for each worker

---what one worker did between its release and its stop
---@class ktstr.worker_report
---@field tid integer thread id
---@field cgroup? string its cgroup at the end; absent: the agent's own
---@field work string the work type's name
---@field work_units integer work units done
---@field iterations integer rounds of the work loop
---@field cpu_ns integer CPU time, ns
---@field wall_ns integer time from release to end, ns
---@field off_cpu_ns integer wall_ns - cpu_ns, ns
---@field completed boolean whether it ended its loop and reported by itself
---@field migrations integer changes of CPU seen between iterations
---@field migration_cpus integer[] the CPU after each migration, the first 1000
---@field cpus_used string CPUs seen between iterations
---@field longest_gap_ns integer longest time without progress while not asleep by choice, ns
---@field longest_gap_cpu integer CPU at the end of that gap
---@field longest_gap_at_ns integer end of that gap, ns since release
---@field schedstat_run_delay_ns? integer time runnable but not running, ns
---@field schedstat_run_count? integer times it was put on a CPU
---@field schedstat_cpu_time_ns? integer CPU time by the scheduler's account, ns
---@field wake_latencies_ns integer[] uniform sample of the times from a due or posted wake-up to running, ns
---@field wake_latencies_total integer how many wake-ups there were
---@field exit ktstr.ExitInfo how it ended

---what was seen from outside the guest
---@class ktstr.MonitorReport
---@field period_ns integer time between samples, ns
---@field preemption_threshold_ns integer time that a vCPU must have run before its run queue clock is expected to move, ns
---@field emulation_factor number how many times longer than that an emulated clock may stand still
---@field kernel_hz integer CONFIG_HZ of the guest's kernel, ticks/s
---@field kernel_hz_source string where CONFIG_HZ was found
---@field other_event_names string[] names of the counters in event_counters.other
---@field missing ktstr.MissingCapability[] what this kernel does not let us see
---@field failed_samples integer samples that could not be taken
---@field first_failure? string why the first of them could not
---@field samples ktstr.MonitorSample[] in order of time
---@field summary ktstr.MonitorSummary the samples in a few numbers
---@field verdict ktstr.MonitorVerdict the samples judged against the thresholds

---something that the guest's kernel does not let us see
---@class ktstr.MissingCapability
---@field capability string what is absent from the samples
---@field reason string why

---every CPU of the guest at one instant
---@class ktstr.MonitorSample
---@field elapsed_ns integer time since the machine's start, ns
---@field elapsed_ms integer the same in whole ms
---@field scheduler_instance? integer which loaded scheduler the event counters belong to: 1 for the first one seen
---@field cpus ktstr.CpuSnapshot[] by CPU number
---@field problems string[] what could not be read with this sample, and why

---one CPU at one instant
---@class ktstr.CpuSnapshot
---@field nr_running integer runnable tasks
---@field scx_nr_running? integer runnable tasks of sched_ext
---@field local_dsq_depth? integer tasks in the local dispatch queue
---@field rq_clock integer run queue clock, ns
---@field scx_flags? integer SCX_RQ_* bits
---@field event_counters? ktstr.ScxEventCounters sched_ext events of the loaded scheduler
---@field schedstat? ktstr.RqSchedstat schedstat counters (CONFIG_SCHEDSTATS)
---@field vcpu_cpu_time_ns? integer CPU time of the host thread that runs this CPU, ns
---@field sched_domains? ktstr.SchedDomainSnapshot[] scheduling domains, lowest first

---sched_ext events of one CPU since its scheduler was loaded
---@class ktstr.ScxEventCounters
---@field select_cpu_fallback? integer wakeups for which ops.select_cpu() named an unusable CPU, events
---@field dispatch_local_dsq_offline? integer dispatches to the local DSQ of an offline CPU, events
---@field dispatch_keep_last? integer times the previous task ran on because nothing else was dispatched, events
---@field enq_skip_exiting? integer exiting tasks enqueued without ops.enqueue(), events
---@field enq_skip_migration_disabled? integer tasks with migration disabled that were enqueued without ops.enqueue(), events
---@field reenq_immed? integer tasks enqueued again because their CPU could not run them at once, events
---@field reenq_local_repeat? integer repeated re-enqueues from a local DSQ (REENQ_LOCAL_REPEAT, later REENQ_REPEAT), events
---@field refill_slice_dfl? integer slices refilled with the default slice, events
---@field bypass_duration? integer time in bypass mode, ns
---@field bypass_dispatch? integer tasks dispatched in bypass mode, events
---@field bypass_activate? integer times bypass mode was entered, events
---@field insert_not_owned? integer attempts to insert a task that the scheduler does not own into a DSQ, events
---@field sub_bypass_dispatch? integer tasks of bypassing descendant schedulers that ran from the bypass DSQ, events
---@field other integer[] further counters, in the order of other_event_names

---one CPU's schedstat counters since boot
---@class ktstr.RqSchedstat
---@field run_delay integer time that tasks waited on this run queue, ns
---@field pcount integer times a task was put on this CPU
---@field yld_count? integer calls of sched_yield()
---@field sched_count? integer calls of schedule()
---@field sched_goidle? integer calls of schedule() that left the CPU idle
---@field ttwu_count? integer wakeups handled by this CPU
---@field ttwu_local? integer wakeups of tasks that then ran on the waking CPU

---one level of a CPU's scheduling domains, lowest first
---@class ktstr.SchedDomainSnapshot
---@field level integer 0 is the innermost
---@field name? string SMT, MC, PKG, NUMA ...
---@field flags integer SD_* bits
---@field span_weight integer CPUs in the domain
---@field span string the CPUs, as a list
---@field balance_interval integer time between balance attempts, ms
---@field nr_balance_failed integer consecutive failed balance attempts
---@field newidle_call? integer newly idle balance attempts in the current window
---@field newidle_success? integer of these, successful
---@field newidle_ratio? integer chance of a newly idle balance attempt, in 1/1024
---@field max_newidle_lb_cost integer longest newly idle balance so far, decaying, ns
---@field stats? ktstr.SchedDomainStats load balancing counters

---load balancing counters of one domain; lists are by the state of the balancing CPU: busy, idle, newly idle
---@class ktstr.SchedDomainStats
---@field lb_count integer[] load balance attempts
---@field lb_failed integer[] attempts that found an imbalance but moved nothing
---@field lb_balanced integer[] attempts that found no imbalance
---@field lb_imbalance? integer[] sum of the imbalances found (kernels that do not split it)
---@field lb_imbalance_load? integer[] sum of the imbalances found in load
---@field lb_imbalance_util? integer[] sum of the imbalances found in utilisation
---@field lb_imbalance_task? integer[] sum of the imbalances found in number of tasks
---@field lb_imbalance_misfit? integer[] sum of the imbalances found in misfit tasks
---@field lb_gained integer[] tasks pulled
---@field lb_hot_gained integer[] tasks pulled although cache-hot
---@field lb_nobusyg integer[] attempts that found no busiest group
---@field lb_nobusyq integer[] attempts that found no busiest run queue
---@field alb_count integer active balance attempts
---@field alb_failed integer active balance attempts that moved nothing
---@field alb_pushed integer tasks pushed by active balance
---@field sbe_count integer balancing on exec (no longer counted by the kernel)
---@field sbe_balanced integer exec found balance (no longer counted by the kernel)
---@field sbe_pushed integer tasks pushed on exec (no longer counted by the kernel)
---@field sbf_count integer balancing on fork (no longer counted by the kernel)
---@field sbf_balanced integer fork found balance (no longer counted by the kernel)
---@field sbf_pushed integer tasks pushed on fork (no longer counted by the kernel)
---@field ttwu_wake_remote integer wakeups onto another CPU of this domain
---@field ttwu_move_affine integer wakeups moved to the waking CPU for its cache
---@field ttwu_move_balance integer wakeups moved for balance

---the samples of a run in a few numbers
---@class ktstr.MonitorSummary
---@field total_samples integer samples taken
---@field max_imbalance_ratio? number largest max(nr_running) / max(1, min(nr_running)); at least 1
---@field max_local_dsq_depth? integer deepest local DSQ of any CPU, tasks
---@field stall_detected? boolean whether a run queue clock stood still between two samples of a CPU with runnable tasks
---@field avg_imbalance_ratio? number mean imbalance ratio of the samples
---@field avg_nr_running? number mean runnable tasks per CPU
---@field avg_local_dsq_depth? number mean depth of the local DSQs, tasks
---@field event_deltas? ktstr.ScxEventDeltas sched_ext events over the run
---@field schedstat_deltas? ktstr.SchedstatDeltas schedstat counters over the run

---sched_ext events over the run, all CPUs
---@class ktstr.ScxEventDeltas
---@field total_fallback? integer select_cpu_fallback events
---@field fallback_rate? number select_cpu_fallback events per second
---@field max_fallback_burst? integer most select_cpu_fallback events between two samples
---@field total_dispatch_offline? integer dispatch_local_dsq_offline events
---@field total_dispatch_keep_last? integer dispatch_keep_last events
---@field keep_last_rate? number dispatch_keep_last events per second
---@field total_enq_skip_exiting? integer enq_skip_exiting events
---@field total_enq_skip_migration_disabled? integer enq_skip_migration_disabled events
---@field total_reenq_immed? integer reenq_immed events
---@field total_reenq_local_repeat? integer reenq_local_repeat events
---@field total_refill_slice_dfl? integer refill_slice_dfl events
---@field total_bypass_duration? integer time in bypass mode, ns summed over the CPUs
---@field total_bypass_dispatch? integer bypass_dispatch events
---@field total_bypass_activate? integer bypass_activate events
---@field total_insert_not_owned? integer insert_not_owned events
---@field total_sub_bypass_dispatch? integer sub_bypass_dispatch events
---@field total_other table<string, integer> further events, by the kernel's name

---schedstat counters over the run, all CPUs
---@class ktstr.SchedstatDeltas
---@field total_run_delay integer time that tasks waited on run queues, ns
---@field run_delay_rate? number waiting time per second, ns/s
---@field total_pcount integer times a task was put on a CPU
---@field total_sched_count? integer calls of schedule()
---@field sched_count_rate? number calls of schedule() per second
---@field total_yld_count? integer calls of sched_yield()
---@field total_sched_goidle? integer calls of schedule() that left a CPU idle
---@field total_ttwu_count? integer wakeups
---@field total_ttwu_local? integer wakeups of tasks that then ran on the waking CPU

---the samples judged against the thresholds
---@class ktstr.MonitorVerdict
---@field passed boolean no threshold was violated for long
---@field evaluated boolean whether the samples could be judged
---@field details string[] one sentence per violation
---@field summary string one line

---a dump that was taken during the run
---@class ktstr.DumpReport
---@field name string what the scenario called it; empty when nobody named it
---@field cause string requested, scheduler_error or scheduler_vanished
---@field detail string what was seen, in one line
---@field schema string "single", or "degraded" when the vCPUs did not stop
---@field elapsed_ns integer time since the machine's start, ns
---@field frozen_ns integer how long the guest stood still for it, ns
---@field file? string where it was written
---@field problem? string why it was not written

---how sampling went
---@class ktstr.SamplingReport
---@field missed_periods integer sampling times that passed before the sample before was done
---@field sample_stride integer monitor.samples holds every n-th of the samples taken

---where the time went
---@class ktstr.TimingsReport
---@field prepare_ns? integer kernel chosen, initramfs made, ns
---@field boot_ns? integer from the machine's start to the agent's hello, ns
---@field attach_ns? integer until the first sample could be taken, ns
---@field setup_ns? integer backdrop and cgroups made, ns
---@field hold_ns integer all holds together, ns
---@field collect_ns? integer workers stopped and their reports read, ns
---@field shutdown_ns? integer guest ended, ns
---@field own_ns integer total without boot and hold, ns
---@field total_ns integer the whole run, ns

---@class ktstr.module
---@field scenario fun(scenario: ktstr.scenario): ktstr.scenario what a script returns
---@field step fun(step: ktstr.step): ktstr.step one step; its list items are ops
---@field scheduler fun(scheduler: ktstr.scheduler): ktstr.scheduler a scheduler's program, or one of the kernel's own
---@field work ktstr.module.work
---@field phase ktstr.module.phase
---@field cpuset ktstr.module.cpuset
---@field affinity ktstr.module.affinity
---@field policy ktstr.module.policy
---@field op ktstr.module.op
---@field hold ktstr.module.hold
local k = {}
return k
