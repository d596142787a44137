#include "introspect/task/task_names.h"

#include <doctest/doctest.h>

using ktstr::introspect::task_state_letter;

TEST_CASE("every state has the letter that /proc gives it") {
  CHECK(task_state_letter(0, 0) == 'R');
  CHECK(task_state_letter(0x1, 0) == 'S');
  CHECK(task_state_letter(0x2, 0) == 'D');
  CHECK(task_state_letter(0x102, 0) == 'D');  // killable
  CHECK(task_state_letter(0x104, 0) == 'T');
  CHECK(task_state_letter(0x8, 0) == 't');
  CHECK(task_state_letter(0x80, 0x10) == 'X');
  CHECK(task_state_letter(0x80, 0x20) == 'Z');
  CHECK(task_state_letter(0x40, 0) == 'P');
  CHECK(task_state_letter(0x402, 0) == 'I');
  CHECK(task_state_letter(0x8000, 0) == 'D');  // frozen
  CHECK(task_state_letter(0x1000, 0) == 'D');  // waiting for an RT lock
}

TEST_CASE("states that no kernel has still give a letter") {
  CHECK(task_state_letter(0xffff'ffff, 0xffff'ffff) == 'I');
  CHECK(task_state_letter(0x7f, 0x7f) == 'P');
}
