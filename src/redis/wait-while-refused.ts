import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from '../errors.ts';
import type { Scripts } from './scripts.ts';

const RETRY_MS = 500;
/** How Redis begins an error that ends when a person or a failover removes its cause. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const TEMPORARY = /^(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN)\b/;

/**
 * The same scripts, but each call is repeated while Redis is full, cannot write to its disk or fails over: what they store
 * is paid for and exists nowhere else. A script may be sent twice; each is safe to run twice.
 */
export function waitWhileRefused(scripts: Scripts): Scripts {
  const repeated = Object.entries(scripts).map(([name, call]) => [name, repeatWhileRefused(call as AnyCall)]);
  return Object.fromEntries(repeated) as Scripts;
}

type AnyCall = (...args: unknown[]) => Promise<unknown>;

function repeatWhileRefused(call: AnyCall): AnyCall {
  return async (...args) => {
    for (;;) {
      try {
        return await call(...args);
      } catch (error) {
        if (!isTemporary(error)) throw error;
        await sleep(RETRY_MS);
      }
    }
  };
}

/** Whether Redis refuses only for some time. */
export function isTemporary(thrown: unknown): boolean {
  return TEMPORARY.test(toMessage(thrown)) || /OOM command not allowed/.test(toMessage(thrown));
}
