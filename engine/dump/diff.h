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

  static consteval auto describe() {
    using T = DumpDifference;
    return record("one difference between two dumps", field<&T::path>("where it is"),
                  field<&T::kind>("what kind of thing it is"),
                  field<&T::before>("the first dump's value; null when it has none"),
                  field<&T::after>("the second dump's value; null when it has none"));
  }
};

/// How many differences were left out, by kind.
struct LeftOutDifferences {
  std::size_t addresses = 0;
  std::size_t ids = 0;
  std::size_t counters = 0;

  /// "left out: 12 addresses, 3 ids, 40 counters and clocks (--all shows them)"; empty when nothing was.
  [[nodiscard]] std::string to_text() const;

  static consteval auto describe() {
    using T = LeftOutDifferences;
    return record("how many differences were left out", field<&T::addresses>("addresses"),
                  field<&T::ids>("ids"), field<&T::counters>("counters and clocks"));
  }
};

struct DumpDiff {
  std::vector<DumpDifference> differences;
  LeftOutDifferences left_out;

  static consteval auto describe() {
    using T = DumpDiff;
    return record("what is different between two dumps",
                  field<&T::differences>("the differences, in the order of a dump's members"),
                  field<&T::left_out>("what --all would show"));
  }
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
}  // namespace ktstr
