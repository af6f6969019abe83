-- sample-tallies: keeps what has been counted of ended tasks and of dollars, once in each step of each span.
--@keys metrics samples...
--@answers number: when the current step of the first span began, ms since 1970
-- `spans`: of each of `samples`, the length of a step in ms and the samples that are kept. `now`: only a test gives it, whose clock is its own.
-- Nothing depends on the samples: a key of another kind costs those that it would hold.
local a = cjson.decode(ARGV[1])
--@include clock
local now = a.now or clock()
local steps, places, due = {}, {}, {}
for i, span in ipairs(a.spans) do
  local step = math.floor(now / span[1])
  steps[i] = string.format('%.0f', step)
  places[i] = string.format('%.0f', step % span[2]) -- each sample replaces the oldest one
  local held = redis.pcall('HGET', samples[i], places[i])
  local is_held = type(held) == 'string' and string.match(held, '^(%d+)|') == steps[i]
  if type(held) ~= 'table' and not is_held then due[#due + 1] = i end
end
local fields = #due > 0 and redis.pcall('HGETALL', metrics) or {}
if #due > 0 and not fields.err then
  local counts = {}
  for f = 1, #fields, 2 do
    local field = fields[f]
    if string.find(field, '^job|tasks|') or string.find(field, '^nano|') then counts[field] = fields[f + 1] end
  end
  local text = cjson.encode(counts)
  for _, i in ipairs(due) do
    redis.call('HSET', samples[i], places[i], steps[i] .. '|' .. text)
    redis.call('PEXPIRE', samples[i], string.format('%.0f', a.spans[i][1] * a.spans[i][2])) -- then the span holds none of them any more
  end
end
return steps[1] * a.spans[1][1]
