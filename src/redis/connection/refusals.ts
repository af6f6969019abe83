import { toMessage } from '../../errors.ts';

/**
 * How Redis begins an error that ends when a person or a failover removes its cause.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const TEMPORARY =
  /^(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|UNBLOCKED|NOAUTH|WRONGPASS)\b/;
/** Errors of a server that is not, or not yet, the one to ask: a new connection leads to the right one. */
const WRONG_SERVER = /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|UNBLOCKED)\b/;

/** Errors of the right server that takes no more for some time: its disk or memory is full, or its replicas are away. */
const FULL = /^(OOM|MISCONF|NOREPLICAS)\b|OOM command not allowed/;

/** Whether Redis refuses only for some time. */
export function isTemporary(thrown: unknown): boolean {
  const text = toMessage(thrown);
  return TEMPORARY.test(text) || /OOM command not allowed/.test(text);
}

/** Whether the right server takes nothing more for now. */
export function isFull(thrown: unknown): boolean {
  return FULL.test(toMessage(thrown));
}

/** Whether the server cannot do the command, but the master of the same data can. */
export function isWrongServer(thrown: unknown): boolean {
  return WRONG_SERVER.test(toMessage(thrown));
}
