// SPDX-License-Identifier: BSL-1.0
#include "client.hpp"
#include "server.hpp"

#include <exception>

namespace flaky {
namespace {

answer answer_of(http_reply const& reply) noexcept {
    return reply.status == 200 ? answer::fresh : answer::failed;
}

class plain_client final : public client {
public:
    answer ask(blocking_connection& connection, price_call const& call) override {
        try {
            return answer_of(connection.get(target_of({call.number}), call.deadline));
        } catch (std::exception const&) {
            return answer::failed;
        }
    }

    asio::awaitable<answer> ask_async(connection_pool& pool, price_call const& call) override {
        try {
            co_return answer_of(co_await pool.get(target_of({call.number}), call.deadline));
        } catch (std::exception const&) {
            co_return answer::failed;
        }
    }
};

}  // namespace

std::unique_ptr<client> make_plain_client() { return std::make_unique<plain_client>(); }

}  // namespace flaky
