-- answer-old-query: gives a query of `queue:archive_query` its answer: a finding in the form that the asking program reads, and its id in the query's list. An answer that replaces a failure gets no second id.
--@keys finding aliases findings asked
--@answers told | told-again | known
local alias, of, query, text, stays = unpack(cjson.decode(ARGV[1]))
if redis.call('HEXISTS', asked, query) == 0 then return 'known' end
local function type_of(key) return redis.call('TYPE', key).ok end
local has_list = type_of(findings) == 'none' or type_of(findings) == 'list' -- else another program uses the name
local is_new = redis.call('HEXISTS', aliases, alias) == 0
redis.call('HSET', aliases, alias, of)
redis.call('SET', finding, text)
if is_new and has_list then redis.call('RPUSH', findings, alias) end
if stays ~= '1' then redis.call('HDEL', asked, query) end
if is_new then return 'told' end
return 'told-again'
