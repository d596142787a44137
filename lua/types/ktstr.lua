---@meta ktstr
-- For the Lua language server. Made by `ktstr docs` from describe<>; edit the descriptions instead.

---a workload on a guest kernel, and what must hold
---@class ktstr.scenario
---@field name? string name in reports; the file's when absent
---@field description? string one sentence for lists
---@field topology? string|ktstr.topology NUMA nodes, LLCs, cores per LLC and threads per core, e.g. "1n2l2c1t", or a table of nodes that differ
---@field kernel? string a path, a version or the beginning of one; the newest cached with sched_ext when absent
---@field kaslr? boolean whether the kernel's addresses are randomised
---@field kernel_args? string[] arguments appended to the kernel's command line
---@field memory? string guest memory; raised to 64M per CPU, and at least 256M, when that is more; 64M per CPU, and at least 512M, when absent, or what the topology's nodes state
---@field statistics? boolean whether kernel.bpf_stats_enabled and kernel.sched_schedstats are switched on; false leaves both, and what they count is absent
---@field duration? string length of all steps together
---@field scheduler? string|ktstr.scheduler attached before the first step; the kernel's own schedules when absent
---@field workers_first? boolean whether the workers of `cgroups` and `backdrop` run before the scheduler is attached; otherwise they wait until it is
---@field watchdog_timeout? string how long a runnable task may wait before the kernel ends the scheduler; schedulers' own wins
---@field cgroups? table<string, ktstr.cgroup> cgroups that exist when the first step begins, by name
---@field backdrop? ktstr.backdrop cgroups that live for the whole scenario
---@field steps? ktstr.step[] what happens, in order; one step that holds for the whole duration when absent
---@field monitor? ktstr.monitor how run queues are sampled
---@field expect? ktstr.expect what must hold for the scenario to pass
---@field check? fun(report: ktstr.RunReport): string|string[]|boolean|nil function(report): called after the run; a string, a list of strings or false that it returns fails the run, true or nothing does not
---@field on_snapshot? fun(snapshot: ktstr.FailureDumpReport): string|string[]|boolean|nil function(snapshot): called with each dump, those taken when a scheduler ended unasked included; what it returns fails the run, as with check

---a machine whose nodes differ, or are not equally far from each other
---@class ktstr.topology
---@field nodes? ktstr.topology_node[] NUMA nodes; CPUs are numbered node by node, LLC by LLC
---@field cores_per_llc? integer cores of each LLC
---@field threads_per_core? integer threads of each core
---@field distances? integer[][] SLIT: a row for each node with a number for each: 10 to itself, 11 to 254 to others, the same both ways; 20 to others when absent
---@field latency_ns? integer[][] HMAT: a row for each node with CPUs with the ns to each node's memory, 1 to 65534; 10 for each unit of distance when absent
---@field bandwidth_mb_per_s? integer[][] HMAT: a row for each node with CPUs with the MB/s to each node's memory, 1 to 65534; 20000 at distance 10 and falling as it grows when absent

---one NUMA node of a machine whose nodes differ
---@class ktstr.topology_node
---@field llcs? integer its LLCs; 0: a node without CPUs, as a CXL memory expander is, which must be behind those with CPUs
---@field memory? string its memory, whole 2M; an equal part of what the others leave of the scenario's memory when absent

