import { FleetError } from '../../errors.ts';

/** Patches cannot be merged without a person. The message names them, the paths and what to do. */
export class MergeError extends FleetError {
  override name = 'MergeError';
  constructor(
    /** `conflict`: they contradict each other in a way that no worker can mend. `missing`: nothing of a patch is here. */
    readonly reason: 'conflict' | 'missing',
    message: string,
  ) {
    super(message);
  }
}
