-- What a project (one or more shards that share its limits) has room for. All times are ms of Redis' own clock: hosts'
-- clocks differ. A project's keys: hash, starts (zset permit → ms), tokens (hash permit → `tokens|shard`), then hash,
-- quota and status of each shard.

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The quota's day, { name, begins, ends }; nil where the caller's clock is more than a day off.
local function day_at(days, now)
  for _, day in ipairs(days) do
    if now >= day[2] and now < day[3] then return day end
  end
end

local function project_keys(keys, from, shard_count)
  local k = { project = keys[from], starts = keys[from + 1], tokens = keys[from + 2], shards = {} }
  for i = 0, shard_count - 1 do
    local at = from + 3 + 3 * i
    k.shards[i + 1] = { state = keys[at], quota = keys[at + 1], status = keys[at + 2] }
  end
  return k, from + 3 + 3 * shard_count
end

-- A limit the provider stated, `limit|until|day it was stated`, where it is lower and still believed.
local function limit_of(stated, configured, now)
  local limit, till = string.match(stated or '', '^(%d+)|(%d+)')
  if limit and tonumber(till) > now and tonumber(limit) < configured then return tonumber(limit) end
  return configured
end

local function string_at(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then return nil, false end
  return kind == 'string' and redis.call('GET', key) or '', true
end

-- Other programs read these two keys. They vanish when the quota's day ends: a missing key means a full day.
local function write_left(k, left, ends)
  for _, shard in ipairs(k.shards) do
    redis.call('SET', shard.quota, string.format('%d', left), 'PXAT', ends)
    redis.call('SET', shard.status, left > 0 and 'active' or 'exhausted', 'PXAT', ends)
  end
end

-- Calls left today: what the public keys say, as far as they say anything. The lowest counts where a project has several.
local function read_left(k, kept_day, kept_left, full, day, counters)
  local left, garbage = full, false
  for _, shard in ipairs(k.shards) do
    for _, key in ipairs({ shard.quota, shard.status }) do
      -- Written by another program, without an end, on a day that is over.
      if kept_day and kept_day ~= day[1] and redis.call('PTTL', key) == -1 then redis.call('DEL', key) end
    end
    local text, exists = string_at(shard.quota)
    local number = exists and tonumber(string.match(text, '^%s*(%-?%d+)%s*$'))
    if exists and not number then
      garbage = true
      number = kept_day == day[1] and tonumber(kept_left) or full
    end
    if number then left = math.max(0, math.min(left, number)) end
    if string_at(shard.status) == 'exhausted' then left = 0 end
  end
  if garbage then
    write_left(k, left, day[3])
    redis.call('HINCRBY', counters, 'shard_quota_repaired', 1)
  end
  return left, garbage
end

-- The shard of the project whose key may be used now, or how long until one may.
local function pick_shard(k, p, now, turn)
  local free, soonest, reason = {}, nil, 'excluded'
  for i, shard in ipairs(p.shards) do
    if shard[2] == 1 then
      local state = redis.call('HMGET', k.shards[i].state, 'closed_until', 'closed_reason')
      local wait = (tonumber(state[1]) or 0) - now
      if wait <= 0 then
        free[#free + 1] = shard[1]
      elseif not soonest or wait < soonest then
        soonest, reason = wait, state[2] or 'failing'
      end
    end
  end
  if #free > 0 then return free[turn % #free + 1] end
  return nil, soonest or 0, reason
end

-- Looks at one project. `view.delay` is 0 where a call of so many tokens may start now, else ms until it may, for `view.reason`.
local function look(k, p, tokens, day, now, counters)
  local kept = redis.call('HMGET', k.project, 'day', 'left', 'cool_until', 'cool_reason', 'pace_next', 'stated:day', 'stated:minute', 'stated:tokens')
  local view = {
    delay = 0, reason = '', rpm = limit_of(kept[7], p.rpm, now), tpm = limit_of(kept[8], p.tpm, now),
    full = limit_of(kept[6], p.rpd, now),
  }
  view.left, view.garbage = read_left(k, kept[1], kept[2], view.full, day, counters)
  if kept[1] ~= day[1] then
    redis.call('HSET', k.project, 'day', day[1], 'left', view.left)
    redis.call('HDEL', k.project, 'pace_next')
    kept[5] = nil
  end
  local function close(reason, delay)
    if delay > view.delay then view.delay, view.reason = delay, reason end
  end

  local old = redis.call('ZRANGEBYSCORE', k.starts, '-inf', now - p.spacing)
  if #old > 0 then
    redis.call('ZREM', k.starts, unpack(old))
    redis.call('HDEL', k.tokens, unpack(old))
  end
  local starts = redis.call('ZRANGE', k.starts, 0, -1, 'WITHSCORES')
  local count = #starts / 2
  local function leaves_in(at) return (tonumber(starts[2 * at]) or now) + p.spacing - now end
  if count >= view.rpm then close('minute', math.max(1, leaves_in(count - view.rpm + 1))) end

  local sum, weights = 0, {}
  for i = 1, count do
    weights[i] = tonumber(string.match(redis.call('HGET', k.tokens, starts[2 * i - 1]) or '', '^%d+')) or 0
    sum = sum + weights[i]
  end
  if tokens > view.tpm then
    view.delay, view.reason = 1, 'too-large'
    return view
  end
  local at = 0
  while sum + tokens > view.tpm and at < count do
    at = at + 1
    sum = sum - weights[at]
  end
  if at > 0 then close('tokens', math.max(1, leaves_in(at))) end

  if p.pacing == 1 then close('pace', (tonumber(kept[5]) or 0) - now) end
  local wait, reason
  view.shard, wait, reason = pick_shard(k, p, now, count)
  if not view.shard then close(reason, math.max(1, wait)) end
  close(kept[4] or 'cooling', (tonumber(kept[3]) or 0) - now)
  if view.left <= 0 then close('day', day[3] - now) end
  return view
end
