const format = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/Los_Angeles',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

/**
 * The provider's date, `YYYY-MM-DD`: daily quotas reset at midnight Pacific time, also on the days when the clocks change.
 * https://ai.google.dev/gemini-api/docs/rate-limits
 * @param instantMs ms since the epoch
 */
export function toPacificDate(instantMs: number): string {
  return format.format(instantMs);
}