---a sched_ext scheduler's program, or a scheduler of the kernel's own
---@class ktstr.scheduler
---@field name? string name in reports, by which ops can refer to it; the program's when absent
---@field path? string the program: a path (relative to the scenario's folder), or a name that is looked for beside the scenario, beside ktstr and on PATH; `name` when absent
---@field args? string[] its arguments; "{config}" stands for the configuration file's path in the guest
---@field flags? table<string, ktstr.scheduler_flag> its switches, by name
---@field active? string[] the flags that are on, in order
---@field files? table<string, string> further files that it reads, by their names in the guest: those without a leading / lie beside its program, which is its working directory; paths on this host are relative to the scenario's folder
---@field config? string a file that goes into the guest with it, relative to the scenario's folder
---@field sysctls? table<string, string> written before it starts, e.g. ["kernel.sched_schedstats"] = "1"
---@field kernel_args? string[] arguments appended to the kernel's command line
---@field enable? string[] for a scheduler of the kernel's own: "echo VALUE > FILE" commands that turn it on
---@field disable? string[] commands that turn it off again
---@field handover? string how it takes over from another: "cold", or "preloaded": loaded while the other still schedules, so that the time without a scheduler is that of its attach
---@field watchdog_timeout? string how long a runnable task may wait before the kernel ends the scheduler, in place of what it asks for; written into guest memory once it is attached
---@field topology? string|ktstr.topology the machine of scenarios that use it and state none
---@field min_cpus? integer CPUs that it needs at least
---@field max_cpus? integer CPUs that it can have at most
---@field min_llcs? integer LLCs that it needs at least
---@field max_llcs? integer LLCs that it can have at most
---@field min_nodes? integer NUMA nodes that it needs at least
---@field max_nodes? integer NUMA nodes that it can have at most
---@field expect? ktstr.expect what must hold whenever it is used; the scenario's own expectations win

---a switch of a scheduler
---@class ktstr.scheduler_flag
---@field args? string[] the arguments that turn it on
---@field requires? string[] flags that must be active with it

---what must hold for the scenario to pass
---@class ktstr.expect
---@field no_starvation? boolean every worker must do some work
---@field max_spread_pct? number largest difference of off-CPU share between workers of one group, role and affinity, percentage points
---@field max_gap? string longest time a worker may go without progress
---@field isolation? boolean workers must stay on the CPUs of their cpuset
---@field max_throughput_cv? number largest coefficient of variation of work rates between workers of one group, role and affinity
---@field min_work_rate? number smallest work rate of any worker, work units per second of CPU time
---@field max_p99_wake_latency? string largest 99th percentile of wake-up latency
---@field max_wake_latency_cv? number largest coefficient of variation of wake-up latency
---@field min_iteration_rate? number smallest iteration rate of any worker, iterations per second of wall time
---@field max_migration_ratio? number largest number of migrations per iteration of any worker
---@field max_unfairness_pct? number how far the CPU time of a worker that always wanted to run may lie from the mean of its peers, % of that mean
---@field monitor? ktstr.monitor_expectations thresholds on what the monitor samples
---@field scheduler_error? ktstr.scheduler_error a scheduler must end with this error; an empty table: with any
---@field max_scheduler_gap? string longest time without the wanted scheduler while one takes over from another; 1s by default
---@field events_clean? boolean no sched_ext counter of tasks handled past the scheduler may rise

---thresholds on what the monitor samples
---@class ktstr.monitor_expectations
---@field max_imbalance_ratio? number largest max(nr_running) / max(1, min(nr_running)) that may last
---@field max_local_dsq_depth? integer largest local DSQ depth that may last, tasks
---@field fail_on_stall? boolean whether a run queue clock that does not advance fails the run
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
---@field memory_high? string memory.high: above it, workers are slowed down to give memory back
---@field pids_max? integer pids.max

---what lives for the whole scenario, untouched by steps
---@class ktstr.backdrop
---@field cgroups? table<string, ktstr.cgroup> cgroups, by name

---ops, then cgroups, then a time in which they are watched
---@class ktstr.step: { [integer]: ktstr.op }
---@field ops? ktstr.op[] what to do, in order; positional values of k.step are ops too
---@field setup? table<string, ktstr.cgroup> cgroups to make, by name; they end with the step
---@field hold? string|number|ktstr.hold how long the step lasts: a duration, a fraction of the scenario's, or a k.hold value
---@field keep? boolean whether the cgroups of setup stay when the step is over

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

---groups of one messenger and n receivers on one futex
---@class ktstr.work.futex_fan_out: ktstr.work_group
---@field receivers? integer receivers of each group
---@field iterations? integer loop turns of the messenger before each wake-up

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

---sleeps until one moment after another, as cyclictest does
---@class ktstr.work.timer_latency: ktstr.work_group
---@field interval? string between two moments (wall time)

---What workers do. One table holds the parameters below and those that all work has.
---@class ktstr.module.work
local work = {}

---burns CPU without a pause
---@param parameters ktstr.work.cpu_spin
---@return ktstr.work
function work.cpu_spin(parameters) end

---calls sched_yield in a loop
---@param parameters ktstr.work.yield_heavy
---@return ktstr.work
function work.yield_heavy(parameters) end

---spins, then yields, in a loop
---@param parameters ktstr.work.mixed
---@return ktstr.work
function work.mixed(parameters) end

---writes to a file, then sleeps, in a loop
---@param parameters ktstr.work.io_sync
---@return ktstr.work
function work.io_sync(parameters) end

---burns CPU for a burst, then sleeps
---@param parameters ktstr.work.bursty
---@return ktstr.work
function work.bursty(parameters) end

---pairs that spin, then pass a byte over a pipe to each other
---@param parameters ktstr.work.pipe_io
---@return ktstr.work
function work.pipe_io(parameters) end

---pairs that spin, then wake each other through a futex
---@param parameters ktstr.work.futex_ping_pong
---@return ktstr.work
function work.futex_ping_pong(parameters) end

---strides over a buffer, reading and writing
---@param parameters ktstr.work.cache_pressure
---@return ktstr.work
function work.cache_pressure(parameters) end

---strides over a buffer, then yields, in a loop
---@param parameters ktstr.work.cache_yield
---@return ktstr.work
function work.cache_yield(parameters) end

---pairs that stride over a buffer, then pass a byte over a pipe
---@param parameters ktstr.work.cache_pipe
---@return ktstr.work
function work.cache_pipe(parameters) end

---groups of one messenger and n receivers on one futex
---@param parameters ktstr.work.futex_fan_out
---@return ktstr.work
function work.futex_fan_out(parameters) end

---goes through phases in order, over and over
---@param parameters ktstr.work.sequence
---@return ktstr.work
function work.sequence(parameters) end

---forks a child that exits at once, waits for it, in a loop
---@param parameters ktstr.work.fork_exit
---@return ktstr.work
function work.fork_exit(parameters) end

---spins and walks through the nice values
---@param parameters ktstr.work.nice_sweep
---@return ktstr.work
function work.nice_sweep(parameters) end

---spins and pins itself to one random allowed CPU after another
---@param parameters ktstr.work.affinity_churn
---@return ktstr.work
function work.affinity_churn(parameters) end

---spins and cycles through the scheduling policies it may use
---@param parameters ktstr.work.policy_churn
---@return ktstr.work
function work.policy_churn(parameters) end

---maps a region, touches random pages, drops it, in a loop
---@param parameters ktstr.work.page_fault_churn
---@return ktstr.work
function work.page_fault_churn(parameters) end

---groups that fight for one mutex
---@param parameters ktstr.work.mutex_contention
---@return ktstr.work
function work.mutex_contention(parameters) end

---sleeps until one moment after another, as cyclictest does
---@param parameters ktstr.work.timer_latency
---@return ktstr.work
function work.timer_latency(parameters) end

---@class ktstr.phase

---The parts of `k.work.sequence`, repeated in order.
---@class ktstr.module.phase
local phase = {}

---burns CPU
---@param duration string length (wall time)
---@return ktstr.phase
---@overload fun(named: { duration: string }): ktstr.phase
function phase.spin(duration) end

---sleeps
---@param duration string length (wall time)
---@return ktstr.phase
---@overload fun(named: { duration: string }): ktstr.phase
function phase.sleep(duration) end

---calls sched_yield
---@param duration string length (wall time)
---@return ktstr.phase
---@overload fun(named: { duration: string }): ktstr.phase
function phase.yield(duration) end

---writes to a file
---@param duration string length (wall time)
---@return ktstr.phase
---@overload fun(named: { duration: string }): ktstr.phase
function phase.io(duration) end

---@class ktstr.cpuset

---The CPUs of a cgroup. Usable CPUs are all but the last when there are more than two.
---@class ktstr.module.cpuset
local cpuset = {}

---the usable CPUs of one LLC
---@param index integer LLC number, from 0
---@return ktstr.cpuset
---@overload fun(named: { index: integer }): ktstr.cpuset
function cpuset.llc(index) end

---the usable CPUs of one NUMA node
---@param node integer node number, from 0
---@return ktstr.cpuset
---@overload fun(named: { node: integer }): ktstr.cpuset
function cpuset.numa(node) end

---a contiguous part of the usable CPUs
---@param start number where it starts, fraction of the usable CPUs
---@param end_ number where it ends, fraction of the usable CPUs
---@return ktstr.cpuset
---@overload fun(named: { start: number, ["end"]: number }): ktstr.cpuset
function cpuset.range(start, end_) end

---one of several equal parts of the usable CPUs
---@param index integer which part, from 0
---@param of integer how many parts
---@return ktstr.cpuset
---@overload fun(named: { index: integer, of: integer }): ktstr.cpuset
function cpuset.disjoint(index, of) end

---one of several equal parts, reaching into its neighbours
---@param index integer which part, from 0
---@param of integer how many parts
---@param fraction number how far it reaches, fraction of a part
---@return ktstr.cpuset
---@overload fun(named: { index: integer, of: integer, fraction: number }): ktstr.cpuset
function cpuset.overlap(index, of, fraction) end

---just these CPUs
---@param cpus string CPU list, e.g. "0-3,8"
---@return ktstr.cpuset
---@overload fun(named: { cpus: string }): ktstr.cpuset
function cpuset.exact(cpus) end

---@class ktstr.affinity
---@operator call: ktstr.affinity

---The CPUs that workers ask for, within their cgroup's.
---@class ktstr.module.affinity
---@field inherit ktstr.affinity whatever the cgroup's cpuset allows
---@field llc_aligned ktstr.affinity the LLC that shares most CPUs with the cgroup's cpuset
---@field cross_cgroup ktstr.affinity all usable CPUs, beyond the cgroup's cpuset
---@field single_cpu ktstr.affinity the first CPU of the cgroup's cpuset
---@field smt_sibling_pair ktstr.affinity the SMT siblings of one core
local affinity = {}

---each worker gets a random set of CPUs of its own
---@param count integer CPUs for each worker
---@param from? string CPU list to choose from; the cgroup's when absent
---@return ktstr.affinity
---@overload fun(named: { count: integer, from?: string }): ktstr.affinity
function affinity.random_subset(count, from) end

---just these CPUs
---@param cpus string CPU list, e.g. "0-3,8"
---@return ktstr.affinity
---@overload fun(named: { cpus: string }): ktstr.affinity
function affinity.exact(cpus) end

---@class ktstr.policy
---@operator call: ktstr.policy

---How workers are scheduled.
---@class ktstr.module.policy
---@field normal ktstr.policy SCHED_OTHER
---@field batch ktstr.policy SCHED_BATCH
---@field idle ktstr.policy SCHED_IDLE
---@field ext ktstr.policy SCHED_EXT
local policy = {}

---SCHED_FIFO
---@param priority integer 1 to 97
---@return ktstr.policy
---@overload fun(named: { priority: integer }): ktstr.policy
function policy.fifo(priority) end

---SCHED_RR
---@param priority integer 1 to 97
---@return ktstr.policy
---@overload fun(named: { priority: integer }): ktstr.policy
function policy.rr(priority) end

---SCHED_DEADLINE; runtime <= deadline <= period
---@param runtime string CPU time in each period
---@param deadline string by when, from the start of the period
---@param period string length of a period
---@return ktstr.policy
---@overload fun(named: { runtime: string, deadline: string, period: string }): ktstr.policy
function policy.deadline(runtime, deadline, period) end

---@class ktstr.op
---@operator call: ktstr.op

---What a step does.
---@class ktstr.module.op
---@field detach_scheduler ktstr.op ends the attached scheduler; the kernel's own continues
---@field restart_scheduler ktstr.op ends the scheduler that was attached last, if it still lives, and starts it again
local op = {}

---makes a cgroup and starts its workers
---@param cgroup string its name
---@param def ktstr.cgroup its cpuset, limits and works
---@return ktstr.op
---@overload fun(named: { cgroup: string, def: ktstr.cgroup }): ktstr.op
function op.add_cgroup(cgroup, def) end

---stops the cgroup's workers, then removes it
---@param cgroup string its name
---@return ktstr.op
---@overload fun(named: { cgroup: string }): ktstr.op
function op.remove_cgroup(cgroup) end

---gives the cgroup another cpuset
---@param cgroup string its name
---@param cpuset ktstr.cpuset the new cpuset
---@return ktstr.op
---@overload fun(named: { cgroup: string, cpuset: ktstr.cpuset }): ktstr.op
function op.set_cpuset(cgroup, cpuset) end

---clears the cpuset: the cgroup uses its parent's
---@param cgroup string its name
---@return ktstr.op
---@overload fun(named: { cgroup: string }): ktstr.op
function op.clear_cpuset(cgroup) end

---exchanges the cpusets of two cgroups
---@param a string one cgroup
---@param b string the other
---@return ktstr.op
---@overload fun(named: { a: string, b: string }): ktstr.op
function op.swap_cpusets(a, b) end

---starts workers in a cgroup
---@param cgroup string its name
---@param work ktstr.work which workers
---@return ktstr.op
---@overload fun(named: { cgroup: string, work: ktstr.work }): ktstr.op
function op.spawn(cgroup, work) end

---starts workers in the agent's own cgroup, beside all others
---@param work ktstr.work which workers
---@return ktstr.op
---@overload fun(named: { work: ktstr.work }): ktstr.op
function op.spawn_host(work) end

---stops the cgroup's workers and keeps the cgroup
---@param cgroup string its name
---@return ktstr.op
---@overload fun(named: { cgroup: string }): ktstr.op
function op.stop_cgroup(cgroup) end

---gives the cgroup's workers another affinity
---@param cgroup string its name
---@param affinity ktstr.affinity the new affinity
---@return ktstr.op
---@overload fun(named: { cgroup: string, affinity: ktstr.affinity }): ktstr.op
function op.set_affinity(cgroup, affinity) end

---moves all workers from one cgroup to another
---@param from string where they are
---@param to string where they go
---@return ktstr.op
---@overload fun(named: { from: string, to: string }): ktstr.op
function op.move_all_tasks(from, to) end

---freezes the cgroup's workers (cgroup.freeze)
---@param cgroup string its name
---@return ktstr.op
---@overload fun(named: { cgroup: string }): ktstr.op
function op.freeze_cgroup(cgroup) end

---lets a frozen cgroup's workers run again
---@param cgroup string its name
---@return ktstr.op
---@overload fun(named: { cgroup: string }): ktstr.op
function op.unfreeze_cgroup(cgroup) end

---starts a scheduler and waits until the kernel runs it
---@param scheduler string|ktstr.scheduler which
---@return ktstr.op
---@overload fun(named: { scheduler: string|ktstr.scheduler }): ktstr.op
function op.attach_scheduler(scheduler) end

---ends the attached scheduler and starts another, under whatever load there is
---@param scheduler string|ktstr.scheduler which
---@param handover? string "cold" or "preloaded"; the scheduler's own when absent
---@return ktstr.op
---@overload fun(named: { scheduler: string|ktstr.scheduler, handover?: string }): ktstr.op
function op.replace_scheduler(scheduler, handover) end

---stops the guest for an instant and reads everything it holds into a dump
---@param name string what reports and the dump's file call it
---@return ktstr.op
---@overload fun(named: { name: string }): ktstr.op
function op.capture_snapshot(name) end

---writes a variable of a BPF program's global section into the guest's memory
---@param map string the section's map, e.g. "ktstr.bss", or a name that pin_bpf_map gave
---@param variable string the variable, or a member or element: "tuning.steps[2]"
---@param value boolean|number|string true or false, a number, or text for an array of char
---@return ktstr.op
---@overload fun(named: { map: string, variable: string, value: boolean|number|string }): ktstr.op
function op.write_bpf_map(map, variable, value) end

---reads a variable of a BPF program's global section into the report's map_readings
---@param map string the section's map, e.g. "ktstr.bss", or a name that pin_bpf_map gave
---@param variable string the variable, or a member or element: "tuning.steps[2]"
---@param name? string what the report calls the reading
---@return ktstr.op
---@overload fun(named: { map: string, variable: string, name?: string }): ktstr.op
function op.read_bpf_map(map, variable, name) end

---keeps a BPF map alive until the scenario ends, whatever becomes of its scheduler
---@param map string the map, of any type, e.g. "ktstr.bss"
---@param name? string what later ops call this very map, e.g. when a replacement has one of the same name
---@return ktstr.op
---@overload fun(named: { map: string, name?: string }): ktstr.op
function op.pin_bpf_map(map, name) end

---captures a profile of every thread in the guest, as `ktstr ctprof capture` does on a host
---@param tag string what the report and the file, SCENARIO.TAG.ctprof.zst, call it
---@return ktstr.op
---@overload fun(named: { tag: string }): ktstr.op
function op.ctprof(tag) end

---captures which processes are in each of the scenario's cgroups
---@param tag string what the report calls it
---@return ktstr.op
---@overload fun(named: { tag: string }): ktstr.op
function op.capture_cgroup_procs(tag) end

---@class ktstr.hold
---@operator call: ktstr.hold

---How long a step lasts. A string is a fixed hold, a number a fraction.
---@class ktstr.module.hold
---@field rest ktstr.hold holds until the scenario's duration is over
local hold = {}

---holds for a fixed time
---@param duration string how long
---@return ktstr.hold
---@overload fun(named: { duration: string }): ktstr.hold
function hold.fixed(duration) end

---holds for a part of the scenario's duration
---@param fraction number which part, above 0 and at most 1
---@return ktstr.hold
---@overload fun(named: { fraction: number }): ktstr.hold
function hold.fraction(fraction) end

---repeats the step's ops at the start of every interval
---@param interval string time between two turns
---@param duration? string for how long; the rest of the scenario when absent
---@return ktstr.hold
---@overload fun(named: { interval: string, duration?: string }): ktstr.hold
function hold.loop(interval, duration) end

---@class ktstr.module
---@field work ktstr.module.work
---@field phase ktstr.module.phase
---@field cpuset ktstr.module.cpuset
---@field affinity ktstr.module.affinity
---@field policy ktstr.module.policy
---@field op ktstr.module.op
---@field hold ktstr.module.hold
local k = {}

---what a script returns
---@param scenario ktstr.scenario
---@return ktstr.scenario
function k.scenario(scenario) end

---one step; its list items are ops
---@param step ktstr.step
---@return ktstr.step
function k.step(step) end

---a scheduler's program, or one of the kernel's own
---@param scheduler ktstr.scheduler
---@return ktstr.scheduler
function k.scheduler(scheduler) end

return k
