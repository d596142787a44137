// What is different between two dumps.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/result.h"
#include "engine/base/value.h"
#include "introspect/dump/dump.h"

namespace ktstr::engine {

/// What kind of thing is different. All but kState are different in any two dumps and seldom say anything.
enum class DifferenceKind {
  kState,
  kAddress,  ///< where something lies in this boot's memory
  kId,       ///< a number that the kernel gave out in passing
  kCounter,  ///< what only ever grows, and clocks
};

/// One difference. Absent `before`: only the second dump has it; absent `after`: only the first.
struct DumpDifference {
  std::string path;  ///< "maps[scx_ktst.bss].value.nr_enqueued", "task_enrichments[pid 12].state"
  DifferenceKind kind = DifferenceKind::kState;
  std::optional<Value> before{};
  std::optional<Value> after{};

  /// "path: 3 -> 5 (+2)", "+ path: 5", "- path: 3"
  [[nodiscard]] std::string to_text() const;
};

/// How many differences were left out, by kind.
struct LeftOutDifferences {
  std::size_t addresses = 0;
  std::size_t ids = 0;
  std::size_t counters = 0;

  /// "left out: 12 addresses, 3 ids, 40 counters and clocks (--all shows them)"; empty when nothing was.
  [[nodiscard]] std::string to_text() const;
};

struct DumpDiff {
  std::vector<DumpDifference> differences;
  LeftOutDifferences left_out;
};

struct DiffOptions {
  bool all = false;                   ///< leave nothing out
  std::optional<std::string> map{};   ///< only maps of this name
  std::optional<std::string> only{};  ///< only paths that begin so: "task_enrichments[pid 12]"
};

/// In the order of the report's members. Elements of lists are matched by what names them (a task's pid, a
/// map's name, a key), else by position. Errors: kCorrupt, values nested too deep to compare; kNotFound, no
/// dump has such a map, or a member that `only` begins with.
[[nodiscard]] Result<DumpDiff> diff(const introspect::FailureDump& before,
                                    const introspect::FailureDump& after, const DiffOptions& options = {});

}  // namespace ktstr::engine

namespace ktstr {
template <>
inline constexpr auto describe<engine::DifferenceKind> = enumeration<engine::DifferenceKind>(
    "kind of difference",
    {{"state", engine::DifferenceKind::kState, "what the guest was in the middle of"},
     {"address", engine::DifferenceKind::kAddress, "where something lies in memory"},
     {"id", engine::DifferenceKind::kId, "a number given out in passing"},
     {"counter", engine::DifferenceKind::kCounter, "what only ever grows, and clocks"}});
template <>
inline constexpr auto describe<engine::DumpDifference> = record<engine::DumpDifference>(
    "DumpDifference", "one difference between two dumps",
    field("path", &engine::DumpDifference::path, "where it is"),
    field("kind", &engine::DumpDifference::kind, "what kind of thing it is"),
    field("before", &engine::DumpDifference::before, "the first dump's value; null when it has none"),
    field("after", &engine::DumpDifference::after, "the second dump's value; null when it has none"));
template <>
inline constexpr auto describe<engine::LeftOutDifferences> = record<engine::LeftOutDifferences>(
    "LeftOutDifferences", "how many differences were left out",
    field("addresses", &engine::LeftOutDifferences::addresses, "addresses"),
    field("ids", &engine::LeftOutDifferences::ids, "ids"),
    field("counters", &engine::LeftOutDifferences::counters, "counters and clocks"));
template <>
inline constexpr auto describe<engine::DumpDiff> = record<engine::DumpDiff>(
    "DumpDiff", "what is different between two dumps",
    field("differences", &engine::DumpDiff::differences, "the differences, in the order of a dump's members"),
    field("left_out", &engine::DumpDiff::left_out, "what --all would show"));
}  // namespace ktstr
