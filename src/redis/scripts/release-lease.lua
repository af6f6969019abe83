-- release-lease: deletes a lease if it still holds its owner's token.
--@keys lease
--@answers number: 1, or 0 if it ran out or has another owner
if redis.call('GET', lease) ~= ARGV[1] then return 0 end
return redis.call('DEL', lease)
