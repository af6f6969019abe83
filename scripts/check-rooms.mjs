/**
 * Fails on a room (a folder) of more than 14 files, and on a circle of imports between files or between rooms. A folder
 * and its sub-folder are two rooms. Types count as imports. Usage: `node scripts/check-rooms.mjs [ROOT]`
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { globSync } from 'tinyglobby';

const MOST_FILES = 14;
const EXEMPT = ['src/cli/commands', 'src/cli/commands/run', 'bench', 'examples']; // one file a command, bench or example
const root = resolve(process.argv[2] ?? '.');

const files = globSync('{queues,simulator,src,workers,dashboards,bench,examples}/**/*.ts', { cwd: root });
const imports = new Map(files.map((file) => [file, readImports(file)]));
const problems = [
  ...findLargeRooms(),
  ...findCircles(imports).map((circle) => `circle of files: ${circle.join(' → ')}`),
  ...findCircles(toRooms(imports)).map((circle) => `circle of rooms: ${circle.join(' → ')}`),
];
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`${files.length} files, no circle, no room above ${MOST_FILES} files`);
process.exit(problems.length === 0 ? 0 : 1);

function readImports(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*'(\.{1,2}\/[^']+)'/gm);
  const targets = [...found].map(([, path]) => relative(root, resolve(root, dirname(file), path)));
  return new Set(targets.filter((target) => target.endsWith('.ts') && existsSync(join(root, target))));
}

function findLargeRooms() {
  const counts = new Map();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  const large = [...counts].filter(([room, count]) => count > MOST_FILES && !EXEMPT.includes(room));
  return large.map(([room, count]) => `room ${room}: ${count} files; expected at most ${MOST_FILES}`);
}

/** Returns the imports between rooms. The loose files of `src` are in no room: each counts as a room of its own. */
function toRooms(graph) {
  const roomOf = (file) => (dirname(file) === 'src' ? file : dirname(file));
  const rooms = new Map([...graph.keys()].map((file) => [roomOf(file), new Set()]));
  for (const [file, targets] of graph) for (const target of targets) rooms.get(roomOf(file)).add(roomOf(target));
  for (const [room, targets] of rooms) targets.delete(room);
  return rooms;
}

/** Returns one circle for each import that closes one, found depth first. */
function findCircles(graph) {
  const [circles, done] = [[], new Set()];
  const walk = (node, path) => {
    if (path.includes(node)) return circles.push([...path.slice(path.indexOf(node)), node]);
    if (!done.has(node)) for (const next of graph.get(node) ?? []) walk(next, [...path, node]);
    return done.add(node);
  };
  for (const node of graph.keys()) walk(node, []);
  return circles;
}
