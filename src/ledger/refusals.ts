import {
  BudgetHeldError,
  BudgetReachedError,
  type CallTimeoutError,
  CancelledError,
  HaltError,
  HeldElsewhereError,
  LockLostError,
  ModelCoolingError,
  ShutdownError,
  TaskFailedError,
  type FleetError,
} from '../errors.ts';
import { describeHalt, parseHalt } from '../halt/halt.ts';
import { toBudgetCommand } from './budget.ts';
import { formatUsd } from '../pricing/money.ts';
import { NO_USAGE } from '../pricing/tokens.ts';
import type { Keys } from '../redis/keys.ts';
import type { Scripts } from '../redis/scripts.ts';
import type { BeginAnswer, JobTotals, TaskIdentity } from './types.ts';

/** Value of a model's cool-down that `begin-turn.lua` sets for money. */
export const UNCERTAIN_PAUSE = 'uncertain';

type BudgetRefusal = Extract<BeginAnswer, { kind: 'budget' }>;

/** Parses the answer of begin-turn.lua. */
export function toBeginAnswer([kind, ...values]: Awaited<ReturnType<Scripts['begin-turn']>>, keys: Keys): BeginAnswer {
  const rest = values.map(String);
  switch (kind) {
    case 'reserved':
      return { kind, epoch: rest[0] ?? '0', reservation: rest[1] ?? '' };
    case 'replay': {
      const stored = new Map<string, string>();
      for (let i = 2; i < rest.length; i += 2) stored.set(rest[i] ?? '', rest[i + 1] ?? '');
      return { kind, epoch: rest[0] ?? '0', totals: toTotals(rest[1] ?? ''), stored };
    }
    case 'done':
      return { kind, finding: rest[0] ?? '' };
    case 'taken':
    case 'lock-lost':
    case 'cancelled':
      return { kind };
    case 'halted':
      return { kind, reason: describeHalt(parseHalt(rest[0] ?? '')) };
    case 'cooling':
      return { kind, delayMs: Number(rest[0]), isForMoney: rest[1] === UNCERTAIN_PAUSE };
    case 'budget':
      return toBudgetRefusal(rest, keys);
    default:
      throw new TypeError(`begin-turn: unknown answer ${JSON.stringify(kind)}`);
  }
}

/** Returns the error that the run of a job ends with if the ledger refuses its paid call. */
export function toRefusalError(
  answer: Exclude<BeginAnswer, { kind: 'reserved' | 'replay' }>,
  identity: Pick<TaskIdentity, 'jobId' | 'findingId' | 'model'>,
): FleetError {
  switch (answer.kind) {
    case 'done': // another run has stored the finding and ends the job: no call is needed
    case 'lock-lost':
      return lockLost(identity.jobId);
    case 'taken':
      return findingTaken(identity.findingId);
    case 'cancelled':
      return new CancelledError('cancelled before its next call');
    case 'halted':
      return new HaltError(answer.reason);
    case 'cooling':
      return toCoolingError(identity.model, answer);
    case 'budget':
      return toBudgetError(answer);
  }
}

/** For a call that reached the same time limit twice. A run that is retried goes on from the stored replies. */
export function toRepeatedTimeout(error: CallTimeoutError): TaskFailedError {
  const variable = error.limit === 'total' ? 'FLEET_CALL_TIMEOUT_MS' : 'FLEET_CALL_IDLE_MS';
  const advice = `raise ${variable} and fleet reload, ask with less effort, or split it; then fleet retry`;
  return new TaskFailedError('timeout', `${error.message}, for the second time; ${advice}`, { cause: error });
}

/** For a call that was cut off because its process left: says what it cost. @param bookedNanoUsd null: unknown */
export function toCutOff(error: ShutdownError, bookedNanoUsd: number | null): ShutdownError {
  if (bookedNanoUsd === 0) return error;
  const rest = 'of its reservation is uncertain (fleet costs --uncertain)';
  const cost =
    bookedNanoUsd === null ? `all ${rest}` : `${formatUsd(bookedNanoUsd, 6)} of it is booked, the rest ${rest}`;
  return new ShutdownError(`${error.message}: ${cost}`, { cause: error });
}

function toCoolingError(
  model: string,
  { delayMs, isForMoney }: Extract<BeginAnswer, { kind: 'cooling' }>,
): ModelCoolingError {
  return new ModelCoolingError(model, delayMs, describeCooling(model, isForMoney), isForMoney);
}

function describeCooling(model: string, isForMoney: boolean): string {
  if (!isForMoney) return `${model} cools down`;
  return `${model} waits: uncertain cost fills the day's budget; fleet costs --uncertain shows the calls`;
}

/** Another process has this job: the run must change nothing more. */
export function lockLost(jobId: string): LockLostError {
  return new LockLostError(`another worker has job ${jobId}`);
}

export function findingTaken(findingId: string): TaskFailedError {
  return new TaskFailedError('finding-taken', `finding ${findingId} already exists and belongs to something else`);
}

/** Returns an error that names the limit, the amount spent, and the command that raises the limit. */
export function toBudgetError(answer: BudgetRefusal): BudgetReachedError | BudgetHeldError {
  const { scope, name, limit, spent, held, worst } = answer;
  if (limit < 0) return new BudgetReachedError(scope, name, `${scope} ${name} is parked; fleet resume ${name}`, limit);
  const whose = scope === 'day' ? "the day's budget" : `the budget of ${scope} ${name}`;
  const used = `${whose} is ${formatUsd(limit, 4)}, ${formatUsd(spent, 4)} of it is spent or reserved`;
  const raise = toBudgetCommand(scope, name);
  if (held) {
    const room = `for calls under way; when they end there may be room (${raise} makes more)`;
    return new BudgetHeldError(scope, name, `${used} ${room}`, worst);
  }
  const more = scope === 'day' ? `${raise}, then fleet resume` : raise;
  return new BudgetReachedError(scope, name, `${used}, and the next call could pass it; ${more}`, limit);
}

function toBudgetRefusal([where = 'day', ...amounts]: string[], keys: Keys): BudgetRefusal {
  const [limit = 0, settled = 0, reserved = 0, uncertain = 0, worst = 0] = amounts.map(Number);
  const [scope, name] = where === 'day' ? ['day', ''] : toScope(where, keys);
  return {
    kind: 'budget',
    scope: scope as BudgetRefusal['scope'],
    name,
    limit,
    spent: settled + reserved + uncertain,
    worst,
    held: settled + uncertain + worst <= limit,
  };
}

/** `{fleet}:spend:batch:nightly` → `['batch', 'nightly']`. */
function toScope(key: string, keys: Keys): [string, string] {
  const scope = key.slice(keys.spend('').length);
  const colon = scope.indexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1)];
}

function toTotals(json: string): JobTotals {
  return json === '' ? { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 } : (JSON.parse(json) as JobTotals);
}

/** The finding of a task that another program's worker has, or has done, is not stored. The next run finds out which. */
export function heldElsewhere(oldId: string): HeldElsewhereError {
  return new HeldElsewhereError(
    oldId,
    '',
    0,
    '',
    `another program's worker has task:${oldId.slice(0, 200)} by now, or has done it`,
  );
}
