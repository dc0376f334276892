// SPDX-License-Identifier: BSL-1.0
//
// script: an operation that does what the test has written down, turn by turn.
//
//     manual_time time;
//     testing::script<double> quote{time, testing::throws(std::runtime_error{"down"}, 2),
//                                   testing::hangs(), testing::returns(4.5).after(20ms)};
//     auto const out = try_execute(line, quote);
//     CHECK(quote.calls() == 4);
//
// The same script plays an Asio operation: see `testing/asio_fault_script.hpp`.
#ifndef HAWSER_TESTING_FAULT_SCRIPT_HPP
#define HAWSER_TESTING_FAULT_SCRIPT_HPP

#include <hawser/base/clock.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hawser::inline v0::testing {

/// Thrown by an operation that is called more often than its script says.
struct script_ended : std::logic_error {
    using logic_error::logic_error;
};

/// How a turn goes, apart from its result.
struct turn_manner {
    std::uint32_t times = 1;      ///< How many calls in a row go this way.
    duration takes{};             ///< How long each takes.
    bool hangs = false;           ///< It does not end by itself.
    bool not_sent = false;        ///< It marks the attempt as one that reached nobody.
    bool ignores_cancel = false;  ///< In Asio: it goes on when it is asked to stop.
};

/// A turn of a script, in the making: a result, and how it comes.
template <class Result>
class scripted {
public:
    scripted(Result result, turn_manner manner)
        : result_(std::move(result)), manner_{std::move(manner)} {}

    /// It takes so long. Not negative.
    [[nodiscard]] scripted after(duration takes) && {
        manner_.takes = takes;
        return std::move(*this);
    }
    /// All calls from here on go this way.
    [[nodiscard]] scripted forever() && {
        manner_.times = 0;
        return std::move(*this);
    }
    /// The attempt says of itself that it never reached the dependency.
    [[nodiscard]] scripted not_sent() && {
        manner_.not_sent = true;
        return std::move(*this);
    }
    /// In Asio, it ends in its own time even if it is cancelled.
    [[nodiscard]] scripted ignoring_cancel() && {
        manner_.ignores_cancel = true;
        return std::move(*this);
    }

    [[nodiscard]] Result const& result() const noexcept { return result_; }
    [[nodiscard]] turn_manner const& manner() const noexcept { return manner_; }

private:
    Result result_;
    turn_manner manner_;
};

namespace detail {

struct default_result {
    template <class R>
    R make() const {
        return R();
    }
};
template <class T>
struct value_result {
    T value;
    template <class R>
    R make() const {
        return static_cast<R>(value);
    }
};
template <class E>
struct thrown_result {
    E exception;
    template <class R>
    [[noreturn]] R make() const {
        throw exception;
    }
};
template <class F>
struct called_result {
    F function;
    template <class R>
    R make() const {
        return function();
    }
};

}  // namespace detail

// The turns. Each goes for `times` calls in a row.

/// Succeeds, with an empty value if the result is not void.
[[nodiscard]] inline auto ok(std::uint32_t times = 1) {
    return scripted<detail::default_result>{{}, {.times = times}};
}
/// Returns a copy of `value`.
template <class T>
[[nodiscard]] auto returns(T value, std::uint32_t times = 1) {
    return scripted<detail::value_result<T>>{{std::move(value)}, {.times = times}};
}
/// Returns the result that is made from `error`, where results say failure by value: an error code,
/// a status, `std::unexpected`.
template <class Error>
[[nodiscard]] auto fails(Error error, std::uint32_t times = 1) {
    return testing::returns(std::move(error), times);
}
/// Throws a copy of `exception`.
template <class E>
[[nodiscard]] auto throws(E exception, std::uint32_t times = 1) {
    return scripted<detail::thrown_result<E>>{{std::move(exception)}, {.times = times}};
}
/// Is refused, as a nested pipeline would be.
[[nodiscard]] inline auto refuses(errc code, duration retry_after = {}, std::uint32_t times = 1) {
    return testing::throws(refused{{code, retry_after, "script"}}, times);
}
/// Returns or throws what `function()` does, at the time when the turn ends.
template <class F>
[[nodiscard]] auto runs(F function, std::uint32_t times = 1) {
    return scripted<detail::called_result<F>>{{std::move(function)}, {.times = times}};
}
/// Does not end by itself. A plain call gives up at its deadline, as timed out; in Asio it ends
/// when it is cancelled.
[[nodiscard]] inline auto hangs(std::uint32_t times = 1) {
    return scripted<detail::default_result>{{}, {.times = times, .hangs = true}};
}

