// SPDX-License-Identifier: BSL-1.0
//
// The decision of a shared rate limit, as the script that a Redis server runs: one round trip, one
// clock, no other command in between.
//
// Each limit is a bucket whose state is one instant of the server's clock: when the bucket is full
// again. Taking tokens moves it on by what they cost; what would move it further ahead of now than
// the whole bucket is refused. (GCRA, the Generic Cell Rate Algorithm, ITU-T Recommendation I.371.)
//
//     key                              holds                          expires
//     {prefix}:limit:<number>:<key>    microsecond, part, parts, top  when the bucket is full
//     {prefix}:client:<id>             number of its last grant       a minute after it
//     {prefix}:leases                  per node: share and its end    with the last one forgotten
//     {prefix}:generation              when it began, when emptied    a day after its last renewal
//
// The prefix in braces is the keys' hash tag, so that all of them stand in one slot of a cluster.
#ifndef HAWSER_ADAPT_REDIS_GCRA_SCRIPT_HPP
#define HAWSER_ADAPT_REDIS_GCRA_SCRIPT_HPP

#include <string_view>

namespace hawser::inline v0::detail {

/// How many arguments precede those of the limits, of which each has five.
inline constexpr int gcra_arguments = 6;

/// Decides on one request: all of its limits grant, or none is charged.
///
///     KEYS  generation, client, leases, then one for each limit
///     ARGV  1 number of the request, which a client counts up, and repeats to ask again
///           2 generation that the client knows, or 0
///           3 node   4 length of its lease in microseconds, or 0 for no renewal
///           5 all shares together   6 least share, in millionths
///           then for each limit: cost and its part, capacity and its part, parts in a microsecond
///     reply 1 or 0 for granted; microseconds to wait; generation; share or 0; nodes;
///           then for each limit the microseconds until it is full, and their part
///
/// A refusal writes nothing of the limits, unless the clock was set back. Errors of its own begin
/// with HAWSER, and charge nothing.
///
/// Needs Redis 5, the first to replicate what a script did and not the script.
inline constexpr std::string_view gcra_script = R"lua(
local limit = 9007199254740992
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
-- tostring writes 14 digits, and an instant has 16.
local function text(number) return string.format('%.0f', number) end
local number, known = tonumber(ARGV[1]), tonumber(ARGV[2])

-- A copy that was stuck on the way, while the client asked again and went on, charges nothing.
local answered = tonumber(redis.call('GET', KEYS[2]) or 0)
if number < answered then return redis.error_reply('HAWSER a late copy') end
local again = number == answered

-- A client that knows another generation than the server has seen buckets that are gone. What they
-- held is not known, so every bucket without a key counts as empty from now on.
local mark = redis.call('GET', KEYS[1])
local generation, emptied, marked = now, 0, false
if mark then
    generation, emptied = string.match(mark, '^(%d+) (%d+)$')
    if not generation then return redis.error_reply('HAWSER not a generation') end
    generation, emptied, marked = tonumber(generation), tonumber(emptied), true
end
if known ~= 0 and known ~= generation and emptied == 0 then emptied, marked = now, false end

local wait, buckets = 0, {}
for i = 4, #KEYS do
    local at = 7 + 5 * (i - 4)
    local cost, cost_part = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local room, room_part = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local parts = tonumber(ARGV[at + 4])
    if now + room + cost >= limit or 2 * parts >= limit then
        return redis.error_reply('HAWSER a number over 2^53')
    end
    if again then cost, cost_part = 0, 0 end

    local us, part, top, back = 0, 0, room + math.min(room_part, 1), false
    local held = redis.call('GET', KEYS[i])
    if held then
        local whole, rest, of, high = string.match(held, '^(%d+) (%d+) (%d+) (%d+)$')
        if not whole then return redis.error_reply('HAWSER not a bucket') end
        us, part, top = tonumber(whole), tonumber(rest), math.max(top, tonumber(high))
        -- Left by a limit of another rate: its parts are others.
        if part > 0 and tonumber(of) ~= parts then us, part = us + 1, 0 end
    elseif emptied > 0 then
        us, part = emptied + room, room_part
    end
    if us < now then us, part = now, 0 end
    -- Further ahead than an empty bucket, of whoever wrote it: the clock was set back. Empty it is.
    if us - now > top then us, part, back = now + top, 0, true end

    local to, to_part = us + cost, part + cost_part
    if to_part >= parts then to, to_part = to + 1, to_part - parts end
    local over, over_part = to - now - room, to_part - room_part
    if over_part < 0 then over, over_part = over - 1, over_part + parts end
    if over_part > 0 then over = over + 1 end
    if over > wait then wait = over end
    buckets[i] = {us = us, part = part, to = to, to_part = to_part, parts = parts, top = top,
                  back = back}
end

if not marked then
    redis.call('SET', KEYS[1], text(generation) .. ' ' .. text(emptied), 'PX', 86400000)
end

local share, nodes, length = 0, 0, tonumber(ARGV[4])
if length > 0 then
    local total, least, given = tonumber(ARGV[5]), tonumber(ARGV[6]), 0
    nodes = 1
    local leases = redis.call('HGETALL', KEYS[3])
    for i = 1, #leases, 2 do
        if leases[i] ~= ARGV[3] then
            local other, ends = string.match(leases[i + 1], '^(%d+) (%d+)$')
            other, ends = tonumber(other), tonumber(ends)
            if ends > now then
                given, nodes = given + other, nodes + 1
            elseif ends + 10 * length > now then
                -- It may still be there, unable to come here, and then it admits the least share.
                given = given + math.min(other, least)
            else
                redis.call('HDEL', KEYS[3], leases[i])
            end
        end
    end
    -- A node that is alone gets half: another may be about to come.
    share = math.min(math.floor(total / math.max(nodes, 2)), total - given)
    share = math.max(share, least)
    redis.call('HSET', KEYS[3], ARGV[3], text(share) .. ' ' .. text(now + length))
    redis.call('PEXPIRE', KEYS[3], text(math.ceil(length * 11 / 1000) + 1))
    redis.call('PEXPIRE', KEYS[1], 86400000)
end

local granted = wait == 0
local answer = {granted and 1 or 0, wait, generation, share, nodes}
for i = 4, #KEYS do
    local bucket = buckets[i]
    local us, part = bucket.us, bucket.part
    if granted then us, part = bucket.to, bucket.to_part end
    if (granted and not again) or bucket.back then
        -- Never before the bucket is full, and never in no time: then it would not be kept at all.
        local life = math.ceil((us + 1 - now) / 1000) + 1
        redis.call('SET', KEYS[i], text(us) .. ' ' .. text(part) .. ' ' .. text(bucket.parts) ..
                   ' ' .. text(bucket.top), 'PX', text(life))
    end
    answer[#answer + 1] = us - now
    answer[#answer + 1] = part
end
if granted and not again then redis.call('SET', KEYS[2], text(number), 'PX', 60000) end
return answer
)lua";

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_REDIS_GCRA_SCRIPT_HPP
