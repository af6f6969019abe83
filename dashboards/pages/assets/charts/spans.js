/** The spans of `/api/series`: name → what it is called, and what its steps are. */
export const SPANS = {
  '1h': { title: 'the last hour', steps: 'minutes' },
  '24h': { title: 'the last 24 hours', steps: 'stretches of ten minutes' },
  '7d': { title: 'the last 7 days', steps: 'hours' },
};
