// SPDX-License-Identifier: BSL-1.0
//
//     source's thread      this thread                                  sink's thread
//       write ... TCP ... --> read --> [ channel ] --> receive --> turn --> write
//                              ^            |
//                              +--- tap ----+ watermarks
#include "transfer.hpp"

#include "memory.hpp"
#include "sink.hpp"
#include "source.hpp"
#include "tap.hpp"

#include <hawser/adapt/asio/co_channel.hpp>
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/run/buffered_channel.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace stream {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// [channel]
using chunk = std::vector<std::byte>;

/// A chunk weighs the memory that it takes, which need not be full.
struct memory_of {
    std::uint64_t operator()(chunk const& each) const noexcept { return each.capacity(); }
};

using chunks = hawser::buffered_channel<chunk, hawser::overflow::block, memory_of, turns>;

constexpr hawser::bounded_buffer_options bounded{.weight = bound,
                                                 .high_watermark = high,
                                                 .low_watermark = low,
                                                 .watermarks_in = hawser::depth_in::weight};
// [/channel]

/// Room for more chunks than ever wait, and watermarks that are never crossed.
constexpr hawser::bounded_buffer_options unbounded{.capacity = 2 * stop_at / chunk_size};

/// What is drawn closely: half a second in the middle, or all of a short transfer.
span drawn_closely(settings const& all, held_by what) {
    auto const expected = duration{static_cast<std::int64_t>(all.bytes * 1000 / all.rate)};
    if (what == held_by::nothing || expected < 1s) return {{}, 1s};
    return {expected / 2, expected / 2 + 500ms};
}

class transfer {
public:
    transfer(settings const& all, held_by what)
        : all_{all},
          what_{what},
          found_{drawn_closely(all, what)},
          file_{what == held_by::a_bound ? all.file : ""},
          source_log_{moved_, start_, {}, span_log{found_.drawn_closely}} {
        tcp::acceptor door{reader_context_, {asio::ip::address_v4::loopback(), 0}};
        source_.connect(door.local_endpoint());
        door.accept(socket_);
        found_.port = door.local_endpoint().port();
        found_.place = file_.place();
    }

    findings play(watcher const& told) {
        {
            std::jthread const watching{[&](std::stop_token const& stop) { watch(told, stop); }};
            std::jthread const sinking{[this] { sink(); }};
            std::jthread const sending{[this] { source(); }};
            asio::co_spawn(reader_context_, read_all(), [this](std::exception_ptr error) {
                read_error_ = std::move(error);
                chunks_.close();
                boost::system::error_code ignored;
                socket_.close(ignored);
            });
            reader_context_.run();
        }
        for (auto const& error : {sink_error_, read_error_, source_error_})
            if (error) std::rethrow_exception(error);
        return finish();
    }

private:
    [[nodiscard]] duration elapsed() const noexcept { return now() - start_; }

    // The source's thread.

    void source() {
        asio::co_spawn(source_context_, send_all(source_, all_.bytes, source_log_),
                       [this](std::exception_ptr error) {
                           source_error_ = std::move(error);
                           boost::system::error_code ignored;
                           source_.close(ignored);
                       });
        source_context_.run();
    }

    // The reader's, which is the caller's.

    // [reader]
    asio::awaitable<void> read_all() {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        while (!error && !stop_.stop_requested()) {
            if (tap_.is_off()) co_await pause();
            chunk next(chunk_size);
            auto const size = co_await asio::async_read(socket_, asio::buffer(next), token);
            if (size == 0) break;
            next.resize(size);
            count(size);
            auto const sent = co_await hawser::co_send(chunks_, std::move(next));
            if (!sent) break;  // The sink has given up.
        }
        if (error && error != asio::error::eof) throw boost::system::system_error{error};
    }
    // [/reader]

    asio::awaitable<void> pause() {
        auto const from = elapsed();
        co_await tap_.until_on();
        found_.pauses.add({from, elapsed()});
    }

    void count(std::size_t size) {
        moved_.received = found_.received += size;
        if (what_ == held_by::nothing && found_.received - moved_.written >= stop_at) {
            found_.stopped = true;
            stop_.request_stop();
        }
    }

    // The sink's thread.

    void sink() noexcept {
        try {
            write_all();
            found_.file_size = file_.size();
        } catch (...) {
            sink_error_ = std::current_exception();
        }
        found_.took = elapsed();
        chunks_.close();
        tap_.give_up();
    }

    void write_all() {
        hawser::rate_limit pace{{.rate = all_.rate * std::uint32_t{mega}, .burst = 16 * chunk_size},
                                hawser::wait_up_to{1min},
                                hawser::cost_by{[](auto const& call) noexcept {
                                    return static_cast<std::uint32_t>(call.key());
                                }}};
        auto const line = hawser::compose(hawser::borrow(pace));
        while (auto next = chunks_.receive()) {
            if (stop_.stop_requested()) return;
            hawser::call_facts<std::size_t> const facts{.key = next->size()};
            hawser::execute(line, facts, [&] { file_.write(*next); });
            found_.written.add(*next);
            moved_.written = found_.written.count();
        }
    }

    // The watching thread.

    /// Looks at the channel each millisecond, and at the process as often as makes a curve.
    void watch(watcher const& told, std::stop_token const& stop) {
        auto const thousandth = duration{static_cast<std::int64_t>(all_.bytes / all_.rate)};
        auto const every = what_ == held_by::nothing ? 5ms : std::max<duration>(10ms, thousandth);
        slice seen = begun({});
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(1ms);
            auto const at = elapsed();
            auto const deep = chunks_.snapshot().weight;
            seen.lowest = std::min(seen.lowest, deep);
            seen.highest = std::max(seen.highest, deep);
            found_.in_kernel = std::max(found_.in_kernel, in_kernel());
            if (span{at, at + 1ns}.meets(found_.drawn_closely))
                found_.closely.push_back({at, deep});
            if (at - seen.at < every) continue;
            seen.received = moved_.received;
            seen.memory = memory("VmRSS");
            found_.course.push_back(seen);
            told(seen);
            seen = begun(at);
        }
    }
    [[nodiscard]] static slice begun(duration at) { return {at, ~std::uint64_t{0}, 0, 0, 0}; }

    /// Sent and not received: read in this order, it is taken for no more than it is and a chunk
    /// that is being read.
    [[nodiscard]] std::uint64_t in_kernel() const noexcept {
        auto const sent = moved_.sent.load(), received = moved_.received.load();
        return sent - std::min(sent, received);
    }

    findings finish() {
        found_.sent = source_log_.sum;
        found_.waits = source_log_.waits;
        found_.channel = chunks_.snapshot();
        found_.memory_peak = memory("VmHWM");
        return std::move(found_);
    }

    settings const& all_;
    held_by what_;
    time_point start_ = now();
    progress moved_;
    findings found_;
    output_file file_;
    asio::io_context source_context_{1}, reader_context_{1};
    tcp::socket source_{source_context_}, socket_{reader_context_};
    tap tap_{reader_context_};
    chunks chunks_{what_ == held_by::a_bound ? bounded : unbounded, {}, {}, {tap_}};
    source_log source_log_;
    std::stop_source stop_;
    std::exception_ptr source_error_, read_error_, sink_error_;
};

}  // namespace

findings play(settings const& all, held_by what, watcher const& told) {
    auto const before = memory("VmRSS");
    transfer one{all, what};
    auto found = one.play(told);
    found.memory_before = before;
    return found;
}

}  // namespace stream
