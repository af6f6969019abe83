-- keep-tools: stores the results of a turn's tools while this worker still has the job. Answers 1, or 0 if the lock is lost.
--@keys 2
local turns, lock = KEYS[1], KEYS[2]
local token, field, json = ARGV[1], ARGV[2], ARGV[3]
if token ~= '' and redis.call('GET', lock) ~= token then return 0 end
redis.call('HSET', turns, field, json)
return 1
