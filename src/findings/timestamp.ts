/**
 * Local time without zone and with microseconds, as Python's `datetime.now().isoformat()` writes it: programs that read
 * `worker:status:*` and `finding:*` parse it as naive local time.
 */
export function toLocalTimestamp(date: Date): string {
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return `${day}T${time}.${pad(date.getMilliseconds(), 3)}000`;
}

/** `2026-11-21` in local time: the name of a session that was not given one. */
export function toLocalDay(date: Date): string {
  return toLocalTimestamp(date).slice(0, 10);
}

/** `2026-11-21` in UTC: the day a budget counts for, the same on every host. */
export function toUtcDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}
