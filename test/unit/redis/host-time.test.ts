import { readFileSync } from 'node:fs';
import { globSync } from 'tinyglobby';
import { expect, it } from 'vitest';

/** The rooms that decide about money, quotas, days, sessions, leases and delays of jobs: by Redis' clock (`Db.clock`). */
const ROOMS = ['ledger', 'swarm', 'halt', 'jobs', 'librarian', 'coordinator', 'tasks'];

/** Where the host's clock is meant. A duration inside one process is measured with `performance.now()`. */
const ALLOWED: Record<string, string> = {
  'src/jobs/redis-time.ts': 'turns the times of the host’s clock, which BullMQ takes, to Redis’',
  'src/jobs/worker/transcript-sweep.ts': 'the age of files, which the host’s clock stamps',
  'src/librarian/gate/admission.ts': 'an instant that the same process turns back to a duration at once',
  'src/librarian/gate/closures.ts': 'an instant that the same process turns back to a duration at once',
  'src/librarian/gate/dispatcher.ts': 'an instant that the same process turns back to a duration at once',
  'src/librarian/gate/rate-gate.ts': 'an instant that the same process turns back to a duration at once',
  'src/librarian/task-calls/shard-run.ts':
    'an instant of the gate that the same process turns back to a duration at once',
  'src/librarian/answer/route.ts': 'an instant that the same process turns back to a duration at once',
  'src/librarian/run-librarian.ts':
    'whether a model is known, at the start; what it costs is looked up by Redis’ clock',
  'src/librarian/test-shards.ts': 'whether a model is known, at the start',
  'src/coordinator/plan/prompt.ts': 'the size of a model’s window, which no date changes',
  'src/coordinator/calls/synthesis.ts': 'the size of a model’s window, which no date changes',
  'src/coordinator/delegate/cost-split.ts': 'the vendor of a model, which no date changes',
  'src/tasks/check-models.ts': 'whether a model is known; the worker asks again',
};

const root = new URL('../../../', import.meta.url).pathname;
const files = globSync(
  ROOMS.map((room) => `src/${room}/**/*.ts`),
  { cwd: root },
);
const usesHostTime = (file: string): boolean =>
  /\bDate\.now\b|\bnew Date\(\)/.test(readFileSync(`${root}${file}`, 'utf8').replaceAll(/^\s*(\/?\*|\/\/).*$/gm, ''));

it('no room that decides by time asks the host for it, with few exceptions', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter(usesHostTime).toSorted()).toEqual(Object.keys(ALLOWED).toSorted());
});
