import { fetchJson, sendChange } from '../fetch-json.js';

/**
 * What the page of a mission does to change a task of its plan before it runs. A change is kept in the page until the plan is
 * approved; the server looks at each first.
 * @param page `view()` has `page`, `dropped` and `edits` (planned task → its change); `show(part)` shows `editing`, `edits` and `result`
 */
export function createPlanEdits({ address, view, show }) {
  return {
    async edit(task) {
      const form = await fetchJson(`${address}/plan/${encodeURIComponent(task)}`);
      if (form === null) return;
      const { description, model, reason } = { ...form, ...view().edits.get(task) };
      show({ editing: { form, draft: { description, model, reason: reason ?? '' }, problem: null, isLooking: false } });
    },
    typeEdit(part) {
      const { editing } = view();
      show({ editing: { ...editing, draft: { ...editing.draft, ...part }, problem: null } });
    },
    closeEdit: () => show({ editing: null }),
    /** Returns whether the plan would run with it; else the form stays, with what is wrong. */
    async keepEdit() {
      const { editing, edits } = view();
      const { task } = editing.form;
      const next = new Map(edits).set(task, toChange(editing));
      if (isSame(editing)) next.delete(task);
      show({ editing: { ...editing, isLooking: true } });
      const body = { ...toRun({ ...view(), edits: next }), version: editing.form.version, dryRun: true };
      const { problem } = await sendChange(`${address}/run`, body);
      if (view().editing === null) return false; // a person has closed it meanwhile
      if (problem !== undefined) {
        show({ editing: { ...view().editing, isLooking: false, problem } });
        return false;
      }
      show({ edits: next, result: null });
      return true;
    },
    resetEdit(task) {
      const edits = new Map(view().edits);
      edits.delete(task);
      show({ edits, result: null });
    },
  };
}

/** What runs, as the server takes it. */
export function toRun({ page, dropped, edits }) {
  return {
    version: page.plan.version,
    drop: [...dropped],
    changes: [...edits].map(([task, change]) => ({ task, ...change })),
  };
}

/** A cheap model needs no reason. */
function toChange({ form, draft: { description, model, reason } }) {
  const isExpensive = form.models.find(({ name }) => name === model)?.isExpensive ?? reason !== '';
  return { description, model, ...(isExpensive && reason !== '' && { reason }) };
}

function isSame({ form, draft }) {
  return draft.description === form.description && draft.model === form.model && draft.reason === (form.reason ?? '');
}
