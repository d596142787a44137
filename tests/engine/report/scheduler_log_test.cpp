#include "engine/report/scheduler_log.h"

#include <doctest/doctest.h>

#include "engine/report/printable_report.h"

using namespace ktstr::engine;
using Lines = std::vector<std::string>;

namespace {

/// As libbpf 1.4.6 prints it.
Lines refused() {
  return {"libbpf: elf: skipping unrecognized data section(7) .rodata.str1.1",
          "libbpf: prog 'bad_enqueue': BPF program load failed: Permission denied",
          "libbpf: prog 'bad_enqueue': -- BEGIN PROG LOAD LOG --",
          "0: R1=ctx() R10=fp0",
          "; return *(int *)bpf_map_lookup_elem(&m, &key); @ bad.bpf.c:12",
          "7: (61) r0 = *(u32 *)(r0 +0)",
          "R0 invalid mem access 'map_value_or_null'",
          "processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
          "-- END PROG LOAD LOG --",
          "libbpf: prog 'bad_enqueue': failed to load: -13",
          "libbpf: failed to load object 'bad_bpf'",
          "libbpf: failed to load BPF skeleton 'bad_bpf': -13",
          "could not load the scheduler"};
}

}  // namespace

TEST_CASE("a refusal has the program's name, the error's, the source line and the verifier's last word") {
  const auto refusal = verifier_refusal(refused());
  REQUIRE(refusal);
  CHECK(refusal->program == "bad_enqueue");
  CHECK(refusal->error == "EACCES");
  CHECK(refusal->source == "bad.bpf.c:12");
  CHECK(refusal->message == "R0 invalid mem access 'map_value_or_null'");
  CHECK(load_failure(refused()) ==
        "the verifier refused its program bad_enqueue (EACCES) at bad.bpf.c:12: R0 invalid mem access "
        "'map_value_or_null'");
}

TEST_CASE("the beginning of the verifier's log may be missing") {
  const auto all = refused();
  CHECK(load_failure({all.begin() + 6, all.end()}) ==
        "the verifier refused its program bad_enqueue (EACCES): R0 invalid mem access 'map_value_or_null'");
  CHECK(load_failure({all.begin() + 9, all.end()}) ==
        "the verifier refused its program bad_enqueue (EACCES)");
}

TEST_CASE("an explanation below the verifier's word is not its word") {
  auto output = refused();
  const Lines explanation{"",
                          "Verification failed: Register Type Safety: Invalid dereference",
                          "Reason:",
                          "  R0 may be NULL here",
                          "",
                          "Suggestion:",
                          "  Add a NULL check"};
  output.insert(output.begin() + 7, explanation.begin(), explanation.end());
  const auto refusal = verifier_refusal(output);
  REQUIRE(refusal);
  CHECK(refusal->message == "R0 invalid mem access 'map_value_or_null'");
  CHECK(refusal->source == "bad.bpf.c:12");
}

TEST_CASE("traces, states of loops and statistics are not the last word") {
  const Lines output{"libbpf: prog 'big': -- BEGIN PROG LOAD LOG --",
                     "; for (i = 0; i < n; i++) @ big.bpf.c:9",
                     "infinite loop detected at insn 5",
                     "cur state: R0=0",
                     "old state: R0=0",
                     "12: (07) r1 += 1",
                     "from 12 to 5: R0=1",
                     "verification time 1203 usec",
                     "stack depth 0+8",
                     "processed 1000001 insns (limit 1000000) max_states_per_insn 4 total_states 1",
                     "",
                     "-- END PROG LOAD LOG --",
                     "libbpf: prog 'big': failed to load: -E2BIG"};
  const auto refusal = verifier_refusal(output);
  REQUIRE(refusal);
  CHECK(refusal->error == "E2BIG");
  CHECK(refusal->message == "infinite loop detected at insn 5");
}

TEST_CASE("without a refusal, libbpf's last word that is no consequence is the failure") {
  CHECK(load_failure({"libbpf: map 'm': failed to create: Invalid argument(-22)",
                      "libbpf: failed to load object 'x'", "libbpf: failed to load BPF skeleton 'x': -22",
                      "Failed to load skel"}) ==
        "\"libbpf: map 'm': failed to create: Invalid argument(-22)\"");
  CHECK_FALSE(load_failure({"Failed to load skel"}));
  CHECK_FALSE(load_failure({}));
}

TEST_CASE("loops of a log are shown once") {
  const Lines lines{
      "begin",    "12: (85) call x#7",  "12: R0=1",          "from 12 to 5: R0=1", "12: (85) call x#7",
      "12: R0=2", "from 12 to 5: R0=2", "12: (85) call x#7", "12: R0=3",           "from 12 to 5: R0=3",
      "end"};
  CHECK(with_loops_collapsed(lines) == Lines{"begin", "12: (85) call x#7", "12: R0=1", "from 12 to 5: R0=1",
                                             "... these 3 lines 2 times more", "end"});
}

TEST_CASE("what does not repeat, or would spare nothing, stays as it is") {
  const Lines different{"a", "b", "a", "c"};
  CHECK(with_loops_collapsed(different) == different);
  const Lines twice{"a", "a", "b"};
  CHECK(with_loops_collapsed(twice) == twice);
  CHECK(with_loops_collapsed(Lines{"a", "b", "a", "b"}) == Lines{"a", "b", "... these 2 lines once more"});
  CHECK(with_loops_collapsed(Lines{"a", "a", "a"}) == Lines{"a", "... this line 2 times more"});
  CHECK(with_loops_collapsed({}).empty());
}
