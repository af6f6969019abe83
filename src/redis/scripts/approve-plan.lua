-- approve-plan: lets a reviewed plan run, once: stores who approved it with the tasks that run, if plan and state are those that the caller read.
--@keys mission spend
--@answers approved | already | stale
-- {version: SHA-1 of the plan as stored, approval, nodes, counts, plan: the person's own or false, at}
local a = cjson.decode(ARGV[1])
local found = redis.call('HMGET', mission, 'state', 'parked_from', 'finding', 'approval', 'plan')
local state, approval, plan = found[1], found[4], found[5]

if approval and approval ~= '' then
  if approval == a.approval then return 'approved' end -- the client sent it twice because its connection broke
  return 'already'
end
local is_dry_run = state == 'done' and (not found[3] or found[3] == '')
local is_waiting = state == 'planned' or (state == 'parked' and found[2] == 'planned')
if not plan or not (is_dry_run or is_waiting) then return 'stale' end
if redis.sha1hex(plan) ~= a.version then return 'stale' end

redis.call('HEXISTS', spend, 'parked') -- of another type it fails here, before anything is written
redis.call('HSET', mission, 'approval', a.approval, 'nodes', a.nodes, 'counts', a.counts, 'state', 'running', 'problem', '', 'step', 'delegate', 'updatedAt', a.at)
if a.plan then redis.call('HSET', mission, 'plan', a.plan) end
redis.call('HDEL', mission, 'endedAt', 'parked_from')
redis.call('HDEL', spend, 'parked')
return 'approved'
