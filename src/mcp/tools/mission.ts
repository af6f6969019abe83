import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NotFoundError, UsageError } from '../../errors.ts';
import { assertSameWords } from '../../jobs/same-words.ts';
import type { MissionStatus } from '../../coordinator/mission/handle-types.ts';
import { isPlanned } from '../../coordinator/mission/shown-state.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { readHalt } from '../../halt/halt.ts';
import { onlyGiven } from '../tool/only-given.ts';
import { defineTool, type ToolCall } from '../tool/types.ts';
import { assertOwn } from '../work/assert-own.ts';
import { HALTED } from '../work/wait-for-work.ts';
import { describeMission, describePlan } from '../work/describe-mission.ts';

const POLL_MS = 500;

const input = z.strictObject({
  action: z.enum(['plan', 'show', 'approve', 'run', 'answer']),
  goal: z.string().min(1).max(50_000).optional().describe('of a new mission: plan, or run at once'),
  id: z.string().min(1).max(200).optional().describe('the mission’s; of a new one an id of yours'),
  workspace: z.string().optional(),
  budget_usd: z.number().positive().max(1_000_000).optional(),
  max_tasks: z.int().min(1).max(5_000).optional(),
  shard: z.string().min(1).max(100).optional(),
  drop: z.array(z.int().min(1)).max(5_000).optional().describe('with run: tasks to leave out'),
  edit: z.unknown().optional().describe('with run: a whole plan instead'),
  version: z.string().optional().describe('of the plan that you saw'),
  answer: z.string().min(1).max(4_000).optional().describe('with answer: to what it asks'),
  from: z.int().min(1).default(1).describe('first task of the plan to show'),
  confirm: z.boolean().optional().describe('true: you have seen the forecast'),
  seconds: z.number().min(0).max(45).default(40).describe('wait so long for a plan'),
});
type Given = z.output<typeof input>;

const output = z.object({
  id: z.string(),
  state: z.string().optional(),
  step: z.string().optional(),
  tasks: z.int().optional(),
  done: z.int().optional(),
  failed: z.int().optional(),
  cancelled: z.number().optional(),
  skipped: z.int().optional(),
  version: z.string().optional(),
  can_run: z.boolean().optional(),
  obstacle: z.string().optional(),
  spent_usd: z.string().optional(),
  likely_usd: z.string().optional(),
  high_usd: z.string().optional(),
  budget_left_usd: z.string().optional(),
  needs_confirm: z.boolean().optional(),
  finding: z.string().optional(),
  next_from: z.int().optional(),
  next: z.string(),
  material: z.string().optional(),
});

/** Gives the coordinator a goal, and decides about its plans. */
export const mission = defineTool({
  name: 'mission',
  title: 'Missions',
  description:
    'A goal for the coordinator, which plans, delegates and answers. plan: make the plan (paid) and show it; approve or run (drop, edit) that plan: nothing is planned or paid again; run with a goal: plan and run at once; show: plan or state; answer: what it asks. Then wait and result with its id.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input,
  output,
  async run(call, given) {
    const { action, goal, id } = given;
    if (goal !== undefined) {
      if (action === 'plan' || action === 'run') return begin(call, given, goal);
      throw new UsageError(`mission: ${action} takes no goal; it is for an id`);
    }
    if (id === undefined)
      throw new UsageError(`mission: ${action} needs ${action === 'plan' ? 'a goal' : 'the id of a mission'}`);
    if (action === 'plan' || action === 'show') return show(call, given, id);
    await assertOwn(call, 'mission', { ids: [id] });
    if (action === 'answer') {
      if (given.answer === undefined) throw new UsageError('mission: answer needs `answer`, in words');
      await call.fleet.missions.answer(id, given.answer);
      return { id, next: 'wait' };
    }
    return runPlan(call, given, id);
  },
});

