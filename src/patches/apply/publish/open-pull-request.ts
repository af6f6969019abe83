import { toMessage } from '../../../errors.ts';
import type { PersonTree } from '../person/person-tree.ts';
import type { ApplyPlan } from '../plan/types.ts';
import { publish, type Publisher } from './pull-request.ts';

/** Opens a pull request of the commits of a plan. @returns the address, or why there is none: the branch stays then, too */
export async function openPullRequest(
  tree: PersonTree,
  publisher: Publisher,
  { branch, plan }: { branch: string; plan: ApplyPlan },
  signal: AbortSignal,
): Promise<{ opened: boolean; text: string }> {
  const subjects = plan.planned.map(({ record }) => record.message.split('\n', 1)[0] ?? '');
  const title = subjects.length === 1 ? (subjects[0] ?? branch) : `${subjects.length} patches of haiku-fleet`;
  const body = plan.planned.map(({ record }, i) => `- ${subjects[i]} (${record.findingId})`).join('\n');
  try {
    return { opened: true, text: await publish(tree, publisher, { branch, title, body }, signal) };
  } catch (error) {
    // Whatever it is, Ctrl-C included, the commits are on the branch, and the report must tell so.
    return { opened: false, text: toMessage(error) };
  }
}
