import { readMission } from '../../../src/coordinator/mission/record.ts';
import { readPaper } from '../../../src/coordinator/paper/record.ts';
import { requireShards, type Config } from '../../../src/config/environment.ts';
import { toMessage } from '../../../src/errors.ts';
import { createHaltSwitch } from '../../../src/halt/halt.ts';
import { parkMission } from '../../../src/coordinator/control/park.ts';
import { resumeMission, type MissionDecision } from '../../../src/coordinator/control/resume.ts';
import { runLibrarian } from '../../../src/librarian/run-librarian.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { createArchiveModels } from '../../../src/models/create/archive-models.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { startCoordinator } from './coordinator.ts';
import { promptOf, titleOf } from '../models/mission-model.ts';
import { openTestFleet, testConfig } from './in-process-fleet.ts';
import { storeFindings } from '../redis/store-findings.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { createScriptedModel, type Step } from '../models/scripted-model.ts';
import { waitUntil } from '../wait.ts';

export const STORES = {
  finding_tea: {
    task: 'Look at the store',
    result: 'The store holds 40 crates of tea.',
    session: 's1',
    at: '2026-11-01T10:00:00Z',
  },
  finding_rum: {
    task: 'Look at the cellar',
    result: 'The cellar holds 3 barrels of rum.',
    session: 's2',
    at: '2026-11-02T10:00:00Z',
  },
  finding_gin: {
    task: 'Look at the attic',
    result: 'The attic holds 7 bottles of gin.',
    session: 's2',
    at: '2026-11-03T10:00:00Z',
  },
};

const toSection = (id: string, question: string) => ({
  id,
  title: `On ${id}`,
  brief: `Say how much ${id} there is`,
  question,
});

/** Three sections, each answered by one finding of `STORES`. */
export const OUTLINE = {
  title: 'What the house holds',
  sections: [
    toSection('tea', 'How many crates of tea does the store hold?'),
    toSection('rum', 'How many barrels of rum does the cellar hold?'),
    toSection('gin', 'How many bottles of gin does the attic hold?'),
  ],
};

/** Ids of the findings that a call was given. */
function idsGiven(request: ModelRequest): string[] {
  return [...promptOf(request).matchAll(/<finding id=\\?"([^"\\]+)/g)].map((match) => match[1] ?? '');
}

/** What a section is about, by its block. */
export function topicOf(request: ModelRequest): string {
  return /<section>(?:\\n|\n)On (\w+)/.exec(promptOf(request))?.[1] ?? '';
}

/** A section that cites what it was given. */
export function toSectionReply(request: ModelRequest): string {
  const ids = idsGiven(request);
  return JSON.stringify({ text: `There is ${topicOf(request)} [${ids.join(', ')}].`, citations: ids });
}

export interface PaperLaneOptions {
  /** As `STORES`. */
  findings?: Record<string, object>;
  outline?: object;
  outlineReply?: (request: ModelRequest, call: number) => Step;
  /** @param call number of the section's calls so far, from 1 */
  section?: (request: ModelRequest, call: number) => Step | Promise<Step>;
  env?: Record<string, string>;
}

/** Findings as tasks of their sessions leave them. */
export async function storePaperFindings(redis: TestRedis, findings: Record<string, object> = STORES): Promise<void> {
  await storeFindings(redis, findings);
  for (const [id, { session, at }] of Object.entries(findings as typeof STORES)) {
    await redis.redis.zadd(redis.keys.indexBySession(session), Date.parse(at), id);
  }
}

/** Five shards of simulated Gemini, a librarian, a coordinator with a scripted writer, and a fleet to ask with. */
export async function openPaperLane(redis: TestRedis, options: PaperLaneOptions = {}) {
  await storePaperFindings(redis, options.findings);
  const simulator = await startSimulator({ gemini: { latencyMs: 0 } });
  redis.cleanup(() => simulator.close());
  const config = testConfig(redis, { ...shardEnvironment(simulator), ...options.env });
  let [outlines, sections] = [0, 0];
  const writer = createScriptedModel(async (request) => {
    if (titleOf(request) === 'outline') {
      outlines += 1;
      return options.outlineReply?.(request, outlines) ?? JSON.stringify(options.outline ?? OUTLINE);
    }
    sections += 1;
    return (await options.section?.(request, sections)) ?? toSectionReply(request);
  });
  await startCoordinator(redis, config, writer);
  await startSimulatedLibrarian(redis, config);
  const fleet = await openTestFleet(redis, config);
  return { simulator, config, writer, fleet, ...createPaperControls(redis, fleet) };
}

export const SHARD_KEYS = [1, 2, 3, 4, 5].map((shard) => `not-a-real-key-${shard}`);

export function shardEnvironment(simulator: Simulator): Record<string, string> {
  return {
    ...Object.fromEntries(SHARD_KEYS.map((key, at) => [`GEMINI_API_KEY_SHARD${at + 1}`, key])),
    GEMINI_TIER: 'free',
    GEMINI_BASE_URL: simulator.url,
    FLEET_CALL_TIMEOUT_MS: '20000', // a busy machine is no failing shard
  };
}

async function startSimulatedLibrarian(redis: TestRedis, config: Config): Promise<void> {
  const models = await createArchiveModels(config);
  redis.cleanup(() => models.close());
  const log = createLogger('test', config.FLEET_LOG_LEVEL);
  const librarian = await runLibrarian({ config, shards: requireShards(config), models, log });
  redis.cleanup(() => librarian.close());
}

/** What a person does with a paper, and sees of it. */
function createPaperControls(redis: TestRedis, fleet: OpenFleet) {
  const { inner } = fleet;
  const { db, queues } = inner;
  const halt = createHaltSwitch(db, Object.values(queues));
  const parts = { db, queues, halt };
  const mission = (id = 'paper-1') => readMission(redis.db, id);
  return {
    halt,
    mission,
    paper: (id = 'paper-1') => readPaper(redis.db, id),
    async write(id = 'paper-1', paper: object = {}): Promise<void> {
      await queues.missions.add('mission', { goal: 'Say what the house holds', session: 's9', paper }, { jobId: id });
    },
    until: (state: string, id = 'paper-1') =>
      waitUntil(
        async () => {
          const [found, job] = [await mission(id), await queues.missions.getJobState(id)];
          if (found === null || found.state !== state) return null;
          // The record first, then BullMQ: a person comes after both.
          return state === 'running' || ['completed', 'failed', 'delayed'].includes(job) ? found : null;
        },
        { timeoutMs: 25_000, what: `mission ${id} is ${state}` },
      ).catch(async (error: unknown) => {
        throw new Error(`${toMessage(error)}: ${JSON.stringify(await mission(id))}`, { cause: error });
      }),
    resume: (choice: MissionDecision | null, id = 'paper-1') => resumeMission(parts, id, choice, 'tester'),
    park: (id = 'paper-1') => parkMission(parts, id, 'tester'),
  };
}
