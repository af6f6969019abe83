-- keep-reply: keeps a paid reply for whoever has the job now, if they have none for this turn and still need one.
--@keys turns
--@answers number: 1 where it is kept, else 0
if redis.call('EXISTS', turns) == 0 then return 0 end
return redis.call('HSETNX', turns, ARGV[1], ARGV[2])