/// An operation with result type `R` that plays its turns one after the other, once for each call.
///
/// A turn that takes time moves the `manual_time` it was given, past the call's deadline too: a
/// plain function cannot be stopped. Calls beyond the last turn throw `script_ended`.
///
/// Thread safety: none. It is passed to `execute` by reference and does not copy.
template <class R>
class script {
public:
    /// How one call goes.
    struct turn {
        std::function<R()> result;
        turn_manner manner;
    };

    /// A script whose turns take no time. Throws `std::logic_error` if one does.
    template <class... Results>
    explicit script(scripted<Results> const&... turns) : script{nullptr, turns...} {}
    /// A script under `time`, which outlives it.
    template <class... Results>
    explicit script(manual_time& time, scripted<Results> const&... turns)
        : script{&time, turns...} {}

    script(script const&) = delete;
    script& operator=(script const&) = delete;

    /// The operation, in a pipeline.
    template <class Call>
    requires requires(Call& call) { call.deadline(); }
    R operator()(Call& call) {
        auto const& now = next();
        if (now.manner.not_sent) call.mark_not_sent();
        if (now.manner.hangs) hang_until(call.deadline());
        if (now.manner.takes > duration::zero()) time_->advance(now.manner.takes);
        return now.result();
    }
    /// The operation, on its own.
    R operator()() {
        auto const& now = next();
        if (now.manner.hangs) hang_until(no_deadline);
        if (now.manner.takes > duration::zero()) time_->advance(now.manner.takes);
        return now.result();
    }

    /// How often it has been called, calls beyond the end included.
    [[nodiscard]] std::size_t calls() const noexcept { return calls_; }
    /// Whether every turn has been played as often as it says; one that goes on for ever, once.
    [[nodiscard]] bool finished() const noexcept {
        return at_ == turns_.size() ||
               (at_ + 1 == turns_.size() && turns_[at_].manner.times == 0 && played_ > 0);
    }

    /// Takes the next turn: for those who play it in another way.
    [[nodiscard]] turn const& next() {
        ++calls_;
        if (at_ == turns_.size())
            throw script_ended{"script: call " + std::to_string(calls_) +
                               " comes after the last turn"};
        auto const& now = turns_[at_];
        if (++played_ == now.manner.times) {
            ++at_;
            played_ = 0;
        }
        return now;
    }

private:
    template <class... Results>
    explicit script(manual_time* time, scripted<Results> const&... turns) : time_{time} {
        turns_.reserve(sizeof...(turns));
        (add(turns), ...);
    }

    template <class Result>
    void add(scripted<Result> const& said) {
        auto const& manner = said.manner();
        if (!turns_.empty() && turns_.back().manner.times == 0)
            throw std::logic_error{"script: a turn follows one that goes on for ever"};
        if (manner.takes < duration::zero())
            throw std::logic_error{"script: a turn takes less than no time"};
        if (manner.takes > duration::zero() && time_ == nullptr)
            throw std::logic_error{"script: a turn takes time, and there is no manual_time"};
        turns_.push_back({[result = said.result()] { return result.template make<R>(); }, manner});
    }

    void hang_until(time_point deadline) {
        if (deadline == no_deadline || time_ == nullptr)
            throw std::logic_error{
                "script: a turn hangs, and no deadline under manual time ends it"};
        time_->set(std::max(time_->now(), deadline));
        throw refused{{errc::timed_out, {}, "script"}};
    }

    manual_time* time_;
    std::vector<turn> turns_;
    std::size_t at_ = 0;
    std::uint32_t played_ = 0;  ///< How often the turn that is on has been played.
    std::size_t calls_ = 0;
};

}  // namespace hawser::inline v0::testing
#endif  // HAWSER_TESTING_FAULT_SCRIPT_HPP
