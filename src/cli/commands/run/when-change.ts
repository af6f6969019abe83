import { NotFoundError, UsageError } from '../../../errors.ts';
import type { ChainSelection } from '../../../rules/types.ts';
import { countOf } from '../../../text/plural.ts';
import { assertOnly } from '../../input/only-options.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';
import { warnWithoutRunner } from '../../output/warnings.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';

export type WhenVerb = 'pause' | 'resume' | 'rm';

/** Does `fleet when pause`, `resume` and `rm`. */
export async function runWhenChangeCommand(verb: WhenVerb, name: string, options: { json?: boolean }): Promise<void> {
  assertOnly(`when ${verb}`, options, ['json']);
  await withFleet(
    async (fleet) => {
      const { rules } = fleet;
      if (verb === 'rm') {
        const { dropped } = await rules.remove(name);
        if (options.json) return printJson({ name, removed: true, dropped });
        console.log(`Rule ${name} is gone${dropped === 0 ? '' : `, with ${countOf(dropped, 'parked chain')}`}.`);
        return console.log(`Tasks that it started go on; its costs stay: fleet costs --by rule`);
      }
      const rule = await (verb === 'pause' ? rules.pause(name) : rules.resume(name));
      if (options.json) return printJson(rule);
      if (verb === 'pause') {
        console.log(`Rule ${name} is paused: it starts nothing and misses nothing.`);
        return console.log(`  fleet when resume ${name} lets it go on from here`);
      }
      console.log(`Rule ${name} goes on from its place.`);
      if (rule.problem !== null) console.error(`⚠️  ${rule.problem}`);
      if (rule.parked > 0) {
        console.log(`  ${countOf(rule.parked, 'chain')} of it stay parked: fleet when release ${name} starts them`);
      }
      await warnWithoutRunner(fleet, rule.task.for);
    },
    { writesWhenFull: verb !== 'resume' },
  );
}

export type ChainVerb = 'release' | 'drop';

/** Does `fleet when release` and `drop`. @param names of one rule, or ids of tasks */
export async function runWhenChainsCommand(
  verb: ChainVerb,
  names: readonly string[],
  options: { json?: boolean },
): Promise<void> {
  assertOnly(`when ${verb}`, options, ['json']);
  await withFleet(async (fleet) => {
    const selection = await toSelection(fleet, verb, names);
    const count = await fleet.rules[verb](selection);
    if (options.json) return printJson({ [verb === 'release' ? 'released' : 'dropped']: count });
    if (count === 0) return console.log('No parked chain of these; fleet when ls lists those there are.');
    console.log(
      verb === 'release'
        ? `Released ${countOf(count, 'chain')}: the tasks wait for a worker.`
        : `Dropped ${countOf(count, 'chain')}.`,
    );
    if (verb === 'release') await warnWithoutRunner(fleet);
  });
}

/** @throws NotFoundError for a name that is neither a rule nor the task of a parked chain */
async function toSelection(fleet: OpenFleet, verb: ChainVerb, names: readonly string[]): Promise<ChainSelection> {
  const [rules, chains] = await Promise.all([fleet.rules.list(), fleet.rules.parked()]);
  const isRule = (name: string): boolean => rules.some((rule) => rule.name === name);
  const [first = ''] = names;
  if (names.length === 1 && isRule(first)) return { rule: first };
  const rule = names.find(isRule);
  if (rule !== undefined) {
    throw new UsageError(
      `when ${verb}: expected one rule, or ids of tasks; got rule ${rule} among ${names.length} names`,
    );
  }
  const unknown = names.find((name) => !chains.some(({ taskId }) => taskId === name));
  if (unknown === undefined) return { taskIds: names };
  throw new NotFoundError(
    `when ${verb}: ${unknown} is neither a rule nor the task of a parked chain; fleet when ls, fleet when show NAME`,
  );
}
