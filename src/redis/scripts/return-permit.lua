-- return-permit: returns a permit whose call was not sent.
-- `project`: the keys of a project, as in `lib/shard-room.lua`.
--@keys project...
--@answers number: 1, or 0 if the permit no longer exists
local a = cjson.decode(ARGV[1])
--@include clock
--@include shard-room
local k = project_keys(project, 1, a.shard_count)
if not forget(k, a.id) then return 0 end
local day = day_at(a.days, clock())
local kept = redis.call('HMGET', k.project, 'day', 'left')
if not day or kept[1] ~= a.day or a.day ~= day[1] then return 1 end -- the quota's day of the permit is over
local text = string_at(k.shards[1].quota)
local left = tonumber(text) and math.max(0, tonumber(text)) or tonumber(kept[2])
redis.call('HSET', k.project, 'left', left + 1)
write_left(k, left + 1, day[3])
return 1
