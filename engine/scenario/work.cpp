#include "engine/scenario/work.h"

#include <concepts>

namespace ktstr::engine {
namespace {

template <class T>
concept WorksInPairs =
    std::same_as<T, PipeIo> || std::same_as<T, FutexPingPong> || std::same_as<T, CachePipe>;

std::size_t group_size(const FutexFanOut& work) {
  return std::size_t{work.receivers} + 1;
}
std::size_t group_size(const MutexContention& work) {
  return work.contenders;
}
std::size_t group_size(const WorksInPairs auto&) {
  return 2;
}
std::size_t group_size(const auto&) {
  return 1;
}

}  // namespace

std::size_t work_group_size(const Work& work) {
  return std::visit([](const auto& type) { return group_size(type); }, work);
}

std::string work_role(const Work& work, std::size_t member) {
  if (!std::holds_alternative<FutexFanOut>(work)) return {};
  return member == 0 ? "messenger" : "receiver";
}

}  // namespace ktstr::engine
