// SPDX-License-Identifier: BSL-1.0
//
// An item that only moves, cannot be made from nothing or assigned to, and tells how often each was
// destroyed.
#ifndef HAWSER_TESTS_SUPPORT_PARCEL_HPP
#define HAWSER_TESTS_SUPPORT_PARCEL_HPP

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace support {

/// How often each parcel was destroyed, by its number; what was moved from does not count.
struct parcel_log {
    std::vector<int> ends;
    int objects = 0;  ///< C++ objects alive, those that were moved from included.

    [[nodiscard]] int ends_of(int id) const { return ends[static_cast<std::size_t>(id)]; }
    [[nodiscard]] bool each_ended_once() const {
        for (auto const times : ends)
            if (times != 1) return false;
        return objects == 0;
    }
};

class parcel {
public:
    explicit parcel(parcel_log& log, std::uint64_t heavy = 1, int inside = 0)
        : weight{heavy}, content{inside}, log_{&log}, id_{static_cast<int>(log.ends.size())} {
        log.ends.push_back(0);
        ++log.objects;
    }
    parcel(parcel&& other) noexcept
        : weight{other.weight},
          content{other.content},
          log_{other.log_},
          id_{std::exchange(other.id_, -1)} {
        ++log_->objects;
    }
    parcel& operator=(parcel&&) = delete;
    ~parcel() {
        --log_->objects;
        if (id_ >= 0) ++log_->ends[static_cast<std::size_t>(id_)];
    }

    /// Negative once it was moved from.
    [[nodiscard]] int id() const noexcept { return id_; }

    std::uint64_t weight;
    int content;

private:
    parcel_log* log_;
    int id_;
};

struct parcel_weight {
    std::uint64_t operator()(parcel const& item) const noexcept { return item.weight; }
};

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_PARCEL_HPP
