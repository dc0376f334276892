// SPDX-License-Identifier: BSL-1.0
//
// The sink: a file that is written at a rate.
#ifndef STREAM_SINK_HPP
#define STREAM_SINK_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace stream {

/// A file to write to. Without a path, one in the directory for temporary files which nobody else
/// sees, and which is gone with the program however that ends.
class output_file {
public:
    /// Throws `std::system_error`.
    explicit output_file(std::string path);
    ~output_file();
    output_file(output_file const&) = delete;
    output_file& operator=(output_file const&) = delete;

    /// Throws `std::system_error`.
    void write(std::span<std::byte const> bytes);
    [[nodiscard]] std::uint64_t size() const;

    /// Where it is, in words.
    [[nodiscard]] std::string const& place() const noexcept { return place_; }

private:
    std::string place_;
    int descriptor_;
};

}  // namespace stream
#endif  // STREAM_SINK_HPP
