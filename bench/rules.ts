import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet } from '../src/api/open-fleet.ts';
import { runCoordinator } from '../src/coordinator/run-coordinator.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { createFinding } from '../src/findings/create-finding.ts';
import { noteFinding } from '../src/findings/store.ts';
import { createLogger } from '../src/process/logger.ts';
import { createRules } from '../src/rules/create-rules.ts';
import { createInstantModel } from './instant-model.ts';
import { percentile, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';
import { toConfigured } from '../src/tasks/known-names.ts';

const SAMPLES = 200;
/** Findings before the first that is measured: connections and code are warm then. */
const WARM = 20;

/** Measures the time from a stored finding to the start of the task that a rule starts for it, one at a time on an idle fleet. */
export async function measureRules(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const config = redis.config({ FLEET_SWARM: 'rules' });
    const fleet = await openFleet(config);
    const log = createLogger('bench', 'error');
    let started: (startedAt: number) => void = () => undefined;
    const model = createInstantModel();
    const coordinator = await runCoordinator({ config, model, log });
    const haiku = await runHaiku({ config, model, log, onStart: () => started(performance.now()) });
    const { db } = fleet.inner;
    await createRules({ ...fleet.inner, configured: toConfigured({ FLEET_WORKSPACES: {}, models: [] }) }).add('watch', {
      match: { topic: 'measured' },
      task: 'Look at {finding.id}',
    });
    const times: number[] = [];
    for (let i = 0; i < SAMPLES + WARM; i += 1) {
      const start = new Promise<number>((resolve) => (started = resolve));
      const identity = { findingId: `f${i}`, jobId: `j${i}`, session: 'bench', batch: null, missionId: null };
      const finding = createFinding({
        identity,
        workerId: 'bench',
        storedAt: db.clock.date().toISOString(),
        task: 'measure',
        result: i,
        kind: 'other',
        model: { id: 'none', vendor: 'none' },
        promptVersion: 'none',
        topics: ['measured'],
      });
      const began = performance.now();
      await noteFinding(db, finding);
      times.push((await start) - began);
      await sleep(20); // until the fleet is idle
    }
    await Promise.all([haiku.close(), coordinator.close()]);
    await fleet.close();
    const measured = times.slice(WARM);
    return [
      {
        name: 'finding to start of its rule’s task, p50',
        value: percentile(measured, 0.5),
        unit: 'ms',
        bar: { atMost: 5 },
      },
      {
        name: 'finding to start of its rule’s task, p99',
        value: percentile(measured, 0.99),
        unit: 'ms',
        bar: { atMost: 25 },
      },
    ];
  } finally {
    await redis.stop();
  }
}
