// SPDX-License-Identifier: BSL-1.0
//
// A context is destroyed, whatever its operations are at: each handler is destroyed once, by the
// thread that does so, no value is lost, and who waits elsewhere is told.
#include <hawser/adapt/asio/channel.hpp>
#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>

#include "support/catch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using hawser::async_receive;
using hawser::async_send;
using hawser::channel;

namespace {

/// A handler that says what became of it.
struct fate {
    int invoked = 0;
    int destroyed = 0;  ///< Without having been invoked.
    [[nodiscard]] int ended() const { return invoked + destroyed; }
};
class noted {
public:
    explicit noted(fate& to) : to_{&to} {}
    noted(noted&& other) noexcept : to_{std::exchange(other.to_, nullptr)} {}
    noted& operator=(noted&&) = delete;
    ~noted() {
        if (to_ != nullptr) ++to_->destroyed;
    }
    template <class... Arguments>
    void operator()(Arguments&&...) {
        ++std::exchange(to_, nullptr)->invoked;
    }

private:
    fate* to_;
};

struct length {
    std::uint64_t operator()(std::string const& text) const noexcept { return text.size(); }
};

/// Memory that is its handler's, and knows whether it was outlived.
struct arena {
    explicit arena(bool& was_outlived) : outlived{was_outlived} {}
    arena(arena const&) = delete;
    arena& operator=(arena const&) = delete;
    ~arena() { outlived = live != 0; }
    bool& outlived;
    int live = 0;
};
template <class T>
struct of_arena {
    using value_type = T;
    explicit of_arena(arena* from) : in{from} {}
    template <class U>
    of_arena(of_arena<U> const& other) : in{other.in} {}
    T* allocate(std::size_t count) {
        ++in->live;
        return static_cast<T*>(::operator new(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t) {
        --in->live;
        ::operator delete(memory);
    }
    bool operator==(of_arena const&) const = default;
    arena* in;
};
struct owns_its_memory {
    using allocator_type = of_arena<char>;
    std::shared_ptr<arena> memory;
    [[nodiscard]] allocator_type get_allocator() const noexcept {
        return allocator_type{memory.get()};
    }
    template <class... Arguments>
    void operator()(Arguments&&...) const {}
};

/// Destroys what it is given, once it is told to.
struct losing_executor {
    asio::io_context::executor_type inner;
    bool* loses;

    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept {
        return inner.context();
    }
    [[nodiscard]] losing_executor require(asio::execution::blocking_t::never_t) const {
        return *this;
    }
    template <class Function>
    void execute(Function function) const {
        if (!*loses) inner.execute(std::move(function));
    }
    bool operator==(losing_executor const&) const = default;
};

struct full_slot {
    static bool is_connected() noexcept { return true; }
    template <class Handler, class... Arguments>
    Handler& emplace(Arguments&&...) {
        throw std::bad_alloc{};
    }
    void clear() noexcept {}
};

}  // namespace

TEST_CASE("async channel teardown: who is told by one that is dropped may be of its context too") {
    fate on_context, elsewhere;
    channel<int> ints{{.capacity = 4}};
    asio::io_context other;
    {
        asio::io_context context;
        for (int each = 0; each != 5; ++each)
            async_receive(ints, context.get_executor(), noted{on_context});
        async_receive(ints, other.get_executor(), noted{elsewhere});
        context.poll();
        other.poll();
        REQUIRE(ints.try_send(1));
    }
    CHECK(on_context.destroyed == 5);
    other.run();
    CHECK(elsewhere.invoked == 1);
    CHECK(ints.size() == 0);
}

TEST_CASE("async channel teardown: on a strand that is newer than the first operation") {
    fate first, on_strand;
    channel<int> ints{{.capacity = 4}}, others{{.capacity = 1}};
    {
        asio::io_context context;
        async_receive(others, context.get_executor(), noted{first});
        context.poll();
        auto const strand = asio::make_strand(context);
        for (int each = 0; each != 4; ++each) async_receive(ints, strand, noted{on_strand});
        context.poll();
        REQUIRE(ints.try_send(1));
    }
    CHECK(first.destroyed == 1);
    CHECK(on_strand.destroyed == 4);
    CHECK(ints.core().waiting_now().receivers == 0);
    CHECK(*ints.try_receive() == 1);
}

TEST_CASE("async channel teardown: who waits goes before a strand shuts down, however new it is") {
    struct named {
        named(std::string& in, char as) : order{&in}, name{as} {}
        named(named&& other) noexcept
            : order{std::exchange(other.order, nullptr)}, name{other.name} {}
        named& operator=(named&&) = delete;
        ~named() {
            if (order != nullptr) *order += name;
        }
        void operator()(error_code, int) const {}
        std::string* order;
        char name;
    };
    std::string order;
    channel<int> ints{{.capacity = 1}}, others{{.capacity = 1}};
    {
        asio::io_context context;
        async_receive(ints, context.get_executor(), named{order, 'w'});
        context.poll();
        async_receive(others, asio::make_strand(context), named{order, 't'});
        context.poll();
        REQUIRE(others.try_send(1));  // Its message is on the strand.
    }
    CHECK(order == "wt");
}

TEST_CASE("async channel teardown: what an executor of one's own loses is kept for its context") {
    constexpr int many = 20'000;  // Told one inside the other, they would overflow the stack.
    fate waiting;
    bool loses = false;
    channel<int> ints{{.capacity = 4}};
    {
        asio::io_context context;
        losing_executor const executor{context.get_executor(), &loses};
        for (int each = 0; each != many; ++each) async_receive(ints, executor, noted{waiting});
        context.poll();
        loses = true;
        REQUIRE(ints.try_send(1));
        CHECK(waiting.ended() == 0);
        REQUIRE(ints.core().waiting_now().receivers == many - 1);
    }
    CHECK(waiting.destroyed == many);
    CHECK(*ints.try_receive() == 1);
}

TEST_CASE("async channel teardown: what watches a channel may call it, and tell others there") {
    struct drains {
        using channel_type =
            hawser::buffered_channel<std::string, hawser::overflow::block, length, drains>;
        channel_type** texts;
        asio::cancellation_signal* signal;
        void operator()(bool high) const noexcept {
            signal->emit(asio::cancellation_type::terminal);
            if (high) (void)(*texts)->try_receive();
        }
    };
    drains::channel_type* self = nullptr;
    asio::cancellation_signal signal;
    drains::channel_type texts{{.weight = 6,
                                .high_watermark = 6,
                                .low_watermark = 1,
                                .watermarks_in = hawser::depth_in::weight},
                               {},
                               {},
                               {&self, &signal}};
    self = &texts;
    fate senders;
    REQUIRE(texts.try_send("four"));
    {
        asio::io_context context;
        async_send(texts, context.get_executor(), "heavy!",
                   asio::bind_cancellation_slot(signal.slot(), noted{senders}));
        for (auto const* text : {"xx", "cccc"})
            async_send(texts, context.get_executor(), text, noted{senders});
        context.poll();
        REQUIRE(texts.core().waiting_now().senders == 3);
    }  // The first is dropped, the second gets in; that is told, and the third gets in.
    CHECK(senders.destroyed == 3);
    CHECK(*texts.try_receive() == "xx");
    CHECK(*texts.try_receive() == "cccc");
    CHECK(texts.try_receive().what() == hawser::transfer::would_wait);
}

TEST_CASE("async channel teardown: a handler that is destroyed may cancel one that waits still") {
    struct cancels {
        explicit cancels(asio::cancellation_signal& of) : signal{&of} {}
        cancels(cancels&& other) noexcept : signal{std::exchange(other.signal, nullptr)} {}
        cancels& operator=(cancels&&) = delete;
        ~cancels() {
            if (signal != nullptr) signal->emit(asio::cancellation_type::all);
        }
        void operator()(error_code, int) const {}
        asio::cancellation_signal* signal;
    };
    fate waits, elsewhere;
    asio::cancellation_signal signal;
    channel<int> ints{{.capacity = 1}};
    asio::io_context other;
    {
        asio::io_context context;
        async_receive(ints, context.get_executor(), cancels{signal});
        async_receive(ints, context.get_executor(),
                      asio::bind_cancellation_slot(signal.slot(), noted{waits}));
        async_receive(ints, other.get_executor(), noted{elsewhere});
        context.poll();
        other.poll();
    }
    CHECK(waits.destroyed == 1);
    CHECK(ints.core().waiting_now().receivers == 1);
    REQUIRE(ints.try_send(1));
    other.run();
    CHECK(elsewhere.invoked == 1);
}

TEST_CASE("async channel teardown: a handler's own memory is given back before the handler goes") {
    bool outlived = false;
    channel<int> ints{{.capacity = 1}};
    SECTION("of one that waits") {
        asio::io_context context;
        async_receive(ints, context.get_executor(),
                      owns_its_memory{std::make_shared<arena>(outlived)});
        context.poll();
    }
    SECTION("of one that was told") {
        asio::io_context context;
        async_receive(ints, context.get_executor(),
                      owns_its_memory{std::make_shared<arena>(outlived)});
        context.poll();
        REQUIRE(ints.try_send(1));
    }
    SECTION("of one that completes") {
        asio::io_context context;
        async_receive(ints, context.get_executor(),
                      owns_its_memory{std::make_shared<arena>(outlived)});
        REQUIRE(ints.try_send(1));
        context.run();
    }
    CHECK_FALSE(outlived);
}

TEST_CASE("async channel teardown: an operation started while the context goes goes with it") {
    struct starts {
        explicit starts(channel<int>& of, asio::io_context& on, fate& note)
            : from{&of}, context{&on}, next{&note} {}
        starts(starts&& other) noexcept
            : from{std::exchange(other.from, nullptr)}, context{other.context}, next{other.next} {}
        starts& operator=(starts&&) = delete;
        ~starts() {
            if (from != nullptr) async_receive(*from, context->get_executor(), noted{*next});
        }
        void operator()() const {}
        channel<int>* from;
        asio::io_context* context;
        fate* next;
    };
    fate next;
    channel<int> ints{{.capacity = 1}};
    {
        asio::io_context context;  // Which has nothing of a channel yet.
        asio::post(context, starts{ints, context, next});
    }
    CHECK(next.destroyed == 1);
    CHECK(ints.core().waiting_now().receivers == 0);
}

TEST_CASE("async channel teardown: a slot that cannot be connected leaves nothing behind") {
    fate waits;
    channel<int> ints{{.capacity = 1}};
    asio::io_context context;
    CHECK_THROWS_AS(async_receive(ints, context.get_executor(),
                                  asio::bind_cancellation_slot(full_slot{}, noted{waits})),
                    std::bad_alloc);
    CHECK(waits.destroyed == 1);
}

namespace {

/// Random operations on two contexts, with and without a strand, one of which is destroyed at the
/// end of each; all that is known of each value.
class world {
public:
    world(std::uint32_t seed, std::size_t capacity) : random_{seed}, ints_{{.capacity = capacity}} {
        for (auto& context : contexts_) start(context);
    }

