import { FleetError } from '../errors.ts';

/** A patch, or all patches of a workspace, cannot be worked. Nothing was changed. The message tells a person what to do. */
export class PatchError extends FleetError {
  override name = 'PatchError';
}
