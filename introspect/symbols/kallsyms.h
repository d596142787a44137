// kallsyms: the symbol table that a kernel carries for itself, decoded from its image.
#pragma once

#include "engine/base/elf_image.h"
#include "engine/base/result.h"
#include "introspect/symbols/symbol_table.h"

namespace ktstr::introspect {

/// Finds and decodes the kallsyms tables of a kernel's ELF (scripts/kallsyms.c); needs neither a symbol table
/// nor the running kernel. Every symbol comes out, of any type, at its link-time address. Errors: kNotFound,
/// no tables (CONFIG_KALLSYMS is off); kCorrupt, tables that contradict themselves. Bounded in time and
/// memory for any input.
[[nodiscard]] Result<SymbolTable> decode_kallsyms(const ElfImage& kernel);

}  // namespace ktstr::introspect
