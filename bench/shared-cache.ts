import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAnthropicSimulator } from '../simulator/anthropic/server.ts';
import { createCatalog } from '../src/pricing/catalog.ts';
import { openFleet } from '../src/api/open-fleet.ts';
import { startFleetProcess } from './fleet-process.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';

const catalog = createCatalog([]);

const TASKS = 10;
const MODEL = 'claude-haiku-5-5';
const DOCUMENT = 'The shop opens at nine and sells tea, coffee and cups. Orders come by mail.\n\n'.repeat(15);

/** What ten tasks cost, and how much of their common prefix came from the cache. */
interface Run {
  /** What the provider billed for prompts. */
  promptNanoUsd: number;
  outputNanoUsd: number;
  /** Tokens of tools and system blocks, by the provider's own count. */
  prefixTokens: number;
  /** Tokens that the first call of each task read from the cache; the first task first. */
  firstReads: number[];
}

/**
 * Measures ten short tasks about documents, one after the other, with the cache breakpoint on the last system block and without
 * it: the same fleet, against the same provider, whose front takes the breakpoint out of the requests.
 */
export async function measureSharedCache(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  const folder = mkdtempSync(join(tmpdir(), 'fleet-bench-site-'));
  for (let i = 0; i < TASKS; i += 1) writeFileSync(join(folder, `page-${i}.md`), `# Page ${i}\n\n${DOCUMENT}`);
  try {
    const shared = await runTasks(redis, folder, { keepsBreakpoint: true });
    const alone = await runTasks(redis, folder, { keepsBreakpoint: false });
    // How long a model thinks differs from run to run: both are told with the output of the first.
    const [cost, costAlone] = [shared, alone].map(({ promptNanoUsd }) => promptNanoUsd + shared.outputNanoUsd);
    const later = shared.firstReads.slice(1);
    const least = Math.min(...later) / shared.prefixTokens;
    return [
      { name: `${TASKS} short tasks, low effort, no shared breakpoint`, value: (costAlone ?? 0) / 1e9, unit: 'USD' },
      { name: '  with it', value: (cost ?? 0) / 1e9, unit: 'USD' },
      { name: '  saved', value: 100 * (1 - (cost ?? 0) / (costAlone ?? 0)), unit: '%', bar: { atLeast: 40 } },
      { name: '  least of the prefix read, second task on', value: 100 * least, unit: '%', bar: { atLeast: 90 } },
    ];
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runTasks(redis: ScratchRedis, folder: string, options: { keepsBreakpoint: boolean }): Promise<Run> {
  const simulator = await startAnthropicSimulator({ latencyMs: 20 });
  const front = await startFront(simulator.url, options.keepsBreakpoint);
  const settings = {
    FLEET_SWARM: options.keepsBreakpoint ? 'cache-shared' : 'cache-alone',
    FLEET_WORKSPACES: `site=${folder}`,
    FLEET_HAIKU_CONCURRENCY: '1',
    ANTHROPIC_BASE_URL: front.url,
  };
  const fleet = await openFleet(redis.config(settings));
  const worker = await startFleetProcess('haiku', redis.env(settings));
  try {
    for (let i = 0; i < TASKS; i += 1) {
      const task = {
        description: `Describe page-${i}.md`,
        workspace: 'site',
        files: [`page-${i}.md`],
        effort: 'low' as const,
      };
      await (await fleet.tasks.add(task)).finding();
    }
    const { billNanoUsd, usage } = simulator.served();
    const outputNanoUsd = usage.output * catalog.find(MODEL, new Date()).prices.output;
    const firsts = simulator.requests().filter(({ served, turn }) => served && turn === 0);
    return {
      promptNanoUsd: billNanoUsd - outputNanoUsd,
      outputNanoUsd,
      prefixTokens: await front.countPrefix(),
      firstReads: firsts.map((request) => request.usage?.cache_read ?? 0),
    };
  } finally {
    await worker.end('SIGTERM');
    await fleet.close();
    await front.close();
    await simulator.close();
  }
}

/** A server before the provider that passes requests on, with or without the breakpoints of their system blocks. */
interface Front {
  url: string;
  /** Tokens of the tools and system blocks of the last request. */
  countPrefix(): Promise<number>;
  close(): Promise<void>;
}

interface Body {
  system?: { cache_control?: unknown }[];
  tools?: unknown[];
}

async function startFront(target: string, keepsBreakpoint: boolean): Promise<Front> {
  let last: Body = {};
  const server = createServer((request, response) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const body = JSON.parse(Buffer.concat(pieces).toString() || '{}') as Body;
      if (!keepsBreakpoint) for (const block of body.system ?? []) delete block.cache_control;
      last = body;
      const answer = await post(`${target}${request.url ?? ''}`, body);
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      for await (const piece of answer.body ?? []) response.write(piece);
      response.end();
    })().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async countPrefix() {
      const { system = [], tools = [] } = last;
      const messages = [{ role: 'user', content: '.' }];
      const answer = await post(`${target}/v1/messages/count_tokens`, { model: MODEL, system, tools, messages });
      const { input_tokens: tokens } = (await answer.json()) as { input_tokens: number };
      return tokens;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'bench', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify(body),
  });
}