    void step() {
        auto const where = random_() % 2;
        auto& at = contexts_[where];
        switch (random_() % 9) {
            case 0:
            case 1: receive(at); break;
            case 2:
            case 3: send(at); break;
            case 4: (void)at.io->poll_one(); break;
            case 5: at.io->poll(); break;
            case 6:
                if (auto const got = ints_.try_receive()) take(*got);
                break;
            case 7: {
                auto const value = ++last_;
                if (ints_.try_send(value)) sent_.insert(value);
                break;
            }
            default: at.signal->emit(asio::cancellation_type::terminal); break;
        }
        for (auto& context : contexts_) context.io->restart();
    }
    void destroy_one() {
        auto& at = contexts_[random_() % 2];
        at.executor.reset();
        at.io.reset();
        at.signal.reset();
        start(at);
    }
    void check() {
        for (auto& context : contexts_) context.io->poll();
        ints_.close();
        none_.close();
        while (auto const got = ints_.try_receive()) take(*got);
        for (auto& context : contexts_) {
            context.io->restart();
            context.io->run();
        }
        CHECK(handlers_.ended() == started_);
        CHECK(twice_ == 0);
        for (int const value : sent_) CHECK((taken_.count(value) == 1 || with_context_ > 0));
        auto const waiting = ints_.core().waiting_now();
        CHECK(waiting.receivers + waiting.senders == 0);
    }
    /// Without capacity a value in a receiver's hand goes with its context.
    void loses_what_is_in_hand() { with_context_ = 1; }

private:
    struct place {
        std::optional<asio::io_context> io;
        std::optional<asio::any_io_executor> executor;
        std::optional<asio::cancellation_signal> signal;
    };
    void start(place& at) {
        at.executor.reset();
        at.io.emplace(1);
        at.signal.emplace();
        if (random_() % 2 == 0) {
            ++started_;
            async_receive(none_, at.io->get_executor(), noted{handlers_});
        }
        if (random_() % 2 == 0)
            at.executor.emplace(asio::make_strand(*at.io));
        else
            at.executor.emplace(at.io->get_executor());
    }
    void take(int value) {
        if (!taken_.insert(value).second) ++twice_;
    }
    template <class Handler>
    auto with_slot(place& at, Handler&& handler) {
        auto const slot = random_() % 2 == 0 ? at.signal->slot() : asio::cancellation_slot{};
        return asio::bind_cancellation_slot(slot, std::forward<Handler>(handler));
    }

