/** A command that reads a key of one kind, costs less than a microsecond, and fails for a key of another kind. */
const LOOK = { hash: 'HLEN', zset: 'ZCARD', set: 'SCARD', list: 'LLEN', string: 'STRLEN', stream: 'XLEN' } as const;
type Kind = keyof typeof LOOK;

/**
 * What a key holds, by its name in the scripts, or by script and name where scripts differ. A name that is missing is of a public
 * key, which may hold anything, or of a part of a name, or of keys of several kinds.
 */
const NAMES: Record<Kind, string> = {
  hash: `aliases asked listed counters turns totals reservations session outage_row retracted job mission tokens processes booked owed ledger pieces
    delegation adopted meta contexts versions batch batch_facts project note-shard.state rule pending parked save-rule.spend old_ends old_claims old_held`,
  zset: `index by_session by_shard by_batch condensed answers cancelled cancelled_ends patches begun_delayed delayed deaths starts waiting_children marker leases offered prioritized rules fired arrivals helped`,
  set: `once ledger_days stalled batch_failed conflicts dependencies note-load.failed count-cancelled.failed`,
  list: `logs wait active settlements`,
  string: `lock outage cooldown turn replace-context.context version`,
  stream: `events`,
};
const KINDS = new Map(
  (Object.keys(NAMES) as Kind[]).flatMap((kind) => NAMES[kind].split(/\s+/).map((name) => [name, kind] as const)),
);

/** They run at every turn: a damaged key of theirs is not worth a look each time. */
const EVERY_TURN = new Set(['begin-turn', 'settle-turn', 'pace']);

/** They write it with `pcall`: damaged counters must not stop a halt. */
const WRITTEN_IF_WELL = new Set(['count-event.counters', 'note-outcome.counters']);

/**
 * Lua statements that look at the keys of a script before its first write. Redis ends a script at the first command that fails and
 * undoes nothing, so that a key of another kind must be found before.
 * @param firstOptional position of the first name that may be nil
 */
export function toLooks(script: string, names: readonly string[], firstOptional: number): string {
  if (EVERY_TURN.has(script)) return '';
  return names
    .map((name, i) => {
      const kind = KINDS.get(`${script}.${name}`) ?? KINDS.get(name);
      if (kind === undefined || WRITTEN_IF_WELL.has(`${script}.${name}`)) return '';
      const look = `redis.call('${LOOK[kind]}', ${name})`;
      return i < firstOptional ? ` ${look}` : ` if ${name} then ${look} end`;
    })
    .join('');
}
