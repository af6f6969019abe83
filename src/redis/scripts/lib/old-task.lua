-- Tasks of other programs. Such a program may have put anything under its keys.

-- The text of a key; nil: none, or the key holds another type.
local function text_at(key)
  local text = redis.pcall('GET', key)
  return type(text) == 'string' and text ~= '' and text or nil
end

-- The record of an old id in one of the bridge's hashes; a damaged or missing one has no fields.
local function old_record(hash, id)
  local is_json, record = pcall(cjson.decode, redis.call('HGET', hash, id) or '{}')
  return is_json and type(record) == 'table' and record or {}
end

-- Whether a result belongs to the text of this job: one that another text of the same id left there does not.
local function is_result_of(job, result, ended)
  return result ~= nil and (ended.job == job or ended.result ~= result)
end

-- Whether the claim is the fleet's, for this job, or was left by a job that has ended.
local function is_own_claim(job, holder, claim, ended)
  return (claim.by == holder and (claim.job == job or claim.left == true)) or (ended.by == holder and holder ~= '')
end
