import type { OncePer } from '../../../rules/types.ts';

/** The options of `fleet when NAME`. */
export interface WhenOptions {
  topic?: string;
  kind?: string;
  session?: string;
  mission?: string;
  grep?: string;
  from?: string;
  swarm?: string;
  task?: string;
  workspace?: string;
  budget?: number;
  max?: number;
  maxDepth?: number;
  oncePer?: OncePer;
  since?: string;
  replace?: boolean;
  dryRun?: boolean;
  limit?: number;
  json?: boolean;
}

/** The options of `fleet when replay`. */
export interface PastCommandOptions {
  since?: string;
  limit?: number;
  dryRun?: boolean;
  json?: boolean;
}
