// SPDX-License-Identifier: BSL-1.0
//
// The context of one call: what its operation and its policies may know of it.
#ifndef HAWSER_COMPOSE_CONTEXT_HPP
#define HAWSER_COMPOSE_CONTEXT_HPP

#include <hawser/base/outcome.hpp>
#include <hawser/base/time.hpp>
#include <hawser/compose/facts.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/sink.hpp>

#include <cstdint>
#include <exception>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

namespace detail {
struct driver;
}

/// One call on its way through a pipeline. Its driver makes it; an operation that takes an argument
/// is given it by reference.
///
/// Thread safety: none; it belongs to whoever runs the call at the moment.
template <class Environment, class Facts = no_facts>
class context {
public:
    using environment_type = Environment;
    using key_type = typename Facts::key_type;
    static constexpr bool has_facts = !std::is_same_v<Facts, no_facts>;

    context(Environment const& env, Facts const& facts) noexcept : env_{&env}, facts_{facts} {
        if constexpr (has_facts) deadline_ = facts.deadline;
    }
    context(context const&) = delete;
    context& operator=(context const&) = delete;

    /// The time, as of the first look since the operation or a wait last returned: looking again
    /// costs nothing.
    [[nodiscard, gnu::always_inline]] time_point now() const noexcept {
        if (now_ == unread) now_ = env_->now();
        return now_;
    }

    /// When the innermost of all deadlines over this place in the pipeline ends.
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    [[nodiscard]] bool has_deadline() const noexcept { return deadline_ != no_deadline; }

    /// What is left until the deadline: negative if it has passed, `never` if there is none.
    [[nodiscard]] duration remaining() const noexcept {
        return has_deadline() ? time_between(now(), deadline_) : never;
    }

    /// Whether a wait that begins now ends before the deadline.
    [[nodiscard]] bool fits(duration wait) const noexcept {
        return !has_deadline() || add_saturating(now(), wait) < deadline_;
    }

    /// Which start of the operation this is, from 1; between starts, how many there were.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return attempt_; }

    /// Why the call is being stopped from outside this place, if it is.
    [[nodiscard]] stop_cause cause() const noexcept {
        if (cause_ == stop_cause::none && stop_token_requested()) return stop_cause::caller;
        return cause_;
    }
    /// The same, as far as the driver has been told: the caller's stop token is not asked.
    [[nodiscard]] stop_cause cause_set() const noexcept { return cause_; }
    [[nodiscard]] bool stop_requested() const noexcept { return cause() != stop_cause::none; }

    /// The caller's own way to stop the call; a token that never stops if there is none.
    [[nodiscard]] std::stop_token stop_token() const noexcept {
        if constexpr (has_facts)
            return facts_.get().stop;
        else
            return {};
    }

    [[nodiscard]] Facts const& facts() const noexcept requires has_facts { return facts_.get(); }
    [[nodiscard]] key_type const& key() const noexcept requires(!std::is_same_v<key_type, no_key>) {
        return facts_.get().key;
    }
    [[nodiscard]] attempt_allowance* allowance() const noexcept {
        if constexpr (has_facts)
            return facts_.get().allowance;
        else
            return nullptr;
    }

    /// The facts for a pipeline that the operation calls in its turn: the same, and today's
    /// deadline. The attempt that this call has taken from an allowance goes to the first who asks.
    [[nodiscard]] call_facts<key_type> nested() const noexcept {
        call_facts<key_type> inner;
        if constexpr (has_facts) inner = facts_.get();
        inner.deadline = deadline_;
        inner.has_attempt = !std::exchange(handed_on_, true);
        return inner;
    }

    /// For the operation: the attempt that is about to fail provably never reached the dependency,
    /// so repeating it is free of doubt. A retry may then repeat it once without counting it.
    void mark_not_sent() noexcept { not_sent_ = true; }
    [[nodiscard]] bool was_not_sent() const noexcept { return not_sent_; }

    // For policies.

    /// A timeout notes that the attempt failed after its deadline: with an error of its own, which
    /// stays the outcome.
    void mark_timed_out() noexcept { timed_out_ = attempt_; }
    [[nodiscard]] bool attempt_timed_out() const noexcept {
        return timed_out_ == attempt_ && attempt_ != 0;
    }

