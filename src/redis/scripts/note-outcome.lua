-- note-outcome: counts what becomes of a job, and writes a line into its log and its record, once for each call. The job's hash holds the last call.
--@keys counters job logs run
--@answers number: 1, or 0 if this call has counted before
local counter, line, call, record = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4])
--@include once
--@include record
local exists = redis.call('EXISTS', job) == 1 -- else the mark and the line would make a job that nothing removes
if exists and has_run_last(job, 'noted', call) then return 0 end
redis.pcall('HINCRBY', counters, counter, 1)
if exists then
  redis.call('RPUSH', logs, line)
  note_run(run, record)
end
return 1
