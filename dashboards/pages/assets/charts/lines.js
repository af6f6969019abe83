/** The outcomes of tasks, from the bottom of a bar to its top: name, colour. */
export const OUTCOMES = {
  completed: ['done', 'good'],
  partial: ['partial', 'hue-1'],
  failed: ['failed', 'bad'],
  cancelled: ['cancelled', 'soft'],
};

export const PERCENTILES = { p50: ['p50', 'hue-0'], p95: ['p95', 'hue-2'] };

/** Models with a colour of their own, those that cost most. */
const MOST_MODELS = 5;

/** Returns one line a name. @param names key in `values` and `totals` → name, colour */
export function toLines(names, values, totals) {
  return Object.entries(names).map(([key, [name, tone]]) => ({ name, tone, values: values[key], total: totals[key] }));
}

/** Returns one line a model, those that cost most, and one for what all others cost. */
export function toModels({ dollars, totals }) {
  const names = Object.keys(dollars).toSorted((a, b) => totals.dollars[b] - totals.dollars[a]);
  const lines = names.map((name, i) => ({
    name,
    tone: `hue-${i}`,
    values: dollars[name],
    total: totals.dollars[name],
  }));
  const others = lines.splice(MOST_MODELS);
  if (others.length === 0) return lines;
  const values = others[0].values.map((value, i) =>
    value === null ? null : sum(others.map((line) => line.values[i])),
  );
  const total = sum(others.map((line) => line.total));
  return [
    ...lines,
    { name: `${others.length} other ${others.length === 1 ? 'model' : 'models'}`, tone: 'soft', values, total },
  ];
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
