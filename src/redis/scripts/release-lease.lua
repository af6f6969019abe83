-- release-lease: deletes a lease if it still holds the owner's token. Answers 1, or 0 if it ran out or has another owner.
--@keys 1
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
