import type { Rule, RuleMatch, TaskView } from '../task/types.ts';
import { askPeers, helpPeer } from '../rules/peers/ask-peers.ts';
import { askArchive } from '../rules/ask-archive.ts';
import { count } from '../rules/count.ts';
import { describe } from '../rules/describe.ts';
import { findings, searchFindings } from '../rules/findings.ts';
import { askGit, commit } from '../rules/git.ts';
import { handBack } from '../rules/hand-back.ts';
import { http } from '../rules/http.ts';
import { replace } from '../rules/replace.ts';
import { run } from '../rules/run.ts';
import { say } from '../rules/say.ts';
import { list, search } from '../rules/search.ts';
import { script } from './script.ts';
import { survey } from '../rules/survey.ts';
import { transform } from '../rules/transform.ts';
import { write } from '../rules/write.ts';

/** Rules whose first match takes the whole task. */
const EXCLUSIVE: readonly Rule[] = [script, helpPeer, askPeers, askArchive, survey, handBack];
/** Rules that change something. A task may match several; they are carried out in this order. */
const ACTIONS: readonly Rule[] = [transform, write, replace, run, commit];
/** Rules that only read. The first match takes the task. */
const QUESTIONS: readonly Rule[] = [say, findings, http, askGit, count, search, list];

const NOTHING: RuleMatch = { next: () => [], answer: () => ({ text: 'Nothing to do.', values: {} }) };

/** The rules that take the task, as one. */
export function chooseRule(view: TaskView): RuleMatch {
  const exclusive = findMatch(EXCLUSIVE, view);
  if (exclusive !== null) return exclusive;
  const actions = ACTIONS.flatMap((rule) => rule(view) ?? []);
  if (actions.length > 0) return inSequence(actions);
  return findMatch(QUESTIONS, view) ?? chooseFallback(view);
}

function findMatch(rules: readonly Rule[], view: TaskView): RuleMatch | null {
  for (const rule of rules) {
    const match = rule(view);
    if (match !== null) return match;
  }
  return null;
}

/** Describes files, or searches the findings where the task has neither data nor a tool that shows files. */
function chooseFallback(view: TaskView): RuleMatch {
  const showsFiles = view.tools.has('read') || view.tools.has('glob');
  const onlyFindings = !showsFiles && view.tools.has('findings') && view.task.data === undefined;
  return (onlyFindings ? searchFindings(view) : null) ?? describe(view) ?? NOTHING;
}

/** Carries out several matches: each starts when the one before has no calls left. */
function inSequence(matches: readonly RuleMatch[]): RuleMatch {
  return {
    next: () => matches.map((match) => match.next()).find((calls) => calls.length > 0) ?? [],
    answer: () => {
      const answers = matches.map((match) => match.answer());
      const text = answers.map((answer) => answer.text).join('\n');
      return { text, values: { ...Object.assign({}, ...answers.map((answer) => answer.values)), summary: text } };
    },
  };
}
