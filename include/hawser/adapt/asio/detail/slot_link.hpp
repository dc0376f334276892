// SPDX-License-Identifier: BSL-1.0
//
// The handler that a call leaves in its caller's cancellation slot.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_SLOT_LINK_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_SLOT_LINK_HPP

#include <boost/asio/cancellation_type.hpp>

namespace hawser::inline v0::detail {

/// The call's end of it. Call and signal know of each other, so that either may be destroyed first:
/// a destroyed call is not cancelled, and the slot of a destroyed signal is not cleared.
///
/// Thread safety: none; a signal is emitted where the call's handlers run.
template <class Call>
class slot_link {
public:
    slot_link() = default;
    slot_link(slot_link const&) = delete;
    slot_link& operator=(slot_link const&) = delete;
    ~slot_link() {
        if (handler_ != nullptr) handler_->link = nullptr;
    }

    /// From now on, `call.cancel_requested(type)` whenever the signal is emitted.
    template <class Slot>
    void connect(Slot slot, Call& call) {
        if (slot.is_connected()) slot.template emplace<slot_handler>(*this, call);
    }
    /// Leaves the slot empty, if it is still there.
    template <class Slot>
    void disconnect(Slot slot) noexcept {
        if (handler_ != nullptr) slot.clear();
    }

private:
    struct slot_handler {
        slot_handler(slot_link& at, Call& to) noexcept : link{&at}, call{to} { at.handler_ = this; }
        slot_handler(slot_handler const&) = delete;
        slot_handler& operator=(slot_handler const&) = delete;
        ~slot_handler() {
            if (link != nullptr) link->handler_ = nullptr;
        }
        void operator()(boost::asio::cancellation_type type) {
            if (link != nullptr) call.cancel_requested(type);
        }

        slot_link* link;
        Call& call;
    };

    slot_handler* handler_ = nullptr;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_SLOT_LINK_HPP
