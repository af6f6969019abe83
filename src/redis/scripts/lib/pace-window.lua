-- How many calls may run at once (`window`): it starts small, doubles with the calls of one round while the provider answers, and
-- halves at a refusal; from there it grows by one a round. The buckets limit a provider that states its limits.
local IDLE_MS = 60000
local LONGEST_HOLD_MS = 60000
local LARGEST = 10000
local DISTRUST_MS = 600000
local UNANSWERED_MS = 5000

-- The window after a start or a minute without calls.
local function first_window(s)
  if s.answers == 0 then return 1 end -- nothing is known: two prompts can be too much for six seconds of the smallest tier
  if s.requests.limit then return math.max(2, math.floor(s.requests.limit / 10)) end
  return 64 -- the provider states no limits
end

local function start_slowly(s, now, flying)
  if s.answers == 0 then
    if s.window < 64 and flying > 0 and now - s.last > UNANSWERED_MS then s.window = s.window * 2 end
  elseif flying == 0 and now - s.last > IDLE_MS then
    s.window, s.threshold = math.min(s.window, first_window(s)), LARGEST
  end
end

-- The provider answers: with its first headers, or with a reply.
local function open_window(s)
  if s.answers > 0 then return end
  s.answers = 1
  s.window = math.max(s.window, first_window(s))
end

-- @param busy the most calls that ran at once
local function grow(s, count, busy)
  if count == 0 then return end
  open_window(s)
  s.answers = s.answers + count
  s.streak = 0
  if busy * 2 < s.window then return end
  s.window = math.min(LARGEST, s.window + (s.window < s.threshold and count or count / s.window))
end

-- Whether the buckets had room for the usual call: then they hold less than the provider's answers stated.
local function had_room(s)
  for _, kind in ipairs(KINDS) do
    local usual = ({ requests = 1, input = s.prompt, output = s.reply })[kind]
    if s[kind].limit and s[kind].level < (usual or 0) then return false end
  end
  return s.requests.limit ~= nil or s.input.limit ~= nil or s.output.limit ~= nil
end

-- The provider refused calls: nothing begins until the wait that it named is over, or for a second, doubling with each
-- refusal in a row. @param wait_ms below 1000: it named none that can be used
local function hold(s, wait_ms, now, busy)
  if s.hold > now then -- other calls of the same moment
    if wait_ms >= 1000 then s.hold = math.max(s.hold, now + wait_ms) end
    return
  end
  s.streak = s.streak + 1
  s.hold = now + (wait_ms >= 1000 and wait_ms or math.min(LONGEST_HOLD_MS, 1000 * math.pow(2, s.streak - 1)))
  if s.streak == 1 then s.threshold = math.max(1, math.floor(busy / 2)) end
  s.window = s.streak == 1 and s.threshold or 1 -- refused again after the wait: one call asks whether it takes any
  if not had_room(s) then return end
  s.distrust = now + DISTRUST_MS
  for _, kind in ipairs(KINDS) do
    local bucket = s[kind]
    if bucket.limit then
      bucket.cap = math.max(bucket.limit / 60, math.min(bucket.limit / 12, bucket.cap / 2))
      bucket.level = math.min(bucket.level, 0)
    end
  end
end

-- How many begun tasks the limits can carry: those whose calls use the limits up, with what the buckets hold spread over half
-- a minute; or all whose calls the buckets hold already. More would only wait for each other.
local function carried(s, flying)
  local rate, held = LARGEST, LARGEST
  for _, pair in ipairs(limited(s)) do
    local bucket, kind = pair[1], pair[2]
    local usual = ({ requests = 1, input = s.prompt, output = s.reply })[kind]
    if usual and usual > 0 then
      local spare = math.max(0, bucket.level - margin_of(s, bucket, kind, flying))
      rate = math.min(rate, (rate_of(bucket) / 60 + spare / 30) / usual)
      held = math.min(held, spare / usual)
    end
  end
  local cycle = s.latency and (s.latency + (s.pause or 0)) / 1000 or 1
  return math.max(math.floor(rate * cycle) + 1, math.floor(held / s.turns))
end
