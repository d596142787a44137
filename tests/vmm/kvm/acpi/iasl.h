// Iasl: ACPICA's compiler and disassembler, a reader of tables that is not ours.
#pragma once

#include <map>
#include <string>

#include "tests/temporary_directory.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

class Iasl {
 public:
  /// Whether the program is installed (Debian: acpica-tools).
  [[nodiscard]] static bool available();

  /// The table as text. Fails the test where iasl complains, of a wrong checksum for example.
  std::string disassemble(const std::string& signature, const Bytes& table);
  /// Compiles what disassemble() gave, warnings being errors, and returns what stands behind the header.
  Bytes recompile(const std::string& signature);

 private:
  std::string run(const std::string& arguments);

  ktstr::test::TemporaryDirectory directory_;
};

/// The fields of a data table's disassembly by name, the last of each, decoded flags included:
/// "[028h 0040   4]  Flags (decoded below) : 00000001", "Enabled : 1".
std::map<std::string, std::string> fields_of(const std::string& disassembly);

}  // namespace ktstr::vmm::kvm
