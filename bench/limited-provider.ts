/**
 * The simulated Anthropic API as a small account meets it, for the benches of pacing, long calls and stalls. A bench starts
 * it, points a fleet of real processes at it (`ANTHROPIC_BASE_URL: provider.url`), adds tasks of `toFiveCallTask`, and reads
 * after some minutes what the provider counted:
 *
 *     const provider = await startLimitedProvider({ limits: FIRST_TIER, burstMs: 6_000 });
 *     // 40 slots, 200 tasks, 180 s
 *     const { refused, served, share, tasks } = provider.read();
 *
 * A call of `PLAN_CALL_MS`: `latencyMs: { 'claude-sonnet-5-5': PLAN_CALL_MS }`. A stall: `await provider.stall(STALL_MS)`.
 *
 * `scale: 10` runs ten times as fast: limits times ten; latencies, bursts and stalls a tenth. Not scaled are `retry-after`
 * (whole seconds, at least one) and the times of the fleet itself, so that a scaled run is for trying out, and the numbers
 * that are told come from scale 1. The caller divides the times that it gives the fleet, such as FLEET_CALL_IDLE_MS.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Latency } from '../simulator/anthropic/config.ts';
import { type AnthropicSimulator, startAnthropicSimulator } from '../simulator/anthropic/server.ts';
import { type AccountLimits, type AccountReading, readAccount } from './read-account.ts';

/** What the first tier was, and what a workspace may still be set to. */
export const FIRST_TIER: AccountLimits = { requests: 50, inputTokens: 50_000, outputTokens: 10_000 };
/** https://platform.claude.com/docs/en/api/rate-limits */
export const START_TIER: AccountLimits = { requests: 1_000, inputTokens: 2_000_000, outputTokens: 400_000 };
/** A plan of Sonnet at high effort. */
export const PLAN_CALL_MS = 290_000;
export const STALL_MS = 600_000;

const MODEL = 'claude-haiku-5-5';
const CALL_MS = 3_000;
const LOG_LIMIT = 200_000;

export interface LimitedProviderOptions {
  limits: AccountLimits;
  /** How long an unused limit adds up, ms. Default a minute; the provider is known to enforce shorter spans, too. */
  burstMs?: number;
  /** Ms that a call takes, or ms by model. Default three seconds. */
  latencyMs?: Latency;
  /** How many times faster than real time. Default 1. */
  scale?: number;
}

export interface LimitedProvider {
  url: string;
  simulator: AnthropicSimulator;
  /** What the provider counted for Haiku since its first call, or since `begin`. */
  read(): AccountReading;
  /** Forgets what was counted. The buckets keep their levels. */
  begin(): void;
  /**
   * Serves and answers nothing for so long: calls that come meanwhile get `afterEvents` events and then silence, until their
   * client leaves. Resolves when calls are answered again. @param ms in real time, before the scale
   */
  stall(ms: number, afterEvents?: number): Promise<void>;
  close(): Promise<void>;
}

/** A task of exactly five calls: four that use a tool, and the answer. */
export function toFiveCallTask(i: number): { description: string } {
  return { description: `Say number ${i}. [[turns:5]] [[tokens:60]]` };
}

export async function startLimitedProvider({
  limits,
  burstMs = 60_000,
  latencyMs = CALL_MS,
  scale = 1,
}: LimitedProviderOptions): Promise<LimitedProvider> {
  const scaled: AccountLimits = {
    requests: limits.requests * scale,
    inputTokens: limits.inputTokens * scale,
    outputTokens: limits.outputTokens * scale,
  };
  const simulator = await startAnthropicSimulator({
    rules: 'real',
    limits: { [MODEL]: { ...scaled, burstMs: burstMs / scale } },
    latencyMs: divide(latencyMs, scale),
    logLimit: LOG_LIMIT,
  });
  return {
    url: simulator.url,
    simulator,
    read: () =>
      readAccount(
        simulator.requests().filter(({ model }) => model === MODEL),
        scaled,
        Date.now(),
      ),
    begin: () => simulator.clearLog(),
    async stall(ms, afterEvents = 0) {
      simulator.setFaults([{ kind: 'stall', afterEvents }]);
      await sleep(ms / scale);
      simulator.setFaults([]);
    },
    close: () => simulator.close(),
  };
}

function divide(latency: Latency, scale: number): Latency {
  if (typeof latency === 'number') return latency / scale;
  return Object.fromEntries(Object.entries(latency).map(([model, ms]) => [model, ms / scale]));
}
