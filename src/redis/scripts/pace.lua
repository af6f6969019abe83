-- pace: one exchange of one process about the calls of one model. It reports which calls ended, what the provider stated of its limits, and which calls wait; it gets those that may begin.
--@keys state paced halt counters
--@answers text: JSON with `granted` (what each call that may begin has reserved: input, output), `wait`, `hold`, `free`, `most`, `halted`
-- `now`: only a test gives it, whose clock is its own. A process that has not asked for `lease` ms is forgotten.
local a = cjson.decode(ARGV[1])
--@include clock
--@include pace-buckets
--@include pace-window
local now = a.now or clock()
local FREE_MS, LOOK_MS, LATE_MS = 500, 250, 1000

local function new_state()
  local s = {
    at = now, last = now, answers = 0, window = 1, threshold = LARGEST, hold = 0, streak = 0, distrust = 0,
    share = {}, processes = {},
    turns = 5, reply = 600, error = { input = 0, output = 90000 }, -- until some were seen: the first few may all be short
  }
  for _, kind in ipairs(KINDS) do s[kind] = { used = 0 } end
  return s
end

local kept = redis.call('GET', state)
local readable, s = pcall(cjson.decode, kept or '')
if not readable or type(s) ~= 'table' or type(s.processes) ~= 'table' or type(s.requests) ~= 'table' then s = new_state() end -- also a damaged one
local me = s.processes[a.process]
if me and me.nonce == a.nonce then return me.answer end -- the client sent the command again after its connection broke
refill(s, now)
if a.own then take_row(s, a.own) end

-- The other processes; `flying` is summed over all.
local flying = { requests = a.flying[1], input = a.flying[2], output = a.flying[3] }
local others, open, is_own = {}, a.open, a.own ~= nil
for id, process in pairs(s.processes) do
  if process.till < now then
    s.processes[id] = nil
  elseif id ~= a.process then
    for i, kind in ipairs(KINDS) do flying[kind] = flying[kind] + process.flying[i] end
    open = open + process.open
    is_own = is_own or process.own
    -- One that does not come when its turn is there must not hold back the others.
    if now <= process.comes + LATE_MS then others[#others + 1] = process end
  end
end
if not is_own then s.own = nil end -- no process has a row with limits any more
start_slowly(s, now, flying.requests + a.ended.count)
local busy = flying.requests + math.max(0, a.peak - a.flying[1])

-- What ended: replaces the reservations by what was used, and learns.
local e = a.ended
debit(s, 'requests', -e.unsent)
debit(s, 'input', e.used[1] - e.reserved[1])
debit(s, 'output', e.used[2] - e.reserved[2])
if e.count > 0 then
  s.error.input = mix(s.error.input, e.error[1], e.count, 0.95)
  s.error.output = mix(s.error.output, e.error[2], e.count, 0.95) -- a row of alike replies says little about the next one
  s.prompt, s.reply = mix(s.prompt, e.counted, e.count), mix(s.reply, e.replied, e.count)
  s.latency = mix(s.latency, e.ms, e.count)
  for class, sums in pairs(e.shares) do
    if sums[1] > 0 then s.share[class] = mix(s.share[class], sums[2] / sums[1] * sums[3], sums[3]) end
  end
end
if a.left[1] > 0 then s.turns = math.max(1, mix(s.turns, a.left[2], a.left[1])) end
if a.pauses[1] > 0 then s.pause = mix(s.pause, a.pauses[2], a.pauses[1]) end
for kind, seen in pairs(a.limits) do
  -- An answer states its limits before its own output is counted.
  observe(s, kind, seen, flying[kind] + (kind == 'output' and e.replied or 0), now)
end
if next(a.limits) then
  s.learned = { by = a.who, at = now }
  if a.opens ~= false then open_window(s) end -- the headers of a refusal come before the refusal itself
end
grow(s, e.count, busy)
if a.refused[1] > 0 then
  redis.call('HINCRBY', counters, 'waits_rate_limit', a.refused[1])
  hold(s, a.refused[2], now, busy)
end

-- The calls that wait, begun ones first; each behind the older ones of the same class of other processes.
local since = { now - a.ages[1], now - a.ages[2] }
local ahead, begun_elsewhere, older = { { requests = 0, input = 0, output = 0 }, { requests = 0, input = 0, output = 0 } }, false, 0
for _, process in ipairs(others) do
  for class = 1, 2 do
    if process.waiting[class] > 0 and process.since[class] < since[class] then
      for _, kind in ipairs(KINDS) do ahead[class][kind] = ahead[class][kind] + process.head[class][kind] end
      if class == 2 then older = older + 1 end
    end
  end
  if process.waiting[1] > 0 then begun_elsewhere = true end
end

local function is_full()
  for _, pair in ipairs(limited(s)) do
    if pair[1].level < pair[1].cap * 0.9 then return false end
  end
  return true
end

local function wait_of(class, cost)
  if s.hold > now then return s.hold - now end
  -- A call of a dead process counts until its lease is over: its server may still be at work.
  if s.own and s.own.concurrent and flying.requests + ahead[class].requests >= s.own.concurrent then return LOOK_MS end
  -- Calls that are long, or stall, must not hold back all others.
  if flying.requests + 1 > s.window and now - s.last <= UNANSWERED_MS then return LOOK_MS end
  if class == 2 then
    if begun_elsewhere then return LOOK_MS end
    if open + older >= carried(s, flying.requests) and not is_full() then return LOOK_MS end
  end
  return delay_of(s, cost, ahead[class], flying.requests)
end

local granted, wait, mine = {}, LOOK_MS, a.flying
local waiting, head = { a.waiting[1], a.waiting[2] }, {}
for _, ask in ipairs(a.asks) do
  local class, cost = ask[1], cost_of(s, ask)
  wait = wait_of(class, cost)
  if wait > 0 then
    head[class] = cost
    break
  end
  for i, kind in ipairs(KINDS) do
    debit(s, kind, cost[kind])
    flying[kind], mine[i] = flying[kind] + cost[kind], mine[i] + cost[kind]
  end
  granted[#granted + 1] = { cost.input, cost.output }
  waiting[class] = waiting[class] - 1
  if class == 2 then open, a.open = open + 1, a.open + 1 end
  s.last = now
end

local is_free = s.answers > 0 and s.hold <= now and s.own == nil and #limited(s) == 0
for class = 1, 2 do head[class] = head[class] or { requests = 1, input = s.prompt or 0, output = s.reply } end
if is_free then s.last = now end
local answer = cjson.encode({
  granted = granted,
  wait = math.max(1, math.min(wait, a.lease / 3)),
  hold = math.max(0, s.hold - now),
  free = is_free and FREE_MS or 0, -- so long the process begins calls without asking, at most `most` at once
  most = math.max(0, math.floor(s.window) - (flying.requests - mine[1])),
  halted = redis.call('EXISTS', halt),
})
local process = {
  till = now + a.lease, comes = now + wait, flying = mine, waiting = waiting, since = since, head = head, open = a.open,
  nonce = a.nonce, answer = answer, own = a.own ~= nil or nil,
}
if a.leaves then process.flying, process.waiting, process.open, process.own = { 0, 0, 0 }, { 0, 0 }, 0, nil end -- its last exchange stays known for a lease
s.processes[a.process] = process
if now - (s.noted or 0) > IDLE_MS then
  s.noted = now
  redis.call('HSET', paced, a.name, now) -- for the status
end
redis.call('SET', state, cjson.encode(s), 'PX', DAY_MS)
return answer
