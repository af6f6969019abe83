-- keep-reply: stores a paid reply for the process that has the job now, if the job has not ended and this turn has no reply.
--@keys turns
--@answers number: 1 if it is stored, else 0
if redis.call('EXISTS', turns) == 0 then return 0 end
return redis.call('HSETNX', turns, ARGV[1], ARGV[2])
