// SPDX-License-Identifier: BSL-1.0
//
// A sink that keeps what it hears as the lines that a record is described by.
#ifndef HAWSER_TESTS_SUPPORT_TOLD_LINES_HPP
#define HAWSER_TESTS_SUPPORT_TOLD_LINES_HPP

#include <hawser/trace/record.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// Thread safety: all members may be called concurrently.
class told_lines {
public:
    using lines = std::vector<std::string>;

    template <hawser::known_event Event>
    void on(Event const& event) {
        hawser::record kept;
        kept.what = event;
        auto line = describe(kept);
        std::lock_guard const lock{mutex_};
        lines_.push_back(std::move(line));
    }

    /// What was heard since the last time this was asked.
    lines take() {
        std::lock_guard const lock{mutex_};
        return std::exchange(lines_, {});
    }

private:
    std::mutex mutex_;
    lines lines_;
};

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_TOLD_LINES_HPP
