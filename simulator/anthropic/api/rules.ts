/**
 * How strict the simulated provider is. `real`: as the provider is; each rule names its source where it is enforced.
 * `lenient`: models neither think nor check thinking, a token is four characters, and nothing but `requestsPerMinute` is
 * limited; only for a test that is about something else.
 */
export type Rules = 'real' | 'lenient';

export const DEFAULT_RULES: Rules = 'real';
