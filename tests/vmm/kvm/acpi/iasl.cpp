#include "tests/vmm/kvm/acpi/iasl.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <sstream>

namespace ktstr::vmm::kvm {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

struct Output {
  int status = 0;
  std::string text;
};

Output output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>&1").c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  Output output;
  std::array<char, 4096> buffer{};
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    output.text.append(buffer.data(), count);
  output.status = ::pclose(pipe.release());
  return output;
}

}  // namespace

bool Iasl::available() {
  return output_of("iasl -v").status == 0;
}

std::string Iasl::run(const std::string& arguments) {
  const auto output = output_of("cd " + directory_.path().string() + " && iasl " + arguments);
  CAPTURE(output.text);
  CHECK(output.status == 0);
  CHECK(output.text.find("Incorrect checksum") == std::string::npos);
  CHECK(output.text.find("Invalid") == std::string::npos);
  return output.text;
}

std::string Iasl::disassemble(const std::string& signature, const Bytes& table) {
  directory_.write(signature + ".dat", {reinterpret_cast<const char*>(table.data()), table.size()});
  run("-d " + signature + ".dat");
  auto text = content_of(directory_.path() / (signature + ".dsl"));
  REQUIRE_FALSE(text.empty());
  return text;
}

Bytes Iasl::recompile(const std::string& signature) {
  run("-we -p recompiled " + signature + ".dsl");
  const auto content = content_of(directory_.path() / "recompiled.aml");
  REQUIRE(content.size() > sizeof(TableHeader));
  const auto bytes = std::as_bytes(std::span(content)).subspan(sizeof(TableHeader));
  return {bytes.begin(), bytes.end()};
}

std::map<std::string, std::string> fields_of(const std::string& disassembly) {
  std::map<std::string, std::string> fields;
  std::istringstream lines(disassembly);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(" : ");
    if (colon == std::string::npos) continue;
    const auto name = line.starts_with('[') ? line.find(']') + 1 : 0;
    fields[trimmed(line.substr(name, colon - name))] = trimmed(line.substr(colon + 3));
  }
  return fields;
}

}  // namespace ktstr::vmm::kvm
