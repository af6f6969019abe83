import { countEdits, toLikeness } from './likeness.ts';
import type { ConfigNote } from './notes.ts';

/** Names that the fleet may be meant with. */
const OURS = /^(?:FLEET|ANTHROPIC|GEMINI|DEEPSEEK|DASHBOARD)_/i;

/**
 * Names of well-known other programs: coding assistants and SDKs of the providers, Elastic's and Fleet's own `FLEET_SERVER_*`, and
 * what Docker and Kubernetes set for a service called `fleet` or `dashboard`.
 */
const FOREIGN =
  /^(?:ANTHROPIC_(?:AUTH_TOKEN|MODEL|SMALL_FAST_MODEL.*|DEFAULT_.*|CUSTOM_.*|BEDROCK_.*|VERTEX_.*|FOUNDRY_.*|AWS_.*|BETAS|LOG|PROFILE|ORGANIZATION_ID|WORKSPACE_ID|UNIX_SOCKET|WEBHOOK_.*)|GEMINI_(?:CLI.*|MODEL|SANDBOX.*|SYSTEM_MD|WRITE_SYSTEM_MD|TELEMETRY_.*|DEBUG|IDE_.*|DEFAULT_AUTH_TYPE|API_KEY_AUTH_MECHANISM)|DEEPSEEK_(?:MODEL|API_BASE)|FLEET_(?:(?:SERVER|MYSQL|REDIS(?!_URL$)|OSQUERY|LOGGING|TOKEN)_.*|ENROLL.*|SETUP|FORCE|INSECURE|CA|URL|DAEMON_.*)|(?:FLEET|DASHBOARD)_(?:SERVICE_(?:HOST|PORT.*)|PORT_\d+_.*))$/;

/** Set by the fleet itself or by its tests for its own processes. */
const INTERNAL = /^FLEET_(?:RUN_ID|TEST_.*)$/;

/** Shards and addresses of other swarms: what reads them names the wrong ones. */
const NAMED_ELSEWHERE = /^(?:GEMINI_[A-Z_]+_SHARD|FLEET_PEER_)/;

/** Names of an address of Redis in other programs. */
const REDIS_ALIKE =
  /^(?:FLEET_)?REDIS_?(?:URI|URLS?|ADDR|ADDRESS|HOST|HOSTNAME|SERVER|CONNECTION(?:_URL|_STRING)?|DSN)$/i;

/** Read from the shell only. */
const SHELL_NAMES = ['FLEET_HOME', 'FLEET_DATA'];

/** How alike the ends of two names with one beginning must be, 0..1, for one to be named as the other's meaning. */
const ALIKE = 0.5;
/** … and two whole names, where their beginnings differ: `FLEET_GEMINI_KEY`. */
const ALIKE_IN_WHOLE = 0.7;
/** Most letters that a beginning may be misspelt by, as in `ANTROPIC_API_KEY`; nothing is said of other programs' names. */
const SLIPS = 2;

/** Whether a variable of this name may be meant for the fleet. */
export function mayBeOurs(name: string): boolean {
  return OURS.test(name) || REDIS_ALIKE.test(name);
}

export interface UnknownNames {
  notes: ConfigNote[];
  /** Names that belong to other programs, and that the fleet does not read. */
  foreign: string[];
}

/**
 * Finds variables that look like the fleet's and that nothing reads.
 * @param known every name that the fleet reads
 * @param hasRedis whether the fleet knows its Redis: then an address of Redis under another name is other programs'
 */
export function findUnknownNames(
  known: readonly string[],
  {
    shell,
    file,
    hasRedis,
  }: { shell: Record<string, string | undefined>; file: Record<string, string>; hasRedis: boolean },
): UnknownNames {
  const all = [...known, ...SHELL_NAMES];
  const names = [...new Set([...Object.keys(file), ...Object.keys(shell)])].filter(
    (name) => mayBeOurs(name) || findSlip(name, all) !== null,
  );
  const isSet = (name: string): boolean => shell[name] !== undefined || file[name] !== undefined;
  const notes: ConfigNote[] = [];
  const foreign: string[] = [];
  for (const name of names) {
    const isOnlyInFile = shell[name] === undefined;
    if (SHELL_NAMES.includes(name) && isOnlyInFile) {
      notes.push({
        name,
        seen: 'is read from the shell only, not from .env',
        fix: `set it in the shell: export ${name}=…`,
      });
      continue;
    }
    if (all.includes(name) || INTERNAL.test(name) || NAMED_ELSEWHERE.test(name)) continue;
    if (FOREIGN.test(name)) foreign.push(name);
    else if (!REDIS_ALIKE.test(name)) notes.push(toNote(name, findNearest(name, all), isSet));
    else if (!hasRedis) notes.push(toNote(name, 'REDIS_URL', isSet));
  }
  return { notes, foreign };
}

/** Corrects the name in what is said of a line that sets nothing, where no variable has it: `FLEET_BUDGET: 3`. */
export function correctName(note: ConfigNote, known: readonly string[]): ConfigNote {
  const nearest = known.includes(note.name) ? null : findNearest(note.name, known);
  if (nearest === null) return note;
  return { ...note, fix: `did you mean ${nearest}? ${note.fix.replaceAll(note.name, nearest)}` };
}

/** What a wrong name has for a consequence counts most where it is about money or keys. */
function toNote(name: string, nearest: string | null, isSet: (name: string) => boolean): ConfigNote {
  const fix =
    nearest === null ? 'remove it, or correct it by .env.example, which lists all' : `did you mean ${nearest}?`;
  if (nearest === 'FLEET_BUDGET_USD' && !isSet(nearest)) {
    return {
      name,
      seen: 'is no name that this fleet knows, so that it sets no budget: that of a new swarm is $5 a day',
      fix,
    };
  }
  if (nearest?.endsWith('_KEY') === true && !isSet(nearest)) {
    return { name, seen: 'is no name that this fleet knows, so that it uses no key from it', fix };
  }
  return { name, seen: 'is no name that this fleet knows, so that nothing reads it', fix };
}

function findNearest(name: string, known: readonly string[]): string | null {
  const upper = name.toUpperCase().replace(/_(?:PASS|PWD|PW)$/, '_PASSWORD');
  let best: { name: string; alike: number } | null = null;
  for (const candidate of known) {
    const [prefix = ''] = OURS.exec(candidate) ?? [];
    const from = upper.startsWith(prefix) ? prefix.length : 0; // what all names of a prefix share says nothing
    const alike = toLikeness(upper.slice(from), candidate.slice(from));
    if (alike >= (from > 0 ? ALIKE : ALIKE_IN_WHOLE) && alike > (best?.alike ?? 0)) best = { name: candidate, alike };
  }
  return best?.name ?? findSlip(name, known);
}

/** The known name that differs by a slip or two; null: none. Short names differ by as much from others' names. */
function findSlip(name: string, known: readonly string[]): string | null {
  const upper = name.toUpperCase();
  const near = (other: string): boolean =>
    other.length >= 10 && Math.abs(other.length - upper.length) <= SLIPS && countEdits(upper, other) <= SLIPS;
  return known.find(near) ?? null;
}
