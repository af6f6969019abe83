-- The room of a project (one or more shards that share its limits). All times are ms of Redis' clock, because the hosts'
-- clocks differ. A project's keys: its hash; starts (zset permit → ms); tokens (hash permit → `tokens|shard`, and `sum`); then
-- hash, quota and status of each shard. Needs `clock`.

-- Returns the quota's day, { name, begins, ends }; nil: the caller's clock is wrong by more than a day.
local function day_at(days, now)
  for _, day in ipairs(days) do
    if now >= day[2] and now < day[3] then return day end
  end
end

local function project_keys(keys, from, shard_count)
  local k = { project = keys[from], starts = keys[from + 1], tokens = keys[from + 2], shards = {} }
  for i = 0, shard_count - 1 do
    local first = from + 3 + 3 * i
    k.shards[i + 1] = { state = keys[first], quota = keys[first + 1], status = keys[first + 2] }
  end
  -- A key of another kind ends the script here, before its first write.
  redis.call('HLEN', k.project) redis.call('ZCARD', k.starts) redis.call('HLEN', k.tokens)
  for _, shard in ipairs(k.shards) do redis.call('HLEN', shard.state) end
  return k, from + 3 + 3 * shard_count
end

-- Returns the limit that the provider stated (`limit|until|day of the statement`) if it is lower and still valid, else the configured one.
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

-- Writes the two keys that other programs read. They expire when the quota's day ends: a missing key means a full day.
local function write_left(k, left, ends)
  for _, shard in ipairs(k.shards) do
    redis.call('SET', shard.quota, string.format('%d', left), 'PXAT', ends)
    redis.call('SET', shard.status, left > 0 and 'active' or 'exhausted', 'PXAT', ends)
  end
end

-- Reads the calls that are left today from the public keys, as far as they hold numbers. Of several shards the lowest counts.
local function read_left(k, kept_day, kept_left, full, day, counters)
  local left, garbage = full, false
  for _, shard in ipairs(k.shards) do
    for _, key in ipairs({ shard.quota, shard.status }) do
      -- Another program wrote it without an expiry on an earlier day.
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

local function tokens_of(kept) return tonumber(string.match(kept or '', '^%d+')) or 0 end

-- Removes a permit and subtracts its tokens from the sum. Returns whether the permit existed.
local function forget(k, id)
  local tokens = tokens_of(redis.call('HGET', k.tokens, id))
  if redis.call('ZREM', k.starts, id) == 0 then return false end
  redis.call('HDEL', k.tokens, id)
  redis.call('HINCRBY', k.tokens, 'sum', string.format('%d', -tokens)) -- '%d': Lua would write `-0`, which Redis refuses
  return true
end

local function forget_old(k, before)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', k.starts, '-inf', before)) do forget(k, id) end
end

-- Returns the instant of the start whose end frees the last of the wanted tokens.
local function freed_at(k, wanted, now)
  local starts = redis.call('ZRANGE', k.starts, 0, -1, 'WITHSCORES')
  for i = 1, #starts, 2 do
    wanted = wanted - tokens_of(redis.call('HGET', k.tokens, starts[i]))
    if wanted <= 0 then return tonumber(starts[i + 1]) end
  end
  return now
end

-- A librarian with another key than the shard has now asks again after so long: it may have been started just now.
local OTHER_KEY_MS = 5000

-- Returns a shard of the project whose key may be used now; else nil, the ms until one may be used, and the reason.
local function pick_shard(k, p, now, turn)
  local free, soonest, reason = {}, nil, 'excluded'
  for i, shard in ipairs(p.shards) do
    if shard[2] == 1 then
      local state = redis.call('HMGET', k.shards[i].state, 'closed_until', 'closed_reason', 'key')
      local wait = (tonumber(state[1]) or 0) - now
      if state[3] and shard[3] and shard[3] ~= '' and shard[3] ~= state[3] then
        if not soonest then soonest, reason = OTHER_KEY_MS, 'other-key' end
      elseif wait <= 0 then
        free[#free + 1] = shard[1]
      elseif not soonest or wait < soonest then
        soonest, reason = wait, state[2] or 'failing'
      end
    end
  end
  if #free > 0 then return free[turn % #free + 1] end
  return nil, soonest or 0, reason
end

-- Reads the room of one project. `view.delay`: 0 if a call of so many tokens may start now, else the ms until it may, for `view.reason`.
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

  forget_old(k, now - p.spacing)
  local count = redis.call('ZCARD', k.starts)
  if count >= view.rpm then
    local blocking = redis.call('ZRANGE', k.starts, count - view.rpm, count - view.rpm, 'WITHSCORES')
    close('minute', math.max(1, (tonumber(blocking[2]) or now) + p.spacing - now))
  end

  if tokens > view.tpm then
    view.delay, view.reason = 1, 'too-large'
    return view
  end
  local over = tonumber(redis.call('HGET', k.tokens, 'sum') or '0') + tokens - view.tpm
  if over > 0 then close('tokens', math.max(1, freed_at(k, over, now) + p.spacing - now)) end

  if p.pacing == 1 then close('pace', (tonumber(kept[5]) or 0) - now) end
  local wait, reason
  view.shard, wait, reason = pick_shard(k, p, now, count)
  if not view.shard then close(reason, math.max(1, wait)) end
  close(kept[4] or 'cooling', (tonumber(kept[3]) or 0) - now)
  if view.left <= 0 then close('day', day[3] - now) end
  return view
end
