-- sweep-reservation: books a reservation as uncertain that is older than any call can take: its process died, and its job never ran again.
-- `jobs` are the job's key in each queue it may be in.
--@keys turns reservations counters jobs...
--@answers number: 1, or 0 if it is closed or young
local id, before, keep_seconds = ARGV[1], ARGV[2], ARGV[3]
--@include booking
local packed = redis.call('HGET', reservations, id)
if not packed then return 0 end
local _, parts = unpack_reservation(packed)
if tonumber(parts[2]) >= tonumber(before) then return 0 end
make_uncertain(reservations, counters, id, packed)
redis.call('HINCRBY', counters, 'swept_calls', 1)
if redis.call('HGET', turns, 'reservation') == id then redis.call('HSET', turns, 'reservation', '') end
-- The stored turns of a job that was removed wait for nobody.
if redis.call('EXISTS', unpack(jobs)) == 0 and redis.call('TTL', turns) == -1 then redis.call('EXPIRE', turns, keep_seconds) end
return 1
