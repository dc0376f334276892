// SPDX-License-Identifier: BSL-1.0
//
// A sum over a stream of bytes that any change, loss or exchange of them changes.
#ifndef STREAM_CHECKSUM_HPP
#define STREAM_CHECKSUM_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace stream {

/// Fletcher's checksum over words of 64 bits: a sum, and a sum of the sums. Does not depend on how
/// the stream is cut into pieces.
class checksum {
public:
    void add(std::span<std::byte const> bytes) noexcept {
        count_ += bytes.size();
        for (; held_ != 0 && !bytes.empty(); bytes = bytes.subspan(1)) hold(bytes.front());
        for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof word_)) {
            std::uint64_t word;
            std::memcpy(&word, bytes.data(), sizeof word);
            add(word);
        }
        for (auto const each : bytes) hold(each);
    }

    [[nodiscard]] std::uint64_t value() const noexcept {
        auto rest = *this;
        while (rest.held_ != 0) rest.hold(std::byte{});
        return rest.sum_ ^ (rest.sums_ * 0x9e37'79b9'7f4a'7c15);  // Odd: no bit of it is lost.
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    friend bool operator==(checksum const& a, checksum const& b) noexcept {
        return a.count_ == b.count_ && a.value() == b.value();
    }

private:
    void add(std::uint64_t word) noexcept {
        sum_ += word;
        sums_ += sum_;
    }
    /// Keeps a byte until there are eight.
    void hold(std::byte each) noexcept {
        word_ |= std::to_integer<std::uint64_t>(each) << (8 * held_);
        if (++held_ < sizeof word_) return;
        add(word_);
        word_ = 0;
        held_ = 0;
    }

    std::uint64_t sum_ = 1, sums_ = 0, count_ = 0;
    std::uint64_t word_ = 0;
    std::size_t held_ = 0;
};

}  // namespace stream
#endif  // STREAM_CHECKSUM_HPP
