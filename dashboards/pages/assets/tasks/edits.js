import { fetchJson, sendChange } from '../fetch-json.js';

/** After the last key, before the server is asked what would happen. */
const QUIET_MS = 300;
/** Fields whose label says what their rule is about. */
const LABELLED = ['maxTurns', 'budgetUsd', 'effort'];

/** Chosen in place of what the task names. No model has such an id. */
export const DEFAULT = '(default)';

/** What a person has typed. Null, or empty: that part of the task stays as it is; an emptied `maxTurns` is the default. `mode`: `fields`, or `json` for the whole task. */
const NOTHING = {
  mode: 'fields',
  append: '',
  description: null,
  model: '',
  maxTurns: null,
  effort: '',
  budgetUsd: '',
  json: null,
};

/**
 * What the page of a task does to retry it edited: while a person types, the server says what would happen, or which field breaks a rule.
 * @param page `view()`; `show(part)` shows `edit`: null while the form is closed; `reload()` reads the page again
 */
export function createEdits({ id, view, show, reload }) {
  /** Outlives the form, so that nothing typed is lost. */
  let draft = NOTHING;
  let looks = 0;
  let quiet;

  /** Finds out what the edit would do. An answer that is overtaken by another edit is ignored. */
  async function look() {
    const own = ++looks;
    const answer = await send(true);
    if (own === looks && view().edit !== null) show({ edit: { ...view().edit, isLooking: false, ...answer } });
  }

  /** Returns `found`: the server's answer; `problems`: why it is refused, by field; the field '' is the whole task. */
  async function send(dryRun) {
    const edit = toEdit(draft, view().edit.form);
    const { answer, problem } = await sendChange('/api/jobs/retry', { ids: [id], dryRun, ...(edit && { edit }) });
    const refused = problem === undefined ? (answer.refused[0] ?? null) : { message: problem, field: null };
    return {
      found: answer ?? null,
      problems: refused === null ? {} : { [refused.field ?? '']: toRule(refused.message, refused.field) },
    };
  }

  return {
    async askEdit() {
      const form = await fetchJson(`/api/jobs/${encodeURIComponent(id)}/edit`);
      if (form === null) return;
      show({ edit: { form, draft, isLooking: true, found: null, problems: {} }, result: null });
      await look();
    },
    type(part) {
      draft = { ...draft, ...part };
      show({ edit: { ...view().edit, draft, isLooking: true } });
      clearTimeout(quiet);
      quiet = setTimeout(look, QUIET_MS);
    },
    closeEdit() {
      clearTimeout(quiet);
      looks += 1;
      show({ edit: null });
    },
    /** Returns whether it is done; else the form stays, with what is wrong. */
    async confirmEdit() {
      clearTimeout(quiet);
      looks += 1;
      const { edit } = view();
      show({ edit: { ...edit, isLooking: true } });
      const { found, problems } = await send(false);
      const [problem] = Object.values(problems);
      if (problem !== undefined) {
        const isOpen = view().edit !== null; // a person may have closed it meanwhile
        show(
          isOpen
            ? { edit: { ...view().edit, isLooking: false, found, problems } }
            : { result: { action: 'retry', problem } },
        );
        return false;
      }
      draft = NOTHING;
      show({ result: { action: 'retry', done: found.done, refused: [] } });
      void reload();
      return true;
    },
  };
}

/** The edit as the server takes it; null: nothing is changed. */
export function toEdit(draft, form) {
  if (draft.mode === 'json') return draft.json === null || draft.json === form.json ? null : { json: draft.json };
  const { append, description, model, maxTurns, effort, budgetUsd } = draft;
  const given = {
    ...(append.trim() !== '' && { append }),
    ...(description !== null && description !== toTyped(form.description) && { description }),
    ...(model !== '' && { model: model === DEFAULT ? null : model }),
    ...(maxTurns !== null && maxTurns.trim() !== turnsOf(form) && { maxTurns: toTurns(maxTurns) }),
    ...(effort !== '' && { effort: effort === DEFAULT ? null : effort }),
    ...(budgetUsd.trim() !== '' && { budgetUsd: toAmount(budgetUsd) }),
  };
  return Object.keys(given).length === 0 ? null : given;
}

/** Without what the form says anyway, as it does the name of a field above its problem. */
function toRule(message, field) {
  const rule = message.replace(/^job \S+: /, '').replace(/^task: /, '');
  return LABELLED.includes(field) ? rule.replace(/^[a-z_]+: /, '') : rule;
}

/** What is no number goes as it is: the rule of its field refuses it. */
function toAmount(text) {
  const number = Number(text.trim().replace(/^\$/, ''));
  return Number.isFinite(number) ? number : text;
}

function toTurns(text) {
  return text.trim() === '' ? null : toAmount(text);
}

/** Most turns as the form begins with them; empty: the default. */
export function turnsOf({ maxTurns }) {
  return maxTurns === null ? '' : String(maxTurns);
}

/** A text as a browser's field has it. */
export function toTyped(text) {
  return text.replace(/\r\n?/g, '\n');
}
