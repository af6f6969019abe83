const format = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/Los_Angeles',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

/**
 * The provider's date, `YYYY-MM-DD`: daily quotas reset at midnight Pacific, on both daylight-saving days too.
 * https://ai.google.dev/gemini-api/docs/rate-limits
 * @param at ms since the epoch
 */
export function toPacificDate(at: number): string {
  return format.format(at);
}
