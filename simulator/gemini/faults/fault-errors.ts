import { GoogleError, invalidKey, serviceDisabled } from '../api/google-error.ts';
import { toQuotaRefusal, type Violation } from '../quota/quota-refusal.ts';
import type { ActiveGeminiFault, GeminiFacts } from './fault.ts';

/**
 * Whether a request that fails this way uses up quota: the provider counts a request that ends in a 400 or 500, but does
 * not bill it. https://ai.google.dev/gemini-api/docs/billing
 */
export function countsAgainstLimits({ kind }: ActiveGeminiFault): boolean {
  return ['invalid-request', 'server-error', 'overloaded', 'deadline'].includes(kind);
}

/** The error that the fault answers with; null for a fault that lets the request reach the model. */
export function toGeminiFaultError(fault: ActiveGeminiFault, facts: GeminiFacts): GoogleError | null {
  return ERRORS[fault.kind]?.(fault, facts) ?? null;
}

/** What a stream ends with that fails on the way: a last chunk that is an error. */
export function toStreamError(fault: ActiveGeminiFault | null): object {
  const [status, usual] =
    fault?.kind === 'error-mid-stream'
      ? ([500, 'An internal error has occurred. Please retry.'] as const)
      : ([503, 'The model is overloaded. Please try again later.'] as const);
  return new GoogleError(status, fault?.message ?? usual).toBody();
}

type ToError = (fault: ActiveGeminiFault, facts: GeminiFacts) => GoogleError;

const plain =
  (status: GoogleError['status'], usual: string, statusName?: string): ToError =>
  ({ message }) =>
    new GoogleError(status, message ?? usual, [], statusName);

const quota =
  (toViolations: (limit: number) => Violation[]): ToError =>
  ({ limit, retryMs }, { model }) =>
    toQuotaRefusal(toViolations(limit), { model, tier: 'free', retryMs });

const ERRORS: Partial<Record<ActiveGeminiFault['kind'], ToError>> = {
  'invalid-key': ({ message }) => invalidKey(message),
  permission: (_fault, { project }) => serviceDisabled(project),
  'no-billing': plain(
    400,
    'User location is not supported for the API use without a billing account linked.',
    'FAILED_PRECONDITION',
  ),
  'invalid-request': plain(400, 'Request contains an invalid argument.'),
  'minute-limit': quota((limit) => [{ kind: 'minute', limit }]),
  'day-limit': quota((limit) => [{ kind: 'day', limit }]),
  'token-limit': quota((limit) => [{ kind: 'tokens', limit }]),
  'day-and-minute-limit': quota((limit) => [
    { kind: 'minute', limit: 15 },
    { kind: 'day', limit },
  ]),
  'no-free-tier': quota(() => (['day', 'minute', 'tokens'] as const).map((kind) => ({ kind, limit: null }))),
  'bare-429': plain(429, 'Resource has been exhausted (e.g. check quota).'),
  'no-credits': plain(
    429,
    'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.',
  ),
  'server-error': plain(500, 'An internal error has occurred. Please retry.'),
  overloaded: plain(503, 'The model is overloaded. Please try again later.'),
  deadline: plain(504, 'Deadline expired before operation could complete.'),
};
