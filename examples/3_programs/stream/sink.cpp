// SPDX-License-Identifier: BSL-1.0
#include "sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace stream {
namespace {

[[noreturn]] void fail(std::string const& what) {
    throw std::system_error{errno, std::generic_category(), what};
}

int open_temporary(std::string path) {
    auto const descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor >= 0) ::unlink(path.c_str());
    return descriptor;
}

}  // namespace

output_file::output_file(std::string path) : place_(std::move(path)), descriptor_{-1} {
    if (place_.empty()) {
        auto const folder = std::filesystem::temp_directory_path();
        place_ = "a temporary file in " + folder.string();
        descriptor_ = open_temporary(folder / "hawser_stream_XXXXXX");
    } else {
        descriptor_ = ::open(place_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (descriptor_ < 0) fail("cannot open " + place_);
}

output_file::~output_file() { ::close(descriptor_); }

void output_file::write(std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
        auto const size = ::write(descriptor_, bytes.data(), bytes.size());
        if (size >= 0)
            bytes = bytes.subspan(static_cast<std::size_t>(size));
        else if (errno != EINTR)
            fail("cannot write to " + place_);
    }
}

std::uint64_t output_file::size() const {
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0) fail("cannot look at " + place_);
    return static_cast<std::uint64_t>(about.st_size);
}

}  // namespace stream
