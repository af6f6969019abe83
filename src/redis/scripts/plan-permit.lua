-- plan-permit: looks which projects have room for a call. Answers now, turn, then for each project reason (empty: now), ms until it has, requests a minute, tokens a minute, 1 where its quota key was repaired. `clock` in place of the turn: none of the days is today.
--@keys 2
local turn, counters = KEYS[1], KEYS[2]
local a = cjson.decode(ARGV[1])
--@include shard-room
local now = clock()
local day = day_at(a.days, now)
if not day then return { now, 'clock' } end
local answer = { now, redis.call('INCR', turn) - 1 }
local at = 3
for _, p in ipairs(a.projects) do
  local k
  k, at = project_keys(KEYS, at, #p.shards)
  local view = look(k, p, a.tokens, day, now, counters)
  for _, value in ipairs({ view.reason, view.delay, view.rpm, view.tpm, view.garbage and 1 or 0 }) do
    answer[#answer + 1] = value
  end
end
return answer
