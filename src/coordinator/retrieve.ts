import type { StepContext } from './step/types.ts';

/** How one attempt at a retrieval ended. */
export type Retrieved<Value> = { state: 'completed'; value: Value } | { state: 'failed'; reason: string };

/**
 * A retrieval that somebody else does for the coordinator: tried once more with the error, then the mission asks the
 * person; who lets it go on gives it two more.
 * @param attempt told its name (`recall`, `recall-2` …) and why the one before failed
 */
export async function retrieve<Value>(
  ctx: StepContext,
  name: string,
  attempt: (name: string, failure: string | null) => Promise<Retrieved<Value>>,
): Promise<Value> {
  const { releases } = await ctx.read();
  const most = 2 * (releases + 1);
  let failure: string | null = null;
  for (let at = 1; at <= most; at += 1) {
    const tried = await attempt(at === 1 ? name : `${name}-${at}`, failure);
    if (tried.state === 'completed') return tried.value;
    failure = tried.reason;
  }
  return ctx.askPerson(`the ${name} failed twice: ${failure ?? ''}`);
}
