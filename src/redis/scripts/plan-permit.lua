-- plan-permit: reads which projects have room for a call.
-- `projects`: the keys of each project, as in `lib/shard-room.lua`.
--@keys turn counters projects...
--@answers values: now, turn, then for each project: reason (empty: it has room now), ms until it has room, requests a minute, tokens a minute, 1 if its quota key was repaired; `clock` instead of the turn: none of the days is today
local a = cjson.decode(ARGV[1])
--@include clock
--@include shard-room
local now = clock()
local day = day_at(a.days, now)
if not day then return { now, 'clock' } end
local answer = { now, 0 }
local from = 1
for _, p in ipairs(a.projects) do
  local k
  k, from = project_keys(projects, from, #p.shards)
  local view = look(k, p, a.tokens, day, now, counters)
  for _, value in ipairs({ view.reason, view.delay, view.rpm, view.tpm, view.garbage and 1 or 0 }) do
    answer[#answer + 1] = value
  end
end
answer[2] = redis.call('INCR', turn) - 1 -- last: a project's damaged key would end the script after it
return answer
