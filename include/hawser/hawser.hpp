// SPDX-License-Identifier: BSL-1.0
//
// Pipelines, and every policy that needs nothing but the standard library. Channels and flows have
// headers of their own, in hawser/run.
#ifndef HAWSER_HAWSER_HPP
#define HAWSER_HAWSER_HPP

#include <hawser/compose/execute.hpp>
#include <hawser/policy/admission_control.hpp>
#include <hawser/policy/bulkhead.hpp>
#include <hawser/policy/circuit_breaker.hpp>
#include <hawser/policy/concurrency_limit.hpp>
#include <hawser/policy/fallback.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/throttle.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/version.hpp>

#endif  // HAWSER_HAWSER_HPP
