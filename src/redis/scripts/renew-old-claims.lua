-- renew-old-claims: renews the claims that the fleet holds on tasks of other programs, and forgets those that were left to expire.
-- A claim that expired, as in a long outage, is taken again if nobody else has it.
--@keys old_claims claimed...
--@answers number: how many the fleet holds
local a = cjson.decode(ARGV[1])
--@include old-task
local held = 0
redis.call('HLEN', old_claims)
for i, one in ipairs(a.claims) do
  local claim = old_record(old_claims, one.id)
  local holder = text_at(claimed[i])
  if claim.job ~= one.job then
    -- another job has it now
  elseif one.ended or claim.left then
    if holder ~= claim.by then
      redis.call('HDEL', old_claims, one.id)
    elseif not claim.left then
      claim.left = true
      redis.call('HSET', old_claims, one.id, cjson.encode(claim))
    end
  elseif holder == claim.by then
    redis.call('EXPIRE', claimed[i], a.seconds)
    held = held + 1
  elseif not holder and redis.call('SET', claimed[i], claim.by, 'EX', a.seconds, 'NX') then
    held = held + 1
  end
end
return held
