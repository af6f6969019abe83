import type { Config } from '../../config/environment.ts';
import type { OutsideParts } from '../parts.ts';
import type { ClaimOptions } from '../types.ts';

/** How a program does tasks. */
export interface ExecOptions extends Pick<ClaimOptions, 'as' | 'kind' | 'batch' | 'shard'> {
  /** Command line for `sh -c`. It gets the task as JSON on its standard input; its standard output is the result. */
  command: string;
  /** Tasks at once. */
  slots: number;
  /** How long a task is held without a renewal, ms. The worker renews it while the program runs. */
  leaseMs: number;
  /** Longest run of the program, ms. */
  deadlineMs: number;
  /** Variables of the program. */
  env: Record<string, string>;
  /** True: ends once no task is offered and none runs. */
  drain: boolean;
  /** Takes a line for the person. */
  say(line: string): void;
}

export interface ExecParts extends OutsideParts {
  config: Config;
}
