/** Markers a test puts into a task's description to steer the simulated model, each as `[[name]]` or `[[name:number]]`. */
export interface Directives {
  /** Exactly this many model calls: tools in all but the last. */
  turns: number | null;
  /** Size of the final answer, in tokens, roughly. */
  tokens: number | null;
  /** Milliseconds each reply takes. */
  latencyMs: number | null;
  /** The result breaks the schema: never, until it is told so, or always. */
  badSchema: 'never' | 'once' | 'always';
  refuse: boolean;
}

export function parseDirectives(description: string): Directives {
  const number = (name: string): number | null => {
    const found = new RegExp(`\\[\\[${name}:(\\d{1,7})\\]\\]`).exec(description)?.[1];
    return found === undefined ? null : Number(found);
  };
  const has = (name: string): boolean => description.includes(`[[${name}]]`);
  return {
    turns: number('turns'),
    tokens: number('tokens'),
    latencyMs: number('latency'),
    badSchema: has('bad-schema') ? 'always' : has('bad-schema-once') ? 'once' : 'never',
    refuse: has('refuse'),
  };
}

/** The description without its markers. */
export function stripDirectives(description: string): string {
  return description.replaceAll(/\s*\[\[[a-z-]+(?::\d+)?\]\]/g, '').trim();
}
