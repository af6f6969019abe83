-- fire-rule: decides for each of some findings whether a rule starts a task, and notes the task that is to be added, or the chain that is parked: once a pair of rule and finding, for ever.
--@keys rule fired pending parked activity spends...
--@answers values: stale, or for each finding fire | known | parked | max | once
local a = cjson.decode(ARGV[1]) -- call, name, version, max (0: none), once, most_parked, items {task, finding, deep, spends: places in `spends`}
--@include clock
--@include once
--@include activity
for _, spend in ipairs(spends) do redis.call('HLEN', spend) end -- a key of another kind ends the script here, before its first write
local now = clock()
local day = day_of(now)
local state = redis.call('HMGET', rule, 'version', 'day', 'day_count', 'bucket')
if state[1] ~= a.version then return { 'stale' } end
local fired_today = state[2] == day and tonumber(state[3]) or 0
local bucket = a.once == 'hour' and string.format('%.0f', math.floor(now / 3600000)) or day
local last_bucket = state[4]
local is_first = not has_run_last(rule, 'call', a.call)
local at = string.format('%.0f', now)

local function is_spent(places)
  for _, place in ipairs(places) do
    local spent = redis.call('HMGET', spends[place], 'limit', 'settled', 'reserved', 'uncertain')
    if spent[1] and (tonumber(spent[2]) or 0) + (tonumber(spent[3]) or 0) + (tonumber(spent[4]) or 0) >= tonumber(spent[1]) then return true end
  end
end

local function park(item, why, text)
  if redis.call('HLEN', parked) >= a.most_parked then return 'max' end
  redis.call('ZADD', fired, at, item.finding)
  redis.call('HSET', parked, item.task, table.concat({ why, at, text }, '|'))
  note_activity(activity, 'chain-parked', a.name, why .. ': finding ' .. item.finding)
  return 'parked'
end

local function decide(i, item)
  if redis.call('ZSCORE', fired, item.finding) then -- also where the client sent this twice because its connection broke
    if redis.call('HEXISTS', pending, item.task) == 1 then return 'fire' end
    return redis.call('HEXISTS', parked, item.task) == 1 and 'parked' or 'known'
  end
  if item.deep then return park(item, 'depth', ARGV[i + 1]) end
  if a.once ~= 'finding' and last_bucket == bucket then return 'once' end
  if a.max > 0 and fired_today >= a.max then return 'max' end
  if is_spent(item.spends) then return park(item, 'budget', ARGV[i + 1]) end
  redis.call('ZADD', fired, at, item.finding)
  redis.call('HSET', pending, item.task, ARGV[i + 1])
  fired_today = fired_today + 1
  last_bucket = bucket
  redis.call('HINCRBY', rule, 'fired', 1)
  redis.call('HSET', rule, 'day', day, 'day_count', fired_today, 'bucket', bucket, 'last_finding', item.finding, 'last_at', at)
  note_activity(activity, 'fired', a.name, 'task ' .. item.task .. ' for finding ' .. item.finding)
  return 'fire'
end

local answers, skipped = {}, { max = 0, once = 0 }
for i, item in ipairs(a.items) do
  local answer = decide(i, item)
  answers[i] = answer
  if skipped[answer] then skipped[answer] = skipped[answer] + 1 end
end
for why, count in pairs(skipped) do
  if is_first and count > 0 then redis.call('HINCRBY', rule, 'skipped_' .. why, count) end
end
return answers
