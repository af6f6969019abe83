-- admit-plan: computes how many Sonnet tasks a mission's plan may hold, and what the session has planned and done. Mode `admit` admits the plan if it holds no more, mode `allow` whatever it holds: a person has decided; mode `look` changes nothing.
--@keys delegation totals mission
--@answers numbers: 1 if the plan is admitted, else 0; the allowed Sonnet tasks; the session's Haiku and Sonnet tasks without this plan
local haiku, sonnet, mode = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

-- A mission has one admission, the newest: the tasks of its earlier plan are subtracted first.
local admitted = redis.call('HGET', mission, 'admitted')
local had_haiku, had_sonnet = string.match(admitted or '', '^(%d+)|(%d+)$')
had_haiku, had_sonnet = tonumber(had_haiku) or 0, tonumber(had_sonnet) or 0

-- A planned task is done later, and a done task was planned or added by a person, so the two overlap: the larger one counts.
local planned = redis.call('HMGET', delegation, 'haiku', 'sonnet')
local done = redis.call('HMGET', totals, 'haiku:tasks', 'sonnet:tasks')
local session_haiku = math.max((tonumber(planned[1]) or 0) - had_haiku, tonumber(done[1]) or 0)
local session_sonnet = math.max((tonumber(planned[2]) or 0) - had_sonnet, tonumber(done[2]) or 0)

local allowed = math.max(1, math.floor((haiku + sonnet) / 10))

local again = mode ~= 'look' and admitted == haiku .. '|' .. sonnet -- the coordinator died before it stored the plan: it gets the same answer
if again or (sonnet > allowed and mode ~= 'allow') then return { again and 1 or 0, allowed, session_haiku, session_sonnet } end
if mode ~= 'look' then
  redis.call('HINCRBY', delegation, 'haiku', string.format('%d', haiku - had_haiku))
  redis.call('HINCRBY', delegation, 'sonnet', string.format('%d', sonnet - had_sonnet))
  redis.call('HSET', mission, 'admitted', haiku .. '|' .. sonnet)
end
return { 1, allowed, session_haiku, session_sonnet }
