// Files of /proc/PID/task/TID as a kernel writes them.
#pragma once

#include <string>
#include <string_view>

namespace ktstr::introspect::ctprof::test {

inline constexpr std::string_view kStat =
    "27229 (cat) R 27219 27219 24450 0 -1 4194304 99 0 7 0 11 22 0 0 -3 -20 1 0 2630513 3133440 380 "
    "18446744073709551615 94193896431616 94193896451497 140733973161056 0 0 0 0 0 0 0 0 0 17 1 2 1 0 0 0 "
    "94193896467504 94193896469120 94193914507264 140733973162390 140733973162445 140733973162445 "
    "140733973164011 0\n";

inline constexpr std::string_view kSchedLines =
    "se.exec_start                                :      26305133.516566\n"
    "se.nr_migrations                             :                    4\n"
    "sum_sleep_runtime                            :            10.000000\n"
    "sum_block_runtime                            :             2.500000\n"
    "wait_max                                     :             1.000000\n"
    "wait_sum                                     :            12.000345\n"
    "nr_wakeups                                   :                   17\n"
    "avg_atom                                     :            -0.000001\n"
    "policy                                       :                    0\n"
    "se.slice                                     :              1400000\n"
    "ext.enabled                                  :                    1\n";

/// Those lines below the first two, which name the task.
inline std::string sched_file(std::string_view lines, std::string_view name = "cat") {
  return std::string(name) + " (27229, #threads: 1)\n" + std::string(67, '-') + "\n" + std::string(lines);
}

}  // namespace ktstr::introspect::ctprof::test
