#include "lua/reference/families.h"

namespace ktstr::lua {
namespace {

template <class... Choices>
std::vector<RecordDoc> members(const std::variant<Choices...>*, Defaults defaults) {
  return {record_doc<Choices>(defaults)...};
}

template <class Variant>
FamilyDoc family(std::string_view name, std::string_view doc) {
  return {name, doc, true, members(static_cast<const Variant*>(nullptr), Defaults::kNone)};
}

}  // namespace

std::string class_name(std::string_view record) {
  std::string name = "ktstr." + std::string(record);
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

const std::vector<FamilyDoc>& families() {
  static const std::vector<FamilyDoc> all = {
      {"work", "What workers do. One table holds the parameters below and those that all work has.", false,
       members(static_cast<const engine::Work*>(nullptr), Defaults::kShown)},
      {"phase", "The parts of `k.work.sequence`, repeated in order.", true,
       members(static_cast<const engine::Phase*>(nullptr), Defaults::kNone)},
      family<engine::CpusetSpec>(
          "cpuset", "The CPUs of a cgroup. Usable CPUs are all but the last when there are more than two."),
      family<engine::AffinitySpec>("affinity", "The CPUs that workers ask for, within their cgroup's."),
      family<engine::Policy>("policy", "How workers are scheduled."),
      family<engine::Op>("op", "What a step does."),
      family<engine::Hold>("hold", "How long a step lasts. A string is a fixed hold, a number a fraction."),
  };
  return all;
}

RecordDoc work_group_doc() {
  auto doc = record_doc<engine::WorkGroup>(Defaults::kShown);
  doc.fields.erase(doc.fields.begin());  // `work` itself: the constructor's name says it
  return doc;
}

}  // namespace ktstr::lua
