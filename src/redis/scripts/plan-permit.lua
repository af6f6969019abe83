-- plan-permit: looks which projects have room for a call.
-- `projects` are the keys of each project, as in `lib/shard-room.lua`.
--@keys turn counters projects...
--@answers values: now, turn, then for each project reason (empty: now), ms until it has, requests a minute, tokens a minute, 1 where its quota key was repaired; `clock` in place of the turn: none of the days is today
local a = cjson.decode(ARGV[1])
--@include shard-room
local now = clock()
local day = day_at(a.days, now)
if not day then return { now, 'clock' } end
local answer = { now, redis.call('INCR', turn) - 1 }
local at = 1
for _, p in ipairs(a.projects) do
  local k
  k, at = project_keys(projects, at, #p.shards)
  local view = look(k, p, a.tokens, day, now, counters)
  for _, value in ipairs({ view.reason, view.delay, view.rpm, view.tpm, view.garbage and 1 or 0 }) do
    answer[#answer + 1] = value
  end
end
return answer
