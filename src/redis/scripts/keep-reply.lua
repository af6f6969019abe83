-- keep-reply: keeps a paid reply for whoever has the job now, if they have none for this turn and still need one.
--@keys 1
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
