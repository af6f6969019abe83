/**
 * Places a plan's tasks for a picture: a box a planned task, with a cell for each of its entries; each box is in a layer right of all
 * boxes that it depends on. Pure arithmetic, in pixels.
 */

const CELL = { width: 92, height: 26, gap: 6 };
/** A box of one task has room for its first words. */
const SINGLE = { width: 196, height: 46 };
const PAD = 10;
const HEAD = 22;
const GAP = { layer: 64, box: 18 };
const MARGIN = 8;
/** Cells beside each other in one box. */
const MOST_COLUMNS = 6;
/** Height of the place that a line takes in a layer which it crosses. */
const VIA = 6;
/** Places of lines that cross layers. A plan that needs more has its lines run straight, also behind boxes. */
const MOST_VIAS = 2_000;
/** Lines of one picture: more of them show nothing. */
const MOST_LINES = 2_000;

/**
 * @param tasks each has `n`, `task` (the id of its planned task) and `dependsOn` (numbers)
 * @returns `boxes` with their `cells`; `edges`, each with `points`: level from every first to every second one, a curve from there to
 *   the next; `undrawn`, how many are too many; and the size of all
 */
export function layOut(tasks) {
  const groups = toGroups(tasks);
  const { layers, layerOf } = toLayers(groups);
  const all = toLines(groups, layerOf);
  const lines = all.length > MOST_LINES ? [] : all;
  const vias = addVias(lines, layers, layerOf);
  order(layers, (name) => [...(groups.get(name)?.after ?? vias.get(name) ?? [])]);
  const places = place(layers, groups);
  const boxes = [...places.values()].filter(({ cells }) => cells !== undefined);
  return {
    boxes,
    undrawn: all.length - lines.length,
    edges: lines.map(({ key, through }) => ({ key, points: toPoints(through.map((name) => places.get(name))) })),
    width: Math.max(0, ...boxes.map(({ right }) => right)) + MARGIN,
    height: Math.max(0, ...[...places.values()].map(({ y, height }) => y + height)) + MARGIN,
  };
}

/** Planned task → its tasks, and the planned tasks that it is after. */
function toGroups(tasks) {
  const groupOf = new Map(tasks.map(({ n, task }) => [n, task]));
  const groups = new Map();
  for (const one of tasks) {
    const group = groups.get(one.task) ?? { tasks: [], after: new Set() };
    group.tasks.push(one);
    for (const n of one.dependsOn) {
      const before = groupOf.get(n);
      if (before !== undefined && before !== one.task) group.after.add(before);
    }
    groups.set(one.task, group);
  }
  return groups;
}

/** The planned tasks by layer: each is in the layer behind the last one that it is after. A plan has each after those it depends on. */
function toLayers(groups) {
  const layerOf = new Map();
  const layers = [];
  for (const [task, { after }] of groups) {
    let layer = 0;
    for (const before of after) layer = Math.max(layer, (layerOf.get(before) ?? -1) + 1);
    layerOf.set(task, layer);
    (layers[layer] ??= []).push(task);
  }
  return { layers, layerOf };
}

/** One line a dependency, from left to right: `through` names its two ends. */
function toLines(groups, layerOf) {
  return [...groups].flatMap(([task, { after }]) =>
    [...after]
      .filter((before) => layerOf.get(before) < layerOf.get(task))
      .map((before) => ({ key: `${before} ${task}`, through: [before, task] })),
  );
}

/** Gives each line a place in every layer that it crosses; lines from one box share theirs. Returns place → what it is after. */
function addVias(lines, layers, layerOf) {
  const vias = new Map();
  const crossed = lines.map(({ through: [from, to] }) => layerOf.get(to) - layerOf.get(from) - 1);
  if (crossed.reduce((sum, layer) => sum + layer, 0) > MOST_VIAS) return vias;
  for (const line of lines) {
    const [from, to] = line.through;
    const through = [from];
    for (let layer = layerOf.get(from) + 1; layer < layerOf.get(to); layer += 1) {
      const name = `${layer} via ${from}`; // no planned task has a space in its id
      if (!vias.has(name)) layers[layer].push(name);
      vias.set(name, [through.at(-1)]);
      through.push(name);
    }
    line.through = [...through, to];
  }
  return vias;
}

/** Puts each place of a layer beside the mean place of what it is after, so that fewer lines cross. */
function order(layers, before) {
  const rowOf = new Map();
  for (const layer of layers) {
    const wanted = new Map(
      layer.map((name, i) => {
        const rows = before(name)
          .map((other) => rowOf.get(other))
          .filter((row) => row !== undefined);
        return [name, rows.length === 0 ? i : rows.reduce((sum, row) => sum + row, 0) / rows.length];
      }),
    );
    layer.sort((a, b) => wanted.get(a) - wanted.get(b));
    for (const [i, name] of layer.entries()) rowOf.set(name, i);
  }
}

/** Name → its place: that of a box, with its cells, or that of a line. `right`: the end of the layer. */
function place(layers, groups) {
  const places = new Map();
  let x = MARGIN;
  for (const layer of layers) {
    const own = layer.map((task) => ({
      task,
      x,
      ...(groups.has(task) ? toBox(groups.get(task).tasks) : { height: VIA }),
    }));
    const right = x + Math.max(...own.map(({ width = 0 }) => width));
    let y = MARGIN;
    for (const one of own) {
      places.set(one.task, { ...one, y, right });
      y += one.height + GAP.box;
    }
    x = right + GAP.layer;
  }
  return places;
}

/** From the right end of the first box to the left end of the last one. */
function toPoints(through) {
  const middle = ({ y, height }) => y + height / 2;
  return through.flatMap((one, i) => [
    ...(i > 0 ? [{ x: one.x, y: middle(one) }] : []),
    ...(i === 0 ? [{ x: one.x + one.width, y: middle(one) }] : []),
    ...(i < through.length - 1 ? [{ x: one.right, y: middle(one) }] : []),
  ]);
}

/** The size of a box, and its cells by their places in it. */
function toBox(tasks) {
  const [only] = tasks;
  if (tasks.length === 1) return { ...SINGLE, cells: [{ ...only, x: 0, y: 0, ...SINGLE }] };
  const columns = Math.min(MOST_COLUMNS, Math.ceil(Math.sqrt(tasks.length / 2)));
  const rows = Math.ceil(tasks.length / columns);
  const cells = tasks.map((one, i) => ({
    ...one,
    x: PAD + (i % columns) * (CELL.width + CELL.gap),
    y: HEAD + PAD / 2 + Math.floor(i / columns) * (CELL.height + CELL.gap),
    width: CELL.width,
    height: CELL.height,
  }));
  return {
    width: Math.max(SINGLE.width, 2 * PAD + columns * (CELL.width + CELL.gap) - CELL.gap),
    height: HEAD + PAD + rows * (CELL.height + CELL.gap) - CELL.gap + PAD / 2,
    cells,
  };
}
