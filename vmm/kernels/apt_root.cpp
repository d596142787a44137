#include "vmm/kernels/apt_root.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/durable_file.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr std::string_view kSuiteNames[] = {"bookworm",  "trixie", "forky",   "sid",
                                            "oldstable", "stable", "testing", "unstable"};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end; (end = text.find(separator)) != std::string_view::npos; text.remove_prefix(end + 1))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return std::nullopt;
  return line.substr(key.size());
}

/// apt.conf(5). Read after the machine's own files, so it overrides what could weaken the checks or touch the
/// system.
std::string configuration(const fs::path& directory) {
  return fmt::format(R"(Dir::State "{0}/state";
Dir::State::status "{0}/status";
Dir::Cache "{0}/cache";
Dir::Etc::sourcelist "{0}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
#clear APT::Architectures;
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
)",
                     directory.string());
}

Result<std::string> find_archive(std::stop_token stop) {
  Command command{{"apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(ORIGIN)|$(LABEL)",
                   "Created-By: Packages"},
                  ".",
                  stop};
  const std::string output = KTSTR_TRY(run_command(command));
  std::vector<AptTarget> targets;
  for (const std::string_view line : split(output, '\n')) {
    const auto parts = split(line, '|');
    if (parts.size() != 4) continue;
    targets.push_back(
        {std::string(parts[0]), std::string(parts[1]), std::string(parts[2]), std::string(parts[3])});
  }
  if (auto archive = choose_debian_archive(targets)) return *archive;
  return Error{ErrorCode::kUnavailable,
               "apt's sources on this machine name no Debian archive to take a kernel from"};
}

Status make_directories(const fs::path& root) {
  std::error_code error;
  for (const char* part : {"state/lists/partial", "cache/archives/partial"}) {
    fs::create_directories(root / part, error);
    if (error) return system_error("create " + (root / part).string(), error.value());
  }
  return ok();
}

/// What to do about it, when apt's words show that the keyring is too old for the suite.
std::string advice(const std::string& message) {
  if (message.find("NO_PUBKEY") == std::string::npos && message.find("EXPKEYSIG") == std::string::npos)
    return "";
  return "\nThis machine's debian-archive-keyring lacks the suite's key; upgrade that package.";
}

}  // namespace

std::vector<IndexedPackage> parse_package_index(std::string_view text) {
  std::vector<IndexedPackage> packages;
  IndexedPackage package;
  const auto finish = [&] {
    if (!package.name.empty() && !package.version.empty()) packages.push_back(package);
    package = {};
  };
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) finish();
    if (const auto name = value_of(line, "Package: ")) package.name = *name;
    if (const auto version = value_of(line, "Version: ")) package.version = *version;
    if (const auto bytes = value_of(line, "Size: "))
      std::from_chars(bytes->data(), bytes->data() + bytes->size(), package.bytes);
  }
  finish();
  return packages;
}

std::optional<std::string> choose_debian_archive(const std::vector<AptTarget>& targets) {
  const auto is_remote = [](const AptTarget& t) { return !t.uri.starts_with("cdrom:"); };
  const auto calls_itself_debian = [](const AptTarget& t) {
    return t.origin == "Debian" && t.label == "Debian";
  };
  const auto has_debian_suite = [](const AptTarget& t) {
    const std::string_view suite = std::string_view(t.release).substr(0, t.release.find('-'));
    const bool security = t.release.ends_with("security") || t.release.ends_with("security/updates");
    return t.origin.empty() && !security &&
           std::count(std::begin(kSuiteNames), std::end(kSuiteNames), suite) > 0;
  };
  for (const auto& target : targets)
    if (is_remote(target) && calls_itself_debian(target)) return target.uri;
  for (const auto& target : targets)
    if (is_remote(target) && has_debian_suite(target)) return target.uri;
  return std::nullopt;
}

Result<AptRoot> AptRoot::open(const fs::path& directory, std::string_view suite, std::stop_token stop) {
  if (directory.string().find_first_of("\"\\\n") != std::string::npos)
    return invalid_argument("apt can't work in a directory of this name: " + directory.string());
  if (!fs::exists(kKeyring))
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("{} is missing (package debian-archive-keyring): signatures can't be checked", kKeyring)};
  const std::string archive = KTSTR_TRY(find_archive(stop));
  KTSTR_TRY(make_directories(directory));
  KTSTR_TRY(write_new_file(directory / "status", ""));
  KTSTR_TRY(write_new_file(directory / "apt.conf", configuration(directory)));
  KTSTR_TRY(write_new_file(
      directory / "sources.list",
      fmt::format("deb [arch=amd64 target=Packages signed-by={}] {} {} main\n", kKeyring, archive, suite)));
  return AptRoot(directory, std::move(stop));
}

Command AptRoot::command(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin() + 1, {"-c", (directory_ / "apt.conf").string(), "-q"});
  return {std::move(arguments), directory_, stop_};
}

Status AptRoot::update() const {
  auto updated = run_command(command({"apt-get", "update"}));
  if (updated) return ok();
  updated.error().message += advice(updated.error().message);
  return std::move(updated.error());
}

Result<std::vector<IndexedPackage>> AptRoot::packages() const {
  const std::string index = KTSTR_TRY(run_command(command({"apt-cache", "dumpavail"})));
  return parse_package_index(index);
}

Result<fs::path> AptRoot::download(const IndexedPackage& package, const fs::path& into) const {
  Command download = command({"apt-get", "download", package.name + "=" + package.version});
  download.directory = into;
  KTSTR_TRY(run_command(download));
  for (const auto& file : fs::directory_iterator(into)) {
    const std::string name = file.path().filename().string();
    if (name.starts_with(package.name + "_") && name.ends_with(".deb")) return file.path();
  }
  return Error{ErrorCode::kUnavailable, "apt-get download " + package.name + " left no package behind"};
}

}  // namespace ktstr::vmm
