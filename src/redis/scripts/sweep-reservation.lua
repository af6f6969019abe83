-- sweep-reservation: books a reservation as uncertain if it is older than the longest call, by Redis' clock: its process died, and its job did not run again.
-- `jobs`: the keys that the job may have, one for each queue.
--@keys turns reservations counters jobs...
--@answers number: 1, or 0 if the reservation is closed or not old enough
local id, older_than_ms, keep_seconds = ARGV[1], ARGV[2], ARGV[3]
--@include clock
--@include reservation
local packed = redis.call('HGET', reservations, id)
if not packed then return 0 end
local _, at = unpack_reservation(packed)
if tonumber(at) >= clock() - older_than_ms then return 0 end
make_uncertain(reservations, counters, id, packed)
redis.call('HINCRBY', counters, 'swept_calls', 1)
if redis.call('HGET', turns, 'reservation') == id then redis.call('HSET', turns, 'reservation', '') end
-- No run needs the stored turns of a removed job: they expire.
if redis.call('EXISTS', unpack(jobs)) == 0 and redis.call('TTL', turns) == -1 then redis.call('EXPIRE', turns, keep_seconds) end
return 1
