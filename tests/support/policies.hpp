// SPDX-License-Identifier: BSL-1.0
//
// Policies that do as a test says, and write down which of their hooks ran.
#ifndef HAWSER_TESTS_SUPPORT_POLICIES_HPP
#define HAWSER_TESTS_SUPPORT_POLICIES_HPP

#include <hawser/policy/concept.hpp>

#include <string>
#include <utility>
#include <vector>

namespace support {

using hook_log = std::vector<std::string>;

/// What a scripted layer answers; the last answer of a list stands for all further ones.
struct script {
    std::vector<hawser::step> before{};  ///< Empty: proceeds.
    std::vector<hawser::next> after{};   ///< Empty: done.
    bool writes = false;                 ///< A `respond` writes the value 7 into the outcome.
};

/// Has every hook there is but the waiter's, and the alternative 42.
///
/// Its `call_state` counts the asks, so that the log shows whether it is a fresh one.
class scripted_layer {
public:
    using stateful = void;
    struct call_state {
        int asks = 0;
        int rounds = 0;
    };

    scripted_layer(char const* name, hook_log& log, script answers = {})
        : name_{name}, log_{&log}, answers_{std::move(answers)} {}
    scripted_layer(scripted_layer const&) = delete;
    scripted_layer& operator=(scripted_layer const&) = delete;

    [[nodiscard]] char const* name() const noexcept { return name_; }

    template <class Call, class R>
    hawser::step before(call_state& state, Call&, hawser::outcome<R>& out) noexcept {
        note("before " + std::to_string(++state.asks));
        auto const answer = pick(answers_.before, state.asks);
        if (answer.action == hawser::step::kind::respond && answers_.writes) {
            if constexpr (std::is_constructible_v<R, int>) out.emplace(7);
            if constexpr (std::is_void_v<R>) out.emplace();
        }
        return answer;
    }
    template <class Call>
    void withdraw(call_state&, Call&) noexcept {
        note("withdraw");
    }
    template <class Call, class R>
    hawser::next after(call_state& state, Call&, hawser::outcome<R>& out) noexcept {
        note(std::string{"after "} + says(out));
        return pick(answers_.after, ++state.rounds);
    }
    template <class Call>
    void abandon(call_state&, Call&) noexcept {
        note("abandon");
    }
    [[nodiscard]] int& alternative() noexcept { return alternative_; }
    template <class Call, class R>
    void alternative_ended(call_state&, Call&, hawser::outcome<R>& out) noexcept {
        note(std::string{"alternative_ended "} + says(out));
    }

private:
    template <class Answer>
    static Answer pick(std::vector<Answer> const& list, int time) noexcept {
        if (list.empty()) return {};
        auto const place = static_cast<std::size_t>(time) - 1;
        return place < list.size() ? list[place] : list.back();
    }
    template <class R>
    static std::string says(hawser::outcome<R> const& out) {
        if (out.empty()) return "empty";
        if (auto const* why = out.why()) return to_string(why->code);
        return out.has_value() ? "value" : "exception";
    }
    void note(std::string const& hook) noexcept { log_->push_back(name_ + (" " + hook)); }

    char const* name_;
    hook_log* log_;
    script answers_;
    int alternative_ = 42;
};

/// Sets a deadline for what is further in, and hears of its expiry.
class scoping_layer {
public:
    using stateful = void;

    scoping_layer(char const* name, hook_log& log, hawser::duration limit)
        : name_{name}, log_{&log}, limit_{limit} {}
    scoping_layer(scoping_layer const&) = delete;
    scoping_layer& operator=(scoping_layer const&) = delete;

    [[nodiscard]] char const* name() const noexcept { return name_; }

    template <class State, class Call>
    hawser::time_point scope_deadline(State&, Call& call) noexcept {
        log_->push_back(std::string{name_} + " scope_deadline");
        return hawser::add_saturating(call.now(), limit_);
    }
    template <class State, class Call, class R>
    void scope_expired(State&, Call&, hawser::outcome<R>&) noexcept {
        log_->push_back(std::string{name_} + " scope_expired");
    }

private:
    char const* name_;
    hook_log* log_;
    hawser::duration limit_;
};

/// Remembers what it saw go by.
class watching_layer {
public:
    using stateful = void;
    static constexpr char const* name = "watch";

    watching_layer() = default;
    watching_layer(watching_layer const&) = delete;
    watching_layer& operator=(watching_layer const&) = delete;

    template <class State, class Call, class R>
    void after(State&, Call& call, hawser::outcome<R>& out) noexcept {
        causes.push_back(call.cause());
        health.push_back(judge(call, out));
        codes.push_back(out.code());
        deadlines.push_back(call.deadline());
    }

    std::vector<hawser::stop_cause> causes{};
    std::vector<hawser::verdict> health{};
    std::vector<hawser::errc> codes{};
    std::vector<hawser::time_point> deadlines{};
};

/// Has no hooks to speak of: lets everything through.
struct idle_layer {
    template <class State, class Call>
    [[nodiscard]] hawser::gate before(State&, Call&) const noexcept {
        return {};
    }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_POLICIES_HPP
