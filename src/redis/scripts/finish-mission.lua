-- finish-mission: records the finding of a mission once, with index, counts, events and announcements, and marks the mission as done. It counts no task.
--@keys turns lock logs finding index by_session context_active session events mission added by_shard reservations counters run metrics
--@answers recorded | already | taken | lock-lost
--@include context
--@include clock
--@include arrival
local a = cjson.decode(ARGV[1])
local text = ARGV[2]
--@include lock
--@include reservation
--@include record
--@include tally

local function mark_done()
  redis.call('HSET', mission, 'state', 'done', 'problem', '', 'finding', a.id, 'updatedAt', a.ended)
  redis.call('HSETNX', mission, 'endedAt', a.ended)
  redis.call('HDEL', mission, 'nodes') -- the largest field; the plan holds the same in short form
  close_last(turns, reservations, counters)
  redis.call('DEL', turns, added)
end

if not has_job(lock, a.token, a.worker) then return 'lock-lost' end
if not redis.call('SET', finding, text, 'NX') then
  if redis.call('TYPE', finding).ok == 'string' and string.find(redis.call('GET', finding), '"job_id":"' .. a.job .. '"', 1, true) then
    mark_done()
    return 'already'
  end
  return 'taken'
end
redis.call('RPUSH', logs, a.log)
note_run(run, a.record)
redis.call('ZADD', index, a.at, a.id)
redis.call('ZADD', by_session, a.at, a.id)
if a.shard ~= '' then redis.call('ZADD', by_shard, a.at, a.id) end
count_tokens(context_active, a.tokens)
local tallies = {}
count_end(tallies, queue_of(lock), begun_of(turns), 'completed', clock())
write_tallies(metrics, tallies)
note_arrival(index, a.id, a.at, clock())
if redis.call('HGET', session, 'name') == a.session then redis.call('HINCRBY', session, 'findings', 1) end
redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'finding', a.id, 'session', a.session, 'batch', '', 'topics', a.topics)
mark_done()
redis.call('PUBLISH', a.findings_channel, a.id)
redis.call('PUBLISH', a.completions_channel, a.job)
return 'recorded'
