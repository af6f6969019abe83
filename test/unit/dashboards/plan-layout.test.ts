import { beforeAll, describe, expect, it } from 'vitest';

interface Task {
  n: number;
  task: string;
  dependsOn: number[];
}
interface Box {
  task: string;
  x: number;
  y: number;
  width: number;
  height: number;
  cells: { n: number; x: number; y: number; width: number; height: number }[];
}
interface Layout {
  boxes: Box[];
  edges: { key: string; points: { x: number; y: number }[] }[];
  width: number;
  height: number;
}
const PAGE = '../../../dashboards/pages/assets/mission/layout.js';
let layOut: (tasks: readonly Task[]) => Layout;

beforeAll(async () => {
  ({ layOut } = (await import(PAGE)) as { layOut: typeof layOut });
});

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** No two boxes overlap, each cell is inside of its box, all are inside of the picture, and no line runs behind a box. */
function expectTidy({ boxes, edges, width, height }: Layout): void {
  for (const [i, box] of boxes.entries()) {
    for (const other of boxes.slice(i + 1)) expect(overlap(box, other), `${box.task} ${other.task}`).toBe(false);
    for (const cell of box.cells) {
      expect(cell.x >= 0 && cell.x + cell.width <= box.width, `${cell.n} is inside`).toBe(true);
      expect(cell.y >= 0 && cell.y + cell.height <= box.height, `${cell.n} is inside`).toBe(true);
    }
    expect(box.x + box.width <= width && box.y + box.height <= height).toBe(true);
  }
  for (const { key, points } of edges) {
    for (let i = 0; i + 1 < points.length; i += 2) {
      const [from, to] = [points[i], points[i + 1]];
      if (from === undefined || to === undefined) continue;
      const hit = boxes.filter(
        ({ x, y, width: w, height: h }) => x < to.x && from.x < x + w && y < from.y && from.y < y + h,
      );
      expect(hit, `${key} runs behind a box`).toEqual([]);
    }
  }
}

describe('the picture of a plan', () => {
  it('puts each task right of all that it waits for, and draws a line a dependency', () => {
    const layout = layOut([
      { n: 1, task: 'look', dependsOn: [] },
      { n: 2, task: 'ask', dependsOn: [] },
      { n: 3, task: 'mend', dependsOn: [1] },
      { n: 4, task: 'tell', dependsOn: [1, 2, 3] },
    ]);
    const x = Object.fromEntries(layout.boxes.map((box) => [box.task, box.x]));
    expect(x['look']).toBe(x['ask']);
    expect(x['mend']).toBeGreaterThan(x['look'] ?? 0);
    expect(x['tell']).toBeGreaterThan(x['mend'] ?? 0);
    expect(layout.edges.map(({ key }) => key).toSorted()).toEqual(['ask tell', 'look mend', 'look tell', 'mend tell']);
    for (const { points } of layout.edges) expect(points[0]?.x).toBeLessThan(points.at(-1)?.x ?? 0);
    expectTidy(layout);
  });

  it('keeps a hundred tasks of one entry each together, with one line instead of a hundred', () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ n: i + 1, task: 'look', dependsOn: [] }));
    const layout = layOut([...many, { n: 101, task: 'tell', dependsOn: many.map(({ n }) => n) }]);
    expect(layout.boxes.map(({ cells }) => cells.length)).toEqual([100, 1]);
    expect(layout.edges).toHaveLength(1);
    expect(layout.width).toBeLessThan(1_200);
    expectTidy(layout);
  });

  it('ends for no task, a chain of 500, and a circle, which no plan has', () => {
    expect(layOut([])).toMatchObject({ boxes: [], edges: [] });
    const chain = Array.from({ length: 500 }, (_, i) => ({ n: i + 1, task: `t${i}`, dependsOn: i === 0 ? [] : [i] }));
    expect(layOut(chain).edges).toHaveLength(499);
    const all = chain.map((task) => ({ ...task, dependsOn: Array.from({ length: task.n - 1 }, (_, i) => i + 1) }));
    expect(layOut(all)).toMatchObject({ edges: [], undrawn: (500 * 499) / 2 }); // nobody could follow them
    const circle = layOut([
      { n: 1, task: 'a', dependsOn: [2] },
      { n: 2, task: 'b', dependsOn: [1] },
      { n: 3, task: 'c', dependsOn: [9] },
    ]);
    expect(circle.boxes).toHaveLength(3);
    expect(circle.edges).toHaveLength(1);
    expectTidy(circle);
  });
});
