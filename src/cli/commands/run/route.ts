import { UsageError } from '../../../errors.ts';
import { catalogOf } from '../../../pricing/catalog.ts';
import { toAllowedVendors } from '../../../routing/allowed-vendors.ts';
import { createAvailability, type Pause } from '../../../routing/availability.ts';
import { chooseModel } from '../../../routing/choose-model.ts';
import { toRouteAsk } from '../../../routing/route-ask.ts';
import { toRouteTable } from '../../../routing/route-table.ts';
import type { RouteAsk, RouteChoice } from '../../../routing/types.ts';
import { readContextBytes } from '../../../contexts/memory-contexts.ts';
import { assertWorkspace, readKnownNames, toConfigured } from '../../../tasks/known-names.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';
import { toTaskInput, type TaskCommandOptions } from './task-input.ts';
import { formatCount } from '../../../text/plural.ts';

export type RouteCommandOptions = TaskCommandOptions & { explain?: boolean };

/** Does `fleet route`. */
export async function runRouteCommand(description: string, options: RouteCommandOptions): Promise<void> {
  const task = toTaskInput(description, options);
  await withFleet(async ({ inner: { db, config } }) => {
    const known = await readKnownNames(db, toConfigured(config));
    if (task.workspace !== undefined) assertWorkspace(task.workspace, known);
    const vendors = toAllowedVendors(task, known.vendors ?? {});
    const ask = toRouteAsk(task, { contextBytes: await readContextBytes(db, task), vendors });
    const choice = chooseModel(ask, toRouteTable(config, catalogOf(config), db.clock.date()));
    if (choice.kind === 'refusal') {
      const passedOver = options.explain === true ? choice.passedOver.map((line) => `\n  ${line}`).join('') : '';
      throw new UsageError(`route: ${choice.message}${passedOver}`);
    }
    const models = [choice.entry, ...choice.next];
    const pauses = await createAvailability(db, null).read(models);
    if (options.json === true) return printJson(toJson(ask, choice, pauses));
    console.log(`${choice.entry.id}: ${choice.why}`);
    if (choice.next.length > 0) {
      console.log(`  where it takes no call: ${choice.next.map(({ id }) => id).join(', then ')}`);
    }
    for (const [i, pause] of pauses.entries()) {
      if (pause !== null) console.log(`  now ${models[i]?.id} takes no call: ${pause.why}`);
    }
    for (const line of choice.unknown) console.error(`⚠️  passed over: ${line}`);
    if (options.explain === true) for (const line of explain(ask, choice)) console.log(`  ${line}`);
  });
}

function explain(ask: RouteAsk, { passedOver, unknown }: RouteChoice): string[] {
  const told = new Set(unknown);
  return [
    `the task: kind ${ask.kind}, about ${formatCount(ask.promptTokens)} tokens, needs ${ask.needs.join(', ')}, vendors ${ask.vendors?.join(', ') ?? 'all'}`,
    ...passedOver.filter((line) => !told.has(line)).map((line) => `passed over: ${line}`),
  ];
}

function toJson(ask: RouteAsk, choice: RouteChoice, pauses: readonly (Pause | null)[]): object {
  return {
    model: choice.entry.id,
    vendor: choice.entry.vendor,
    route: choice.route,
    why: choice.why,
    next: choice.next.map(({ id }) => id),
    unavailable: [choice.entry, ...choice.next].flatMap(({ id }, i) => {
      const pause = pauses[i] ?? null;
      return pause === null ? [] : [{ model: id, why: pause.why }];
    }),
    prompt_tokens: ask.promptTokens,
    needs: ask.needs,
    vendors: ask.vendors,
    passed_over: choice.passedOver,
  };
}
