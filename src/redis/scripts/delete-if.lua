-- delete-if: deletes one field of a hash if it still holds the given value. Answers 1, or 0 if somebody wrote it anew.
--@keys 1
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
