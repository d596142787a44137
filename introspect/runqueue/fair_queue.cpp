// rq->cfs: the tasks of the fair class, and how far each is from what is due to it (kernel/sched/fair.c).
#include <algorithm>

#include "introspect/runqueue/queued_task.h"

namespace ktstr::introspect {
namespace {

/// Groups within groups; cgroups may be nested no deeper by default than this is generous.
constexpr std::size_t kMaxDepth = 64;

using Wide = __int128;

/// One entity, task or group.
struct Entity {
  KernelVirt address;
  FairTask task{};       ///< without a name; a group has all that is not of a task alone
  bool running = false;  ///< the queue's curr, which is not in the tree
  KernelVirt group_queue{};
};

/// One cfs_rq: the sums that the kernel keeps, and its entities, the running one first.
struct Level {
  KernelVirt queue;
  std::uint64_t base = 0;
  std::int64_t sum_w_vruntime = 0;
  std::uint64_t sum_weight = 0;
  std::optional<std::uint32_t> shift;
  bool has_sums = false;
  bool whole = false;
  std::vector<Entity> entities;
};

/// scale_load_down() of 64-bit kernels, and avg_vruntime_weight() of those that have sum_shift.
std::uint64_t scaled(const Level& level, std::uint64_t weight) {
  constexpr unsigned kScaleShift = 10;  // SCHED_FIXEDPOINT_SHIFT
  const auto shifted = [&](unsigned shift) { return std::max<std::uint64_t>(2, weight >> shift); };
  if (level.shift) return *level.shift == 0 ? weight : shifted(*level.shift & 63);
  return weight == 0 ? 0 : shifted(kScaleShift);
}

/// avg_vruntime(). nullopt: the kernel keeps no sums, or they are not those of the tree, as while a vCPU that
/// was stopped is changing it.
std::optional<std::uint64_t> average(const Level& level) {
  if (!level.has_sums || !level.whole) return std::nullopt;
  std::uint64_t tree_weight = 0;
  Wide sum = level.sum_w_vruntime;
  Wide weight = static_cast<Wide>(level.sum_weight);
  for (const auto& entity : level.entities) {
    const auto w = scaled(level, entity.task.weight);
    if (!entity.running) {
      tree_weight += w;
      continue;
    }
    sum += static_cast<Wide>(static_cast<std::int64_t>(entity.task.vruntime_ns - level.base)) *
           static_cast<Wide>(w);
    weight += static_cast<Wide>(w);
  }
  if (tree_weight != level.sum_weight) return std::nullopt;
  if (weight == 0) return level.base;
  if (sum < 0) sum -= weight - 1;  // rounds down, as the kernel does
  return level.base + static_cast<std::uint64_t>(static_cast<std::int64_t>(sum / weight));
}

class FairQueueReader {
 public:
  explicit FairQueueReader(RunqueueReading& reading)
      : reading_(reading), queue_(reading.layouts.cfs_rq), entity_(reading.layouts.fair) {}

  void read() {
    const KernelVirt root = reading_.layouts.rq.cfs.address(reading_.rq);
    auto& fair = reading_.result.fair;
    StructBytes bytes;
    if (!bytes.capture(reading_.kernel, queue_, root))
      return reading_.problem("cfs: the queue can't be read");
    queue_.fill(bytes, fair);
    fair.base_member = queue_.zero_vruntime.present() ? "zero_vruntime" : "min_vruntime";
    const auto level = read_level(root);
    if (!level) return;
    fair.base_vruntime_ns = level->base;
    fair.avg_vruntime_ns = average(*level);
    if (!fair.avg_vruntime_ns && level->has_sums && level->whole)
      reading_.problem("cfs: the queue's sums are not those of its tree: it is being changed");
    add_level(*level, 0);
  }

 private:
  std::optional<Level> read_level(KernelVirt queue) {
    StructBytes bytes;
    if (!reading_.kernel.plausible_pointer(queue) || !bytes.capture(reading_.kernel, queue_, queue)) {
      reading_.problem("cfs: the queue of a group can't be read");
      return std::nullopt;
    }
    Level level;
    level.queue = queue;
    const auto zero = queue_.zero_vruntime.read(bytes);
    level.base = zero ? *zero : queue_.min_vruntime.read(bytes).value_or(0);
    level.shift = queue_.sum_shift.read(bytes);
    const auto sum = queue_.sum_w_vruntime.read(bytes);
    const auto weight = queue_.sum_weight.read(bytes);
    level.has_sums = sum && weight;
    level.sum_w_vruntime = sum.value_or(0);
    level.sum_weight = weight.value_or(0);
    add_entities(queue_.curr.of(bytes), level);
    return level;
  }

  void add_entities(KernelVirt curr, Level& level) {
    level.whole = true;
    if (!curr.is_null()) add_entity(curr, true, level);
    const auto walked = walk_rbtree(reading_.kernel.translator(), reading_.layouts.rbtree,
                                    queue_.tree.address(level.queue), reading_.tasks_left);
    reading_.tasks_left -= walked.items.size();
    reading_.note("cfs: the tree", walked);
    level.whole = level.whole && walked.complete();
    for (const KernelVirt node : walked.items) add_entity(node - entity_.run_node.offset(), false, level);
  }

  /// The running entity of a queue may be going to sleep: it is queued no more then.
  void add_entity(KernelVirt address, bool running, Level& level) {
    Entity entity{.address = address, .running = running};
    StructBytes bytes;
    if (!reading_.kernel.plausible_pointer(address) || !bytes.capture(reading_.kernel, entity_, address)) {
      level.whole = false;
      return reading_.problem("cfs: a sched_entity can't be read");
    }
    entity_.fill(bytes, entity.task);
    entity.group_queue = entity_.group_queue.read(bytes).value_or(KernelVirt{});
    const auto on_rq = entity_.on_rq.read(bytes);
    if (!running || (on_rq ? *on_rq : entity_.on_rq_int.read(bytes).value_or(1)) != 0)
      level.entities.push_back(std::move(entity));
  }

  void add_level(const Level& level, std::size_t depth) {
    const auto mean = average(level);
    for (const auto& entity : level.entities)
      entity.group_queue.is_null() ? add_task(entity, level, mean) : add_group(entity, depth + 1);
  }

  void add_group(const Entity& group, std::size_t depth) {
    if (depth >= kMaxDepth) return reading_.problem("cfs: groups are nested too deeply");
    if (const auto level = read_level(group.group_queue)) add_level(*level, depth);
  }

  void add_task(const Entity& entity, const Level& level, std::optional<std::uint64_t> mean) {
    FairTask task = entity.task;
    if (!name_task(reading_, entity.address - reading_.layouts.task.fair.offset(), task))
      return reading_.problem("cfs: the task of a sched_entity can't be read");
    task.cfs_rq_kva = level.queue.value();
    if (mean) task.vlag_ns = static_cast<std::int64_t>(*mean - task.vruntime_ns);
    reading_.result.fair.tasks.push_back(std::move(task));
  }

  RunqueueReading& reading_;
  const CfsRqLayout& queue_;
  const SchedEntityLayout& entity_;
};

}  // namespace

void read_fair_queue(RunqueueReading& reading) {
  FairQueueReader(reading).read();
}

}  // namespace ktstr::introspect