    /// Emits `make(origin)`, an event, if the pipeline's sink wants it; else reads no clock.
    template <class Event, class Make>
    [[gnu::always_inline]] void emit([[maybe_unused]] char const* policy,
                                     [[maybe_unused]] Make&& make) const noexcept {
        using sink = std::remove_reference_t<decltype(env_->sink())>;
        if constexpr (listens_to<sink, Event>)
            hawser::emit<Event>(env_->sink(), [&] {
                return std::forward<Make>(make)(event_origin{now(), policy, attempt_});
            });
    }

    /// Asks user code of a policy for an answer. What it throws becomes the call's outcome, which
    /// from then on votes neutral and is handled by nobody; the answer is then `otherwise`.
    template <class R, class Answer, class Ask>
    [[gnu::always_inline]] Answer ask(char const* policy, outcome<R>& out, Answer otherwise,
                                      Ask&& user_code) noexcept {
        if constexpr (noexcept(user_code())) {
            return user_code();
        } else {
            try {
                return user_code();
            } catch (...) {
                out.fail(std::current_exception());
                predicate_threw_ = true;
                emit<hawser::predicate_threw>(
                    policy, [](event_origin at) { return hawser::predicate_threw{at}; });
                return otherwise;
            }
        }
    }
    [[nodiscard]] bool predicate_threw() const noexcept { return predicate_threw_; }

private:
    friend detail::driver;

    /// Says that no time has been read. A clock that stands at its epoch is read each time.
    static constexpr time_point unread{};

    [[nodiscard]] bool stop_token_requested() const noexcept {
        if constexpr (has_facts)
            return facts_.get().stop.stop_requested();
        else
            return false;
    }

    /// Where the facts are; nothing, if there are none.
    struct facts_reference {
        facts_reference(Facts const& facts) noexcept : at{&facts} {}
        [[nodiscard]] Facts const& get() const noexcept { return *at; }
        Facts const* at;
    };
    struct no_reference {
        no_reference(Facts const&) noexcept {}
    };

    Environment const* env_;
    [[no_unique_address]] std::conditional_t<has_facts, facts_reference, no_reference> facts_;
    time_point deadline_ = no_deadline;
    mutable time_point now_ = unread;
    std::uint32_t attempt_ = 0;
    std::uint32_t timed_out_ = 0;  ///< The attempt that was, if any.
    stop_cause cause_ = stop_cause::none;
    bool not_sent_ = false;
    mutable bool handed_on_ = false;  ///< The attempt is that of a nested pipeline.
    bool predicate_threw_ = false;
};

namespace detail {

/// What a context has noted of its attempts. A part of the call that runs elsewhere, with a context
/// of its own, begins with them and brings them back.
struct call_notes {
    std::uint32_t attempts = 0;
    std::uint32_t timed_out = 0;
    bool not_sent = false;
    bool predicate_threw = false;
};

/// What only drivers may do to a context.
struct driver {
    template <class Call>
    static auto const& environment(Call const& call) noexcept {
        return *call.env_;
    }
    /// The operation or a wait has returned: the time that was read before is old.
    template <class Call>
    static void forget_now(Call& call) noexcept {
        call.now_ = Call::unread;
    }
    /// Takes the attempt that is to start out of the call's allowance; whether there is one.
    template <class Call>
    static bool take_attempt(Call& call) noexcept {
        if constexpr (Call::has_facts) {
            auto* const shared = call.allowance();
            if (shared != nullptr && !(call.facts().has_attempt && call.attempt_ == 0))
                return shared->try_take();
        }
        return true;
    }
    template <class Call>
    static void begin_attempt(Call& call) noexcept {
        ++call.attempt_;
        call.not_sent_ = call.handed_on_ = false;
    }
    template <class Call>
    static call_notes notes(Call const& call) noexcept {
        return {call.attempt_, call.timed_out_, call.not_sent_, call.predicate_threw_};
    }
    template <class Call>
    static void set_notes(Call& call, call_notes const& notes) noexcept {
        call.attempt_ = notes.attempts;
        call.timed_out_ = notes.timed_out;
        call.not_sent_ = notes.not_sent;
        call.predicate_threw_ = notes.predicate_threw;
    }
    template <class Call>
    static void set_deadline(Call& call, time_point deadline) noexcept {
        call.deadline_ = deadline;
    }
    template <class Call>
    static void set_cause(Call& call, stop_cause cause) noexcept {
        call.cause_ = cause;
    }
};

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_COMPOSE_CONTEXT_HPP
