/**
 * A rule: whatever is found with the topic `broken` starts a task that looks for the cause, at most 100 a day and for $2 in all. The
 * script ends at once; the rule stays.
 *
 *   node dist/examples/when-broken.js site
 */
import { connectFleet, type RuleInput } from 'haiku-fleet';

const [workspace] = process.argv.slice(2);

const rule: RuleInput = {
  match: { topic: 'broken' },
  task: {
    description: 'Find the cause of {finding.id}: {finding.summary}',
    topics: ['cause'],
    ...(workspace === undefined ? {} : { workspace }),
  },
  budgetUsd: 2,
  maxPerDay: 100,
};

const fleet = await connectFleet(); // reads REDIS_URL and FLEET_SWARM
const { lookedAt, trials } = await fleet.rules.dryRun(rule, { since: '7d' });
console.log(`of ${lookedAt} findings of the last week ${trials.length} fit`);
const { state, fired } = await fleet.when('mend', rule, { replace: true });
console.log(`rule mend: ${state}, ${fired} fired`);
await fleet.close();
