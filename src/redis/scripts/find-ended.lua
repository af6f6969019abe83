-- find-ended: looks at a part of an index of findings, newest first, and answers with those that may be of a job that fits. It only reads.
-- Keys of single findings are not named: which, only the step finds.
--@keys index
--@answers values: looked ended index score id, then id, score, index and text of each finding
--@include look
-- {from {id, index, score}, count, want, words, hints, names, own, exact, since, above (US dollars), finding: a prefix}
local a = cjson.decode(ARGV[1])

-- Whether a text may be of a finding that cost more: its result may hold the word, too.
local function may_cost_more(text)
  for cost in string.gmatch(text, '"cost": ?([%d.eE+-]+)') do
    if (tonumber(cost) or 0) > a.above then return true end
  end
  return false
end

-- A finding without its result, which is no word of the job: most of its text. A name between quotes is none inside a text of JSON.
local function without_result(text)
  local from, to = string.find(text, '"result":', 1, true), nil
  local place = from
  while place do
    place = string.find(text, '"files_changed":', place + 1, true)
    to = place or to
  end
  return to and string.sub(text, 1, from) .. string.sub(text, to) or text
end

local function text_of(id)
  local text = redis.pcall('GET', a.finding .. id)
  if type(text) ~= 'string' then return nil, 0 end -- a hash, of a program that wrote no job
  if not has_all(text, a.own) or not has_all(text, a.exact) or not has_words(text, id, a, without_result) then return nil, #text end
  if not string.find(text, '"job_id"', 1, true) then return nil, #text end -- no job wrote it
  if a.above and not may_cost_more(text) then return nil, #text end
  return text, #text
end

local ids, scores, start = part_of(index, a.from, a.count)
local looked, bytes, found, is_over = 0, 0, {}, #ids < a.count
for i, id in ipairs(ids) do
  if a.since and tonumber(scores[i]) < a.since then
    is_over = true -- all others are older
    looked = #ids
    break
  end
  local text, size = text_of(id)
  looked, bytes = i, bytes + size
  if text then found[#found + 1] = { id, scores[i], start + i, text } end
  if #found >= a.want or bytes > MOST_BYTES then break end
end
local answer = { looked, is_over and looked == #ids and 1 or 0, start + looked, scores[looked] or '', ids[looked] or '' }
for _, row in ipairs(found) do
  for _, value in ipairs(row) do answer[#answer + 1] = value end
end
return answer
