-- take-permit: takes one call from a project's limits of a minute, of tokens and of a day, if all have room.
-- `project`: the keys of the project, as in `lib/shard-room.lua`.
--@keys counters epoch project...
--@answers timed: granted SHARD DAY LEFT EPOCH | closed REASON MS RPM TPM EPOCH | clock (none of the days is today) | lost EPOCH (Redis has lost the starts of the last minute)
local a = cjson.decode(ARGV[1])
local p = a.project
--@include clock
--@include shard-room
local now = clock()
local day = day_at(a.days, now)
if not day then return { now, 'clock' } end
-- The caller knows the epoch, `id|ms`. If Redis holds another one or none, it has lost the starts of the last minute: a new
-- epoch begins, and gives no permit before its ms, so that every process puts its starts back first.
local k = project_keys(project, 1, #p.shards)
local known = redis.call('GET', epoch)
if not known then
  known = string.format('%s|%d', a.id, a.epoch == '' and now or now + a.restore)
  redis.call('SET', epoch, known)
end
if a.epoch ~= '' and a.epoch ~= known then return { now, 'lost', known } end

local taken = redis.call('HGET', k.tokens, a.id)
if taken then -- the client sent the command again after its connection broke
  return { now, 'granted', tonumber(string.match(taken, '%d+$')), day[1], tonumber(redis.call('HGET', k.project, 'left')), known }
end
local view = look(k, p, a.tokens, day, now, counters)
local opens_in = (tonumber(string.match(known, '|(%d+)$')) or 0) - now
if opens_in > view.delay then view.delay, view.reason = opens_in, 'cooling' end
if view.delay > 0 then return { now, 'closed', view.reason, view.delay, view.rpm, view.tpm, known } end

local left = view.left - 1
redis.call('ZADD', k.starts, now + p.unsent, a.id) -- `note-departure` counts it from the time at which it left
redis.call('HSET', k.tokens, a.id, string.format('%d|%d', a.tokens, view.shard))
redis.call('HINCRBY', k.tokens, 'sum', a.tokens)
for _, key in ipairs({ k.starts, k.tokens }) do redis.call('PEXPIRE', key, 2 * p.spacing + p.unsent) end
write_left(k, left, day[3])
redis.call('HSET', k.project, 'day', day[1], 'left', left, 'pace_next', math.floor(now + (day[3] - now) / (left + 1)))
if left == 0 then redis.call('HINCRBY', counters, 'shard_days_used_up', 1) end
return { now, 'granted', view.shard, day[1], left, known }