    void receive(place& at) {
        ++started_;
        auto handler = [this, note = noted{handlers_}](error_code error, int value) mutable {
            note();
            if (!error) take(value);
        };
        async_receive(ints_, *at.executor, with_slot(at, std::move(handler)));
    }
    void send(place& at) {
        ++started_;
        auto const value = ++last_;
        auto handler = [this, value, note = noted{handlers_}](error_code error) mutable {
            note();
            if (!error) sent_.insert(value);
        };
        async_send(ints_, *at.executor, value, with_slot(at, std::move(handler)));
    }
    std::minstd_rand random_;
    channel<int> ints_, none_{{.capacity = 1}};
    fate handlers_;
    int started_ = 0, last_ = 0, twice_ = 0, with_context_ = 0;
    std::set<int> sent_, taken_;
    place contexts_[2];
};

}  // namespace

TEST_CASE("async channel teardown: at any moment no value is lost and each handler ends once") {
    for (std::uint32_t seed = 1; seed != 1'500; ++seed) {
        INFO("seed " << seed);
        std::size_t const capacity = seed % 4;
        world all{seed, capacity};
        if (capacity == 0) all.loses_what_is_in_hand();
        for (int life = 0; life != 4; ++life) {
            for (int step = 0; step != 30; ++step) all.step();
            all.destroy_one();
        }
        all.check();
    }
}
