// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

namespace overload {

/// Its deadline is the end of what it works on.
class server::worker final : public hawser::timed_event {
public:
    explicit worker(server& home) noexcept : home_{home} {}

    void begin(std::unique_ptr<request> next) {
        at_work_on_ = std::move(next);
        auto const end =
            hawser::add_saturating(home_.time_.now(), home_.work_of(at_work_on_->number()));
        home_.deadlines_.schedule(*this, end);
    }

private:
    void deadline_reached() noexcept override {
        auto const done = std::move(at_work_on_);
        done->answer({});
        --home_.busy_;
        home_.idle_.push_back(this);
        home_.serve();
    }
    void deadline_dropped() noexcept override {}

    server& home_;
    std::unique_ptr<request> at_work_on_;
};

server::server(boost::asio::io_context& io, hawser::testing::asio_time& time, scene const& played)
    : io_{io},
      time_{time},
      deadlines_{boost::asio::use_service<hawser::testing::manual_deadlines>(io)},
      played_{played},
      start_{time.now()} {
    for (std::uint32_t i = 0; i < played.all.workers; ++i) {
        workers_.push_back(std::make_unique<worker>(*this));
        idle_.push_back(workers_.back().get());
    }
}

server::~server() {
    for (auto const& each : workers_) deadlines_.cancel(*each);
}

void server::take(std::unique_ptr<request> next) {
    if (queue_.size() >= played_.all.backlog)
        return next->answer(boost::asio::error::connection_refused);
    queue_.push_back(std::move(next));
    serve();
}

void server::serve() {
    while (!idle_.empty() && !queue_.empty()) {
        auto* const next = idle_.back();
        idle_.pop_back();
        ++busy_;
        auto first = std::move(queue_.front());
        queue_.pop_front();
        next->begin(std::move(first));
    }
}

duration server::work_of(std::uint64_t number) const noexcept {
    auto const& all = played_.all;
    auto const full_speed =
        all.least + exponential(seconds(all.more), hawser::random_at(played_.seed, number));
    auto const speed = played_.story.at(time_.now() - start_).speed;
    return duration{std::llround(static_cast<double>(full_speed.count()) / speed)};
}

}  // namespace overload
