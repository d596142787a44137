#include "introspect/monitor/kernel_hz.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>

#include "tests/temporary_directory.h"

namespace ktstr::introspect {
namespace {

using ktstr::test::TemporaryDirectory;

std::string gzip(std::string_view text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string image_with(std::string_view config) {
  return "\x7f"
         "ELF and so on" +
         std::string("IKCFG_ST") + gzip(config) + "IKCFG_ED more";
}

}  // namespace

TEST_CASE("CONFIG_HZ is found on a line of its own") {
  CHECK(parse_config_hz("CONFIG_HZ_250=y\nCONFIG_HZ=250\n") == 250);
  CHECK(parse_config_hz("  CONFIG_HZ=1000  \r\n") == 1000);
  CHECK(parse_config_hz("CONFIG_HZ=100") == 100);
  CHECK_FALSE(parse_config_hz("# CONFIG_HZ=250\nCONFIG_HZ_300=y\nXCONFIG_HZ=3\n").has_value());
  CHECK_FALSE(parse_config_hz("").has_value());
}

TEST_CASE("a tick rate that no kernel has is no tick rate") {
  CHECK_FALSE(parse_config_hz("CONFIG_HZ=0").has_value());
  CHECK_FALSE(parse_config_hz("CONFIG_HZ=-250").has_value());
  CHECK_FALSE(parse_config_hz("CONFIG_HZ=10001").has_value());
  CHECK_FALSE(parse_config_hz("CONFIG_HZ=250x").has_value());
  CHECK_FALSE(parse_config_hz("CONFIG_HZ=99999999999999999999").has_value());
  CHECK_FALSE(parse_config_hz("CONFIG_HZ=").has_value());
}

TEST_CASE("the preemption threshold is ten ticks") {
  CHECK(KernelHz{250, ""}.preemption_threshold() == Duration(std::chrono::milliseconds(40)));
  CHECK(KernelHz{1000, ""}.preemption_threshold() == Duration(std::chrono::milliseconds(10)));
  CHECK(KernelHz{300, ""}.preemption_threshold() == Duration(33'333'330));
}

TEST_CASE("IKCONFIG is unpacked from an image, past letters that only look like it") {
  CHECK(unpack_ikconfig(image_with("CONFIG_HZ=300\n")) == "CONFIG_HZ=300\n");
  CHECK(unpack_ikconfig("IKCFG_ST is a marker" + image_with("CONFIG_HZ=300\n")) == "CONFIG_HZ=300\n");
  CHECK_FALSE(unpack_ikconfig("no marker").has_value());
  CHECK_FALSE(unpack_ikconfig("IKCFG_ST").has_value());
}

TEST_CASE("a damaged or huge IKCONFIG is none") {
  auto damaged = image_with(std::string(2000, 'x') + "CONFIG_HZ=300\n");
  damaged[damaged.size() - 25] ^= 0x55;
  CHECK_FALSE(unpack_ikconfig(damaged).has_value());
  const auto image = image_with("CONFIG_HZ=300\n");
  CHECK_FALSE(unpack_ikconfig(image.substr(0, image.size() - 25)).has_value());
  CHECK_FALSE(unpack_ikconfig(image_with(std::string(5 << 20, ' '))).has_value());
}

TEST_CASE("sources are asked in order, and the answer says which one gave it") {
  const TemporaryDirectory folder;
  const KernelFiles files{folder.write("vmlinux", image_with("CONFIG_HZ=300\n")),
                          folder.write("config", "CONFIG_HZ=100\n"), folder.write("bzImage", "")};
  folder.write(".config", "CONFIG_HZ=1000\n");
  CHECK(kernel_hz(files).hz == 300);
  CHECK(kernel_hz(files).source == "IKCONFIG of " + files.elf.string());
  CHECK(kernel_hz({{}, files.config, files.image}).hz == 100);
  CHECK(kernel_hz({{}, files.config, files.image}).source == files.config.string());
  CHECK(kernel_hz({files.image, {}, files.image}).hz == 1000);
}

TEST_CASE("a build tree's .config is found up to three folders above the image's") {
  const TemporaryDirectory folder;
  const auto image = folder.write("tree/arch/x86/boot/bzImage", "");
  const auto too_deep = folder.write("tree/a/b/c/d/bzImage", "");
  folder.write("tree/.config", "CONFIG_HZ=1000\n");
  CHECK(kernel_hz({{}, {}, image}).hz == 1000);
  CHECK(kernel_hz({{}, {}, too_deep}).hz == kDefaultHz);
}

TEST_CASE("without any source the default is used and named so") {
  const TemporaryDirectory folder;
  const auto unknown = kernel_hz({"/nonexistent/vmlinux", folder.write("config", "CONFIG_SMP=y\n"), {}});
  CHECK(unknown.hz == 250);
  CHECK(unknown.source.starts_with("default"));
}

}  // namespace ktstr::introspect
