-- The limits of one key and model: a bucket each for requests, input tokens and output tokens, which refills evenly. `limit`
-- a minute and `cap`, the most that it holds, come from the provider's answers; `level` is what a call may use now, without
-- what calls under way have reserved. A bucket without `limit` is unlimited. `own` holds such buckets for what the model's row allows,
-- and how many calls at once. All times are ms of Redis' clock. Needs `clock`.
local KINDS = { 'requests', 'input', 'output' }
local DAY_MS = 86400000

-- The buckets with a limit, each with its kind.
local function limited(s)
  local list = {}
  for _, kind in ipairs(KINDS) do
    if s[kind].limit then list[#list + 1] = { s[kind], kind } end
    if s.own and s.own[kind] then list[#list + 1] = { s.own[kind], kind } end
  end
  return list
end

-- Takes in the limits of the model's row. `cap` and `rate` are chosen so that no span of a minute has more than `limit`: who wrote
-- the row may mean a provider that counts so. Levels stay.
local function take_row(s, own)
  local before = s.own or {}
  s.own = { concurrent = own.concurrent }
  for _, kind in ipairs(KINDS) do
    local limit = own[kind]
    if limit then
      local bucket = before[kind] or { used = 0, level = limit / 7 }
      bucket.limit, bucket.cap, bucket.rate = limit, limit / 7, limit * 6 / 7
      bucket.level = math.min(bucket.cap, bucket.level)
      s.own[kind] = bucket
    end
  end
end

local function rate_of(bucket)
  return bucket.rate or bucket.limit
end

local function refill(s, now)
  local ms = math.max(0, now - s.at)
  -- Output is counted as it comes: until then the provider's bucket is fuller than `level` by what is reserved, and full sooner.
  local reserved = { requests = 0, input = 0, output = 0 }
  for _, process in pairs(s.processes) do reserved.output = reserved.output + process.flying[3] end
  for _, kind in ipairs(KINDS) do
    local bucket = s[kind]
    if bucket.limit then
      local most = math.max(bucket.level, bucket.cap - reserved[kind])
      bucket.level = math.min(bucket.cap, most, bucket.level + bucket.limit * ms / 60000)
    end
    bucket.used = bucket.used * math.exp(-ms / 60000) -- of the last minute, smoothed: for the status
    local own = s.own and s.own[kind]
    if own then
      own.level = math.min(own.cap, own.level + own.rate * ms / 60000)
      own.used = own.used * math.exp(-ms / 60000)
    end
  end
  s.at = math.max(now, s.at)
end

local function debit(s, kind, amount)
  for _, bucket in ipairs({ s[kind], s.own and s.own[kind] }) do
    bucket.used = bucket.used + amount
    if bucket.limit then bucket.level = math.min(bucket.cap, bucket.level - amount) end
  end
end

-- Takes in what an answer stated: { limit, remaining, age of the answer in ms, what its own call took }. The provider may or may
-- not have counted the calls under way (`flying`), so its level is known only within that range; a level outside of it is moved.
local function observe(s, kind, seen, flying, now)
  local bucket, limit = s[kind], seen[1]
  if limit <= 0 then return end
  local level = seen[2] + limit * seen[3] / 60000
  local own = s.prompt and seen[4] or seen[4] / 2 -- until a call has ended, its prompt's tokens are only bounded
  local most = math.min(limit, seen[2] + own)
  -- What remains of tokens is rounded to the nearest thousand. https://platform.claude.com/docs/en/api/rate-limits
  local rounded = kind ~= 'requests' and seen[2] % 1000 == 0 and 500 or 0
  if not bucket.limit then
    bucket.limit, bucket.cap, bucket.level = limit, math.max(most, limit / 60), level - rounded - flying
    return
  end
  if limit ~= bucket.limit then bucket.cap, bucket.limit = bucket.cap * limit / bucket.limit, limit end
  if level + rounded < bucket.level then
    bucket.level = level + rounded -- another program uses the key, or a call took more than it had reserved
  elseif s.distrust <= now then
    bucket.cap = math.max(bucket.cap, most)
    if level - rounded > bucket.level + flying then bucket.level = level - rounded - flying end
  end
  bucket.level = math.min(bucket.cap, bucket.level)
end

-- The mean of a measure, newer calls weighted more: `sum` over `count` further calls. @param keep weight of the old mean
-- against one further call
local function mix(old, sum, count, keep)
  if not old then return sum / count end
  local weight = math.pow(keep or 0.85, count)
  return old * weight + sum / count * (1 - weight)
end

-- What a call will take of each bucket. An ask is { 1 begun | 2 fresh, bound of its prompt's tokens, most output tokens }; how
-- much of its prompt counts (the rest is read from the cache), and how much a reply has, is learned.
local function cost_of(s, ask)
  return {
    requests = 1,
    input = math.ceil(ask[2] * (s.share[tostring(ask[1])] or s.share['1'] or s.share['2'] or 1)),
    output = math.ceil(math.min(ask[3], s.reply)),
  }
end

-- Kept back in a bucket: a second's worth, because requests arrive late; and the usual error of the costs above.
local function margin_of(s, bucket, kind, flying)
  return rate_of(bucket) / 60 + 0.5 * math.sqrt((s.error[kind] or 0) * flying)
end

-- Returns the ms until every bucket has room for a call beside what is `ahead` of it; 0: now.
local function delay_of(s, cost, ahead, flying)
  local delay = 0
  for _, pair in ipairs(limited(s)) do
    local bucket, kind = pair[1], pair[2]
    -- A reply may take more than there is: what it will have is not known when it begins. A full bucket has all the room there will be.
    local own = kind == 'output' and 0 or cost[kind]
    local need = math.min(own + ahead[kind] + margin_of(s, bucket, kind, flying), bucket.cap * 0.99)
    delay = math.max(delay, (need - bucket.level) * 60000 / rate_of(bucket))
  end
  return math.ceil(delay)
end
