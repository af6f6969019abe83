import { createInterface } from 'node:readline/promises';
import { UsageError } from '../../errors.ts';

/** Words that people type after a command's name to look at something, as other programs take them. */
const LOOKING =
  toWords(`all check count describe diff find get help history info inspect last latest list log logs ls ps print search
  show state stats status tail top usage version view watch h`);
/** … and to change or stop something, and names of things. */
const CHANGING = toWords(`add approve begin cat clear close create del delete edit end exit finish kill new open
  pause plan quit remove restart rm run set start stop test unpause update
  active batch cancelled completed job missions pending queue queues questions rules tasks waiting workers`);
/** The commands of the fleet, in the order of the alphabet, and those below them that are no word of the lists above. */
const COMMANDS =
  toWords(`apply ask audit batches bench bridge budget cancel claim completion context costs demo diff discard doctor down fail
  failed findings halt jobs limits mcp mission models monitor paper park prompt release reload renew report resume retract retry route
  session sessions shards single spawn status task token undo up wait when worker worktrees`);
const BELOW_COMMANDS = toWords(`adopt drop install load replay redis revoke take`);
/** What a word means where it is no command's name. */
const MEANT: Readonly<Record<string, string>> = {
  active: 'fleet jobs --state running',
  batch: 'fleet status --batch NAME',
  cancelled: 'fleet jobs --state cancelled',
  completed: 'fleet jobs --state done',
  help: 'fleet --help',
  job: 'fleet jobs',
  missions: 'fleet mission ls',
  pending: 'fleet jobs --state waiting',
  queue: 'fleet status',
  queues: 'fleet status',
  rules: 'fleet when ls',
  stop: 'fleet cancel ID',
  kill: 'fleet cancel ID',
  tasks: 'fleet jobs',
  version: 'fleet --version',
  waiting: 'fleet jobs --state waiting',
  workers: 'fleet status',
};
/** … the same in other languages. */
const ELSEWHERE =
  toWords(`liste lister lista listar elenco hilfe aide ayuda aiuto ajuda zeige zeigen montrer mostrar estado statut stato
  arreter arrêter detener parar stopp abbrechen annuler cancelar löschen supprimer borrar eliminar`);

/** The shapes of the fleet's own ids. */
const OWN_ID = /^(finding|archive|task|mission|query)[_-][0-9a-z_-]*[0-9][0-9a-z_-]*$/i;
const HEX_ID = /^[0-9a-f]{8,}$/i;
/** The shape of ids that people give: words and numbers with dashes, such as `release-7`. */
const GIVEN_ID = /^(?=.*\d)(?=.*[_-])[\w.-]+$/;
/** Signs alone, such as `?`, ask for nothing. */
const SIGNS = /^[!-/:-@[-`{-~]+$/;

export interface WordsMeant {
  /** The command, such as `mission`. */
  command: string;
  /** What the command would take the text for, such as `a goal`. */
  as: string;
  /** What that does, such as `planning it is paid`. */
  effect: string;
  /** The commands that the person may have meant. `ID` is replaced by the word where it is an id. */
  instead: readonly string[];
  /** Only words of looking are stopped: the command must not fail where it is needed in a hurry. Default false. */
  onlyLooking?: boolean;
  /** The text is a name, which may have the shape of an id that people give, such as `instance-11`. Default false. */
  isName?: boolean;
}

/** What is said of a text after `--`, in documents and in messages. */
const MORE = 'Otherwise say it in more words, or put -- before it';

/**
 * Stops a word that was typed by habit, such as `ls`, from becoming paid work. On a terminal the person is asked; a script must
 * say more. A text that is given after `--` is meant.
 * @throws UsageError where it is not what was meant
 */
export async function assertMeant(
  text: string,
  { command, as, effect, instead, onlyLooking = false, isName = false }: WordsMeant,
): Promise<void> {
  const word = text.trim();
  const verb = toVerb(word);
  const isId = OWN_ID.test(word) || HEX_ID.test(word) || (!isName && GIVEN_ID.test(word));
  const isLooking = LOOKING.has(verb) || SIGNS.test(word);
  const isOther = isVerb(verb) || ELSEWHERE.has(verb) || isId;
  if (isGivenAsText() || (!isLooking && (onlyLooking || !isOther))) return;
  const lines = instead.map((line) => line.replaceAll('ID', isId ? word : 'ID'));
  const others = [...new Set([...toCommandsMeant(verb), ...lines])].join(', or ');
  const question = `${command}: ${JSON.stringify(word)} would be taken as ${as}, and ${effect}`;
  if (process.stdin.isTTY && process.stderr.isTTY) {
    if (await isYes(`${question}. Did you mean: ${others}?\nTake it as ${as}? [y/N] `)) return;
    throw new UsageError(`${command}: nothing was done`);
  }
  throw new UsageError(`${question}; nothing was done. You may mean: ${others}. ${MORE}`);
}

/** Whether the command line says with `--` that what follows is text, and no option, verb or id. */
export function isGivenAsText(): boolean {
  return process.argv.includes('--');
}

/**
 * What a person may have meant who gave a command more words than it takes, such as `fleet task list failed`.
 * @param words of the command line after `fleet`
 * @returns one line; null where the words tell nothing
 */
export function describeExcessWords([command = '', ...rest]: readonly string[]): string | null {
  const words = rest.filter((word) => !word.startsWith('-'));
  const text = IN_QUOTES[command];
  if (text === undefined || words.length === 0) return null;
  const meant = words.flatMap((word) => toCommandsMeant(toVerb(word)));
  const others = meant.length === 0 ? '' : `You may mean: ${[...new Set(meant)].join(', or ')}. `;
  return `Nothing was done. ${others}A text of several words goes in quotes: fleet ${text} ${JSON.stringify(words.join(' '))}`;
}

/** The commands that take one text, as it is given. */
const IN_QUOTES: Readonly<Record<string, string>> = {
  task: 'task',
  ask: 'ask',
  mission: 'mission',
  paper: 'paper',
  single: 'single --task',
};

function toVerb(word: string): string {
  return word.toLowerCase().replace(/^-+/, '');
}

function isVerb(verb: string): boolean {
  return CHANGING.has(verb) || COMMANDS.has(verb) || BELOW_COMMANDS.has(verb);
}

function toCommandsMeant(verb: string): string[] {
  const meant = MEANT[verb] ?? (COMMANDS.has(verb) ? `fleet ${verb}` : undefined);
  return meant === undefined ? [] : [meant];
}

async function isYes(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

function toWords(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