async function begin(call: ToolCall, given: Given, goal: string) {
  const { action, id, workspace, budget_usd: budget, max_tasks, shard } = given;
  const limit = call.fleet.inner.config.FLEET_MCP_CONFIRM_USD;
  if (action === 'run' && given.confirm !== true && (budget ?? Infinity) > limit) {
    throw new UsageError(
      `mission: what it will cost is not known before its plan; call plan, or give budget_usd of at most ${limit}, or confirm: true`,
    );
  }
  const added = await call.fleet.missions.add(
    {
      goal,
      ...(action === 'plan' ? { approve: true } : {}),
      ...onlyGiven({ workspace, budget_usd: budget, max_tasks, shard }),
    },
    onlyGiven({ missionId: id }),
  );
  if (!added.added) await assertSameWords(call.fleet.inner.db, 'missions', { ...added, words: goal });
  // One of this id may be anywhere: it may wait for a decision about its plan.
  if (action === 'plan' || !added.added) return show(call, given, added.id);
  return { id: added.id, state: 'running', next: 'wait' };
}

/** Shows the plan, once there is one, else where the mission is. */
async function show(call: ToolCall, given: Given, id: string) {
  const endsAt = performance.now() + (given.action === 'plan' ? given.seconds * 1_000 : 0);
  for (;;) {
    const status = await readStatus(call, id);
    const isPlanning = status.state === 'running' && status.plan === null;
    if (!isPlanning) return toAnswer(call, status, given.from);
    const isHalted = (await readHalt(call.fleet.inner.db)) !== null;
    if (isHalted || performance.now() >= endsAt || call.signal.aborted) {
      const answer = await toAnswer(call, status, given.from);
      return isHalted ? { ...answer, obstacle: HALTED, next: 'tell the person' } : answer;
    }
    await sleep(POLL_MS, undefined, { signal: call.signal }).catch(() => undefined);
  }
}

async function toAnswer(call: ToolCall, status: MissionStatus, from: number) {
  const { id, state } = status;
  if (status.plan !== null && isPlanned(status)) {
    const plan = await call.fleet.missions.plan(id);
    return {
      id,
      state,
      ...describePlan(call, plan, from),
      next: plan.canRun ? 'approve, or run with drop or edit' : 'tell the person',
    };
  }
  const next = {
    running: 'wait',
    done: 'result',
    asks: 'answer',
    planned: 'show',
    parked: 'tell the person',
    failed: 'failed',
    cancelled: 'tell the person',
  };
  return { id, ...describeMission(call, status), next: next[state] };
}

async function readStatus({ fleet }: ToolCall, id: string): Promise<MissionStatus> {
  const status = await (await fleet.missions.get(id))?.status();
  if (status === null || status === undefined) {
    throw new NotFoundError(`mission ${id}: there is none of this id; status lists the newest`);
  }
  return status;
}

/** Runs a reviewed plan, if it is cheap or confirmed. */
async function runPlan(call: ToolCall, given: Given, id: string) {
  const { missions, inner } = call.fleet;
  const how =
    given.action === 'approve'
      ? onlyGiven({ version: given.version })
      : onlyGiven({ drop: given.drop, edit: given.edit, version: given.version });
  const checked = await missions.run(id, { ...how, dryRun: true });
  const { likely, worst, budgetLeft } = checked.forecast.cost;
  const forecast = {
    tasks: checked.tasks.length,
    likely_usd: formatUsd(likely, 4),
    high_usd: formatUsd(worst, 4),
    budget_left_usd: formatUsd(budgetLeft, 4),
  };
  const limit = toNanoUsd(inner.config.FLEET_MCP_CONFIRM_USD);
  if (given.confirm !== true && !checked.again && likely > limit) {
    const next = `nothing runs: the forecast is above ${formatUsd(limit, 4)}; if it is worth it, call again with confirm: true`;
    return { id, ...forecast, needs_confirm: true, next };
  }
  await missions.run(id, how);
  return { id, state: 'running', ...forecast, next: 'wait' };
}
