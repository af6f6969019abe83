import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from '../errors.ts';
import type { Scripts } from './scripts.ts';

const ASK_AGAIN_MS = 500;
/** Words Redis begins a refusal with that a person or a failover lifts. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const PASSING = /^(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN)\b/;

/**
 * The same scripts, but a Redis that is full, cannot write its disk or is changing its master is waited for: what they
 * store is paid for, and exists nowhere else. They may be sent twice; each is written for that.
 */
export function waitWhileRefused(scripts: Scripts): Scripts {
  const patient = Object.entries(scripts).map(([name, call]) => [name, patiently(call as AnyCall)]);
  return Object.fromEntries(patient) as Scripts;
}

type AnyCall = (...args: unknown[]) => Promise<unknown>;

function patiently(call: AnyCall): AnyCall {
  return async (...args) => {
    for (;;) {
      try {
        return await call(...args);
      } catch (error) {
        if (!isPassing(error)) throw error;
        await sleep(ASK_AGAIN_MS);
      }
    }
  };
}

/** Whether Redis refuses for now only. */
export function isPassing(thrown: unknown): boolean {
  return PASSING.test(toMessage(thrown)) || /OOM command not allowed/.test(toMessage(thrown));
}
