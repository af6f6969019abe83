import type { Config } from '../config/environment.ts';
import { AccountRefusedError, RateLimitedError, TaskFailedError, toMessage } from '../errors.ts';
import type { Model, ModelReply } from '../models/model.ts';
import { findModel } from '../pricing/catalog.ts';
import { formatUsd } from '../pricing/money.ts';
import type { Db } from '../redis/db.ts';
import { unwell, well, type CheckResult } from './check.ts';
import { withDoctorCalls } from './doctor-calls.ts';
import { makeRoundTrip, type RoundTrip } from './model-round-trip.ts';
import { describeLimits } from './tiers.ts';

/** What a part of the live check found, and what it cost. */
export interface LiveResults {
  results: CheckResult[];
  nanoUsd: number;
}

interface LiveParts {
  db: Db;
  config: Config;
  session: string;
}

/** Checks the key and both models, one after the other. A key that is refused is not tried again. */
export async function checkAnthropic(parts: LiveParts, model: Model): Promise<LiveResults> {
  const { FLEET_HAIKU_MODEL, FLEET_SONNET_MODEL, home } = parts.config;
  const found: LiveResults = { results: [], nanoUsd: 0 };
  for (const [name, id] of new Map([
    ['FLEET_HAIKU_MODEL', FLEET_HAIKU_MODEL],
    ['FLEET_SONNET_MODEL', FLEET_SONNET_MODEL],
  ])) {
    if (name === 'FLEET_SONNET_MODEL' && id === FLEET_HAIKU_MODEL) continue;
    try {
      await withDoctorCalls<ModelReply, void>(parts, async (calls, signal) => {
        const startedAt = performance.now();
        try {
          const trip = await makeRoundTrip({ model, entry: findModel(id, new Date()), calls }, signal);
          found.results.push(...toResults(id, trip, { nanoUsd: calls.totals.nanoUsd, startedAt }));
        } finally {
          found.nanoUsd += calls.totals.nanoUsd;
        }
      });
    } catch (error) {
      const isKey = error instanceof AccountRefusedError;
      const what = isKey ? 'ANTHROPIC_API_KEY' : id;
      found.results.push(unwell(what, toMessage(error), toFix(error, name, home)));
      if (isKey) break;
    }
  }
  return found;
}

function toResults(
  id: string,
  { calls, thinks, usesTools, takesTrim, limits }: RoundTrip,
  { nanoUsd, startedAt }: { nanoUsd: number; startedAt: number },
): CheckResult[] {
  const spent = `${calls} calls in ${Math.round(performance.now() - startedAt).toLocaleString('en-US')} ms for ${formatUsd(nanoUsd, 6)}, booked`;
  const can = [
    ...(thinks ? ['thinks'] : []),
    ...(usesTools ? ['uses tools'] : []),
    ...(takesTrim ? ['goes on after a trim'] : []),
  ];
  const trip =
    usesTools && takesTrim
      ? well(id, `${can.join(', ')}: ${spent}`)
      : unwell(id, `answers, but used no tool though it was told to: ${spent}`, 'run it again; tasks need tools');
  const stated = limits === null ? 'the answers state none' : describeLimits(id, limits);
  return [trip, well(`${id} limits`, stated)];
}

function toFix(error: unknown, variable: string, home: string): string {
  if (error instanceof AccountRefusedError) return `correct ANTHROPIC_API_KEY in ${home}/.env, or mend the account`;
  if (error instanceof RateLimitedError) return 'wait a minute, then run it again';
  if (error instanceof TaskFailedError && error.reason === 'model') return `correct ${variable}`;
  return 'fleet status says more; then run it again';
}
