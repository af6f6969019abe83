import { FleetError } from '../../errors.ts';

/** A task's tree cannot be made or opened here. The message is for the person: what, why, what to do. */
export class TreeError extends FleetError {
  override name = 'TreeError';
}
