-- count-cancelled: counts the members of a set of failed jobs that were cancelled.
--@keys failed cancelled_ends
--@answers number: how many
if redis.call('SCARD', failed) == 0 or redis.call('ZCARD', cancelled_ends) == 0 then return 0 end
return #redis.call('ZINTER', 2, failed, cancelled_ends)
