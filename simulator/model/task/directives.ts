import { findMarkerNumber, hasMarker } from '../markers.ts';

/** What the markers of a task's description ask for. */
export interface Directives {
  /** `[[turns:N]]`: exactly N replies; all but the last call tools. */
  turns: number | null;
  /** `[[tokens:N]]`: approximate size of the final answer. */
  tokens: number | null;
  /** `[[latency:N]]`: ms that each reply takes. */
  latencyMs: number | null;
  /** Whether the result breaks the schema: `[[bad-schema-once]]` until the worker sends it back, `[[bad-schema]]` always. */
  badSchema: 'never' | 'once' | 'always';
  /** `[[refuse]]`: the model declines. */
  refuse: boolean;
}

export function parseDirectives(description: string): Directives {
  return {
    turns: findMarkerNumber(description, 'turns'),
    tokens: findMarkerNumber(description, 'tokens'),
    latencyMs: findMarkerNumber(description, 'latency'),
    badSchema: hasMarker(description, 'bad-schema')
      ? 'always'
      : hasMarker(description, 'bad-schema-once')
        ? 'once'
        : 'never',
    refuse: hasMarker(description, 'refuse'),
  };
}
