-- delete-if: deletes one field of a hash if it still holds the given value.
--@keys hash
--@answers number: 1, or 0 if it holds another value
if redis.call('HGET', hash, ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', hash, ARGV[1])
