// SPDX-License-Identifier: BSL-1.0
//
// How do calls that return error codes pass through a pipeline?
//
// Output:
//     std: isolated by an operator
//     boost: isolated by an operator
//     result: Connection refused
#include <hawser/adapt/boost_system.hpp>
#include <hawser/adapt/std_error_code.hpp>
#include <hawser/hawser.hpp>

#include <cstdio>
#include <system_error>

int main() {
    hawser::circuit_breaker disk{{.name = "disk"}};
    auto const line = hawser::compose(hawser::borrow(disk));

    // [codes]
    disk.isolate();
    std::error_code const standard = hawser::execute(line, []() -> std::error_code { return {}; });
    boost::system::error_code const boost_code =
        hawser::execute(line, []() -> boost::system::error_code { return {}; });

    bool const refused =
        standard == hawser::errc::isolated && boost_code == hawser::errc::isolated &&
        standard == std::errc::resource_unavailable_try_again;  // What a caller would test for.
    // [/codes]
    std::printf("std: %s\nboost: %s\n", standard.message().c_str(), boost_code.message().c_str());

    // [result]
    disk.reset();
    namespace sys = boost::system;
    sys::result<double> const price = hawser::execute(line, []() -> sys::result<double> {
        return sys::errc::make_error_code(sys::errc::connection_refused);
    });
    // [/result]
    std::printf("result: %s\n", price.error().message().c_str());
    return refused && disk.snapshot().rules[0].hits == 1 ? 0 : 1;
}
