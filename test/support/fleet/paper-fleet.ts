import { parkMission } from '../../../src/coordinator/control/park.ts';
import { resumeMission } from '../../../src/coordinator/control/resume.ts';
import type { MissionDecision } from '../../../src/coordinator/mission/review-types.ts';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { readPaper } from '../../../src/coordinator/paper/record.ts';
import { toMessage } from '../../../src/errors.ts';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { createPaperModel, STORES, type PaperReplies } from '../models/paper-model.ts';
import { storeFindings } from '../redis/store-findings.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { waitUntil } from '../wait.ts';
import { useFleet, type TestFleet } from './use-fleet.ts';

export interface PaperFleetSetup extends PaperReplies {
  /** Default: `STORES`. */
  findings?: Parameters<typeof storeFindings>[1];
  env?: Record<string, string>;
}

export interface PaperFleet extends TestFleet, PaperControls {
  simulator: Simulator;
  /** The coordinator's model. */
  writer: ReturnType<typeof createPaperModel>;
}

/** Opens five shards of simulated Gemini, a librarian that asks them, a coordinator with a scripted writer, and a client. */
export async function usePaperFleet(redis: TestRedis, setup: PaperFleetSetup = {}): Promise<PaperFleet> {
  await storeFindings(redis, setup.findings ?? STORES);
  const simulator = await startSimulator({ gemini: { latencyMs: 0 } });
  redis.cleanup(() => simulator.close());
  const writer = createPaperModel(setup);
  const env = { ...shardEnvironment(simulator), ...setup.env };
  const fleet = await useFleet(redis, { env, coordinator: writer, librarian: 'http' });
  return Object.assign(fleet, { simulator, writer, ...createPaperControls(fleet) });
}

export const SHARD_KEYS = [1, 2, 3, 4, 5].map((shard) => `not-a-real-key-${shard}`);

export function shardEnvironment(simulator: Simulator): Record<string, string> {
  return {
    ...Object.fromEntries(SHARD_KEYS.map((key, i) => [`GEMINI_API_KEY_SHARD${i + 1}`, key])),
    GEMINI_TIER: 'free',
    GEMINI_BASE_URL: simulator.url,
    FLEET_CALL_TIMEOUT_MS: '20000', // on a busy machine a slow call must not count as a failing shard
  };
}

/** What a person does with a paper, and sees of it. The paper is `paper-1` unless another id is given. */
interface PaperControls {
  mission(id?: string): ReturnType<typeof readMission>;
  paper(id?: string): ReturnType<typeof readPaper>;
  write(id?: string, paper?: object): Promise<void>;
  /** Waits until the paper's mission is in this state, its job too. */
  untilPaper(state: string, id?: string): ReturnType<typeof readMission>;
  resumePaper(choice: MissionDecision | null, id?: string): ReturnType<typeof resumeMission>;
  park(id?: string): ReturnType<typeof parkMission>;
}

function createPaperControls(fleet: TestFleet): PaperControls {
  const { db, queues } = fleet.inner;
  const parts = { db, queues, halt: fleet.halt };
  const mission = (id = 'paper-1') => readMission(db, id);

  async function isIn(state: string, id: string): ReturnType<typeof readMission> {
    const [found, job] = [await mission(id), await queues.missions.getJobState(id)];
    if (found === null || found.state !== state) return null;
    // The record first, then BullMQ: a person comes after both.
    return state === 'running' || ['completed', 'failed', 'delayed'].includes(job) ? found : null;
  }

  return {
    mission,
    paper: (id = 'paper-1') => readPaper(db, id),
    async write(id = 'paper-1', paper = {}) {
      await queues.missions.add('mission', { goal: 'Say what the house holds', session: 's9', paper }, { jobId: id });
    },
    untilPaper: (state, id = 'paper-1') =>
      waitUntil(() => isIn(state, id), { timeoutMs: 25_000, what: `mission ${id} is ${state}` }).catch(
        async (error: unknown) => {
          throw new Error(`${toMessage(error)}: ${JSON.stringify(await mission(id))}`, { cause: error });
        },
      ),
    resumePaper: (choice, id = 'paper-1') => resumeMission(parts, id, choice, 'tester'),
    park: (id = 'paper-1') => parkMission(parts, id, 'tester'),
  };
}
