// The tables as ACPICA reads them.
#include <doctest/doctest.h>

#include "tests/skip.h"
#include "tests/vmm/kvm/acpi/acpi_image.h"
#include "tests/vmm/kvm/acpi/iasl.h"
#include "vmm/kvm/acpi/acpi_tables.h"
#include "vmm/kvm/acpi/dsdt.h"
#include "vmm/kvm/acpi/fixed_tables.h"
#include "vmm/kvm/acpi/numa_tables.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr const char* kNoIasl = "iasl (package acpica-tools) is not installed";

/// As iasl writes numbers: hexadecimal, all digits.
std::string hex(std::uint64_t value, int digits) {
  char text[17];
  std::snprintf(text, sizeof text, "%0*llX", digits, static_cast<unsigned long long>(value));
  return text;
}

/// `text` without blanks and comments.
std::string condensed(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "//") == 0) i = std::min(text.find('\n', i), text.size());
    if (text.compare(i, 2, "/*") == 0) i = text.find("*/", i) + 2;
    if (i < text.size() && text[i] != ' ' && text[i] != '\n') result += text[i];
  }
  return result;
}

}  // namespace

TEST_CASE("iasl reads every table and compiles what it read to the same bytes") {
  if (!Iasl::available()) SKIP_TEST(kNoIasl);
  const AcpiImage image(*build_acpi_tables(lopsided_config()));
  CHECK(image.tables.size() == 6);
  Iasl iasl;
  for (const auto& [signature, table] : image.tables) {
    CAPTURE(signature);
    iasl.disassemble(signature, table);
    CHECK(iasl.recompile(signature) == Bytes(table.begin() + sizeof(TableHeader), table.end()));
  }
}

TEST_CASE("iasl reads the tables of a topology whose nodes differ") {
  if (!Iasl::available()) SKIP_TEST(kNoIasl);
  const AcpiImage image(*build_acpi_tables(
      acpi_config_of("3n3l2c2t nodes=2:512M,1,0:256M distances=10,21,40/21,10,30/40,30,10")));
  Iasl iasl;
  for (const char* signature : {"SRAT", "SLIT", "HMAT"}) {
    CAPTURE(signature);
    const auto& table = image.tables.at(signature);
    iasl.disassemble(signature, table);
    CHECK(iasl.recompile(signature) == Bytes(table.begin() + sizeof(TableHeader), table.end()));
  }
}

TEST_CASE("iasl reads the DSDT's devices with layout.h's ports, windows and interrupts") {
  if (!Iasl::available()) SKIP_TEST(kNoIasl);
  const auto text = condensed(Iasl().disassemble("DSDT", dsdt()));
  const auto window_end = kPciWindow.value() + kPciWindowBytes - 1;
  for (const std::string& part : {
           std::string("Device(PCI0){Name(_HID,EisaId(\"PNP0A03\"))"),
           std::string("WordBusNumber(ResourceProducer,MinFixed,MaxFixed,PosDecode,0x0000,0x0000,0x0000,"),
           "IO(Decode16,0x" + hex(kPciConfigPort, 4) + ",0x" + hex(kPciConfigPort, 4) + ",0x01,0x08,)",
           "PosDecode,EntireRange,0x0000,0x" + hex(kPciIoWindow, 4) + ",0xFFFF,0x0000,0x" +
               hex(kPciIoWindowBytes, 4),
           "NonCacheable,ReadWrite,0x00000000,0x" + hex(kPciWindow.value(), 8) + ",0x" + hex(window_end, 8) +
               ",0x00000000,0x" + hex(kPciWindowBytes, 8),
           std::string("Device(COM1){Name(_HID,EisaId(\"PNP0501\"))"),
           "IO(Decode16,0x" + hex(kCom1Port, 4) + ",0x" + hex(kCom1Port, 4) + ",0x01,0x08,)" +
               "Interrupt(ResourceConsumer,Edge,ActiveHigh,Exclusive,,,){0x" + hex(kCom1Gsi, 8) + ",}",
           std::string("Device(PEVT){Name(_HID,\"QEMU0001\")"),
           "IO(Decode16,0x" + hex(kPvpanicPort, 4) + ",0x" + hex(kPvpanicPort, 4) + ",0x01,0x01,)",
           "Package(0x04){0x" + hex(kSoftOffType, 2) + ",",
       }) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE(
    "iasl reads a FADT of a hardware-reduced machine without VGA, RTC and 8042, that resets and sleeps") {
  if (!Iasl::available()) SKIP_TEST(kNoIasl);
  const auto text = Iasl().disassemble("FACP", fadt(GuestPhys{0xe1230}));
  auto fields = fields_of(text);
  CHECK(fields["Revision"] == "06");
  CHECK(fields["FADT Minor Revision"] == "05");
  CHECK(fields["Hardware Reduced (V5)"] == "1");
  CHECK(fields["Reset Register Supported (V2)"] == "1");
  CHECK(fields["VGA Not Present (V4)"] == "1");
  CHECK(fields["CMOS RTC Not Present (V5)"] == "1");
  CHECK(fields["MSI Not Supported (V4)"] == "0");
  CHECK(fields["8042 Present on ports 60/64 (V2)"] == "0");
  CHECK(fields["Value to cause reset"] == hex(kResetValue, 2));
  CHECK(fields["DSDT Address"] == "00000000000E1230");
  const auto registers = condensed(text);
  for (const auto& [name, port] :
       {std::pair("ResetRegister", kResetPort), std::pair("SleepControlRegister", kSleepControlPort),
        std::pair("SleepStatusRegister", kSleepStatusPort)}) {
    CAPTURE(name);
    const auto found = registers.find(std::string(name) + ":[GenericAddressStructure]");
    REQUIRE(found != std::string::npos);
    const auto address = registers.find("Address:", found);
    CHECK(registers.substr(address, 24) == "Address:" + hex(port, 16));
    CHECK(registers.substr(found, address - found).find("SpaceID:01[SystemIO]") != std::string::npos);
  }
}

TEST_CASE("iasl reads x2APIC structures, domains and the units of latencies") {
  if (!Iasl::available()) SKIP_TEST(kNoIasl);
  const auto config = lopsided_config();
  Iasl iasl;
  auto madt_fields = fields_of(iasl.disassemble("APIC", madt(config.apic_ids)));
  CHECK(madt_fields["Processor x2Apic ID"] == "0000012C");
  CHECK(madt_fields["Processor UID"] == "00000003");
  CHECK(madt_fields["PC-AT Compatibility"] == "0");
  auto srat_fields = fields_of(iasl.disassemble("SRAT", srat(config)));
  CHECK(srat_fields["Proximity Domain"] == "00000002");
  CHECK(srat_fields["Address Length"] == "0000000100000000");
  auto hmat_fields = fields_of(iasl.disassemble("HMAT", hmat(config)));
  CHECK(hmat_fields["Attached Initiator Proximity Domain"] == "00000001");
  CHECK(hmat_fields["Data Type"] == "03");
}

}  // namespace ktstr::vmm::kvm
