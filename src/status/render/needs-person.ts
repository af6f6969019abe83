import type { Halt } from '../../halt/types.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { MissionLine, StatusSnapshot } from '../types.ts';
import type { Colours } from './colours.ts';
import { choicesOf, type HaltChoice } from './halt-choices.ts';

/** Missions that are shown with their choices; further ones are only counted. */
const SHOWN = 3;

/**
 * The first lines of a status: what continues only when a person decides, each with the commands that decide it. The halt comes first,
 * because it stops all work; then the questions of missions. None where nothing waits for a person.
 */
export function renderNeedsPerson(snapshot: StatusSnapshot, colours: Colours): string[] {
  const asking = listAsking(snapshot);
  const more = asking.length - SHOWN;
  return [
    ...(snapshot.halt === null ? [] : renderHalt(snapshot.halt, colours)),
    ...asking.slice(0, SHOWN).flatMap((mission) => renderQuestion(mission, colours)),
    ...(more > 0 ? [colours.yellow(`❓ and ${more} more: ${colours.bold('fleet mission ls')}`)] : []),
  ];
}

/** The missions that wait for an answer or for the approval of their plan, newest first. */
export function listAsking({ missions }: StatusSnapshot): MissionLine[] {
  return missions.filter(({ state }) => state === 'asks' || state === 'planned');
}

/** The ways to let a mission go on that waits for a person, the best first. */
function choicesOfMission({ id, state }: MissionLine): HaltChoice[] {
  const park = { what: 'set it aside', command: `fleet park ${id}` };
  if (state === 'planned') {
    return [
      { what: 'look at its plan', command: `fleet mission ${id}` },
      { what: 'run it', command: `fleet mission run ${id}` },
      park,
    ];
  }
  return [
    { what: 'answer it in words', command: `fleet resume ${id} --answer "…"` },
    { what: 'let it try again', command: `fleet resume ${id} --retry` },
    park,
  ];
}

/** Why the fleet is halted, since when, by whom, and each way out. */
export function renderHalt(halt: Halt, colours: Colours): string[] {
  const since = halt.at === '' ? '' : ` since ${halt.at}`;
  const by = halt.by === '' ? '' : ` by ${toOneLine(halt.by)}`;
  return [
    colours.red(colours.bold(`⛔ HALTED${since}${by}: ${toOneLine(halt.reason)}`)),
    ...(halt.step === '' ? [] : [`  At step: ${toOneLine(halt.step)}`]),
    ...(halt.detail === '' ? [] : [`  Detail:  ${toOneLine(halt.detail)}`]),
    ...renderChoices(choicesOf(halt), colours),
  ];
}

function renderQuestion(mission: MissionLine, colours: Colours): string[] {
  const { id, goal, state, problem } = mission;
  const what = state === 'planned' ? 'waits for approval of its plan' : 'ASKS';
  const why = problem === '' ? '' : `: ${toOneLine(problem)}`;
  return [
    colours.yellow(colours.bold(`❓ ${id} ${what}${why}`)),
    `  Goal:    ${toOneLine(goal)}`,
    ...renderChoices(choicesOfMission(mission), colours),
  ];
}

function renderChoices(choices: readonly HaltChoice[], colours: Colours): string[] {
  return choices.map(({ what, command }) => `  ➜ ${what}: ${colours.bold(command)}`);
}
