-- note-load: records in a batch what was added to it, the end of a load, or the retry of one of its jobs; once for each call.
--@keys batch failed once
--@answers number: 1, or 0 if this call has run before
local a = cjson.decode(ARGV[1]) -- {call, lines, added, seen, ends, begins_round, retried}
--@include once
if has_run(once, a.call) then return 0 end
local function number_of(field) return tonumber(redis.call('HGET', batch, field)) or 0 end
if a.lines and a.lines > number_of('lines') then redis.call('HSET', batch, 'lines', a.lines) end -- a shorter file removes no line
if a.added then redis.call('HINCRBY', batch, 'tasks', a.added) end
if a.ends then
  redis.call('HSET', batch, 'loaded', 1)
  if a.seen > number_of('tasks') then redis.call('HSET', batch, 'tasks', a.seen) end -- an earlier load was killed between adding and counting
end
if a.retried then redis.call('SREM', failed, a.retried) end
if a.begins_round then redis.call('HINCRBY', batch, 'round', 1) end
return 1
