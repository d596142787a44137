#!/bin/sh
# Checks that every C++ source is formatted as .clang-format says. usage: format_check.sh ROOT
cd "$1" || exit 1
find engine introspect vmm bpf lua tests bench \( -name '*.h' -o -name '*.cpp' -o -name '*.c' \) 2>/dev/null |
  xargs clang-format --dry-run --Werror
